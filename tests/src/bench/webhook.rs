//! Row 11: webhooks, signed as GitHub signs them.

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
    stage.connect_github().await?;
    let meter = Meter::start(&stage)?;
    let (requests, number_at) = stage.webhooks()?;
    let load = Load {
        at: stage.node.address,
        clients: CLIENTS,
        requests,
        number_at: Some(number_at),
        until: Until::Elapsed(span),
        status: 200,
        things: 1,
    };
    let sent = load.run(spinner).await?;
    let (stopped, cores) = (Instant::now(), meter.read()?);
    let left = Progress::read(&stage).await?;
    let ended = settled(&stage, ("SUCCEEDED", sent.latencies.len()), spinner).await?;
    let drained = ended.saturating_duration_since(stopped);
    let conditions = format!(
        "{CLIENTS} clients, {:.1} s, {USERS} accounts, {PAYLOAD_BYTES} B body, HMAC-SHA256 as GitHub \
         signs, each delivery with an id of its own, kept in the inbox, a conditional runs for each; \
         {} taken, {} told to come back; {cores}",
        sent.took.as_secs_f64(),
        sent.latencies.len(),
        sent.busy
    );
    let ms = |percent| sent.latencies.percentile(percent).as_secs_f64() * 1_000.0;
    let after = format!(
        "after the load of row 11, until the log does not grow any more and Task History has every \
         execution as succeeded; {} events were left to fold when the load stopped",
        left.lag
    );
    stage.node.stop().await?;
    Ok(vec![
        Figure::told(11, "webhooks verified and taken", (sent.rate(), "1/s"), Better::Higher)
            .against(5_000.0, Some(20_000.0))
            .under(&conditions),
        Figure::told(11, "webhooks verified and taken: p99", (ms(99), "ms"), Better::Lower)
            .under(&conditions),
        Figure::told(11, "webhooks verified and taken: p50", (ms(50), "ms"), Better::Lower)
            .under(&conditions),
        Figure::told(11, "until no execution is open", (drained.as_secs_f64(), "s"), Better::Lower)
            .under(&after),
    ])
}
