//! Row 1: one event per request.

use super::backlog::{Progress, settled};
use super::figure::{Better, Figure};
use super::load::{Load, Until};
use super::process::Meter;
use super::stage::{PAYLOAD_BYTES, Stage};
use anyhow::Result;
use indicatif::ProgressBar;
use std::path::Path;
use std::time::{Duration, Instant};

const CLIENTS: usize = 64;
const USERS: usize = 1_000;

pub(super) async fn measure(
    folder: &Path,
    span: Duration,
    spinner: &ProgressBar,
) -> Result<Vec<Figure>> {
    spinner.set_message("connecting users");
    let stage = Stage::prepare(folder, USERS).await?;
    let meter = Meter::start(&stage)?;
    let load = Load {
        at: stage.node.address,
        clients: CLIENTS,
        requests: stage.singles(),
        number_at: None,
        until: Until::Elapsed(span),
        status: 201,
        things: 1,
    };
    let sent = load.run(spinner).await?;
    let (stopped, cores) = (Instant::now(), meter.read()?);
    let left = Progress::read(&stage).await?;
    let ended = settled(&stage, ("SUCCEEDED", sent.latencies.len()), spinner).await?;
    let drained = ended.saturating_duration_since(stopped);
    let conditions = format!(
        "{CLIENTS} clients, {:.1} s, {USERS} users, {PAYLOAD_BYTES} B payload, RS256 user tokens, \
         a conditional runs for each event; {} taken, {} told to come back; {cores}",
        sent.took.as_secs_f64(),
        sent.latencies.len(),
        sent.busy
    );
    let ms = |percent| sent.latencies.percentile(percent).as_secs_f64() * 1_000.0;
    let after = format!(
        "after the load of row 1, until the log does not grow any more and Task History has every \
         execution as succeeded; {} events were left to fold when the load stopped",
        left.lag
    );
    stage.node.stop().await?;
    Ok(vec![
        Figure::told(1, "events taken, one per request", (sent.rate(), "1/s"), Better::Higher)
            .against(10_000.0, Some(25_000.0))
            .under(&conditions),
        Figure::told(1, "events taken, one per request: p99", (ms(99), "ms"), Better::Lower)
            .against(15.0, Some(10.0))
            .under(&conditions),
        Figure::told(1, "events taken, one per request: p50", (ms(50), "ms"), Better::Lower)
            .under(&conditions),
        Figure::told(1, "until no execution is open", (drained.as_secs_f64(), "s"), Better::Lower)
            .under(&after),
    ])
}
