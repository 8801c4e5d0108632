//! `millrace serve`

use crate::config::Config;
use crate::node::Node;
use anyhow::Result;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

pub(super) async fn serve(config: &Config) -> Result<ExitCode> {
    let node = Node::start(config).await?;
    println!("millrace listens on http://{}", node.address);
    let mut terminate = signal(SignalKind::terminate())?;
    node.run_until(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}
