//! Row 4: a request that waits for the response of its workflow.

use super::figure::{Better, Figure};
use super::load::{Load, Until};
use super::process::Meter;
use super::project::QUOTE;
use super::stage::{PAYLOAD_BYTES, Stage};
use anyhow::{Context, Result};
use indicatif::ProgressBar;
use std::path::Path;
use std::time::Duration;

/// Requests before those that are measured.
const WARM_UP: usize = 200;

pub(super) async fn measure(
    folder: &Path,
    span: Duration,
    spinner: &ProgressBar,
) -> Result<Vec<Figure>> {
    let stage = Stage::prepare(folder, 1).await?;
    let token = stage.tokens.first().context("there is no user")?;
    let load = |until| Load {
        at: stage.node.address,
        clients: 1,
        requests: vec![stage.request(token, QUOTE)],
        number_at: None,
        until,
        status: 200,
        things: 1,
    };
    load(Until::Taken(WARM_UP)).run(spinner).await?;
    let meter = Meter::start(&stage)?;
    let sent = load(Until::Elapsed(span)).run(spinner).await?;
    let cores = meter.read()?;
    let conditions = format!(
        "one client on one connection, {:.1} s, {} requests after {WARM_UP} others, one user, \
         {PAYLOAD_BYTES} B body; a function, a request to a loopback server, a function, a response; \
         {cores}",
        sent.took.as_secs_f64(),
        sent.latencies.len()
    );
    stage.node.stop().await?;
    let ms = |percent| sent.latencies.percentile(percent).as_secs_f64() * 1_000.0;
    Ok(vec![
        Figure::told(4, "request with response: p50", (ms(50), "ms"), Better::Lower)
            .against(2.5, Some(1.4))
            .under(&conditions),
        Figure::told(4, "request with response: p99", (ms(99), "ms"), Better::Lower)
            .against(8.0, None)
            .under(&conditions),
    ])
}
