//! `millrace serve`

use crate::config::Config;
use crate::node::Node;
use anyhow::Result;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

pub(super) async fn serve(config: &Config) -> Result<ExitCode> {
    // Who is told that it listens may stop it, and so may who has waited long enough for that.
    let mut terminate = signal(SignalKind::terminate())?;
    let node = tokio::select! {
        started = Node::start(config) => started?,
        _ = terminate.recv() => return Ok(ExitCode::SUCCESS),
    };
    println!("millrace listens on http://{}", node.address);
    node.run_until(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}
