//! Row 2: a hundred events per request.

use super::backlog::settled;
use super::figure::{Better, Figure};
use super::load::{Load, Until};
use super::process::Meter;
use super::project::SEEN;
use super::stage::{BATCH_EVENTS, PAYLOAD_BYTES, Stage};
use anyhow::Result;
use indicatif::ProgressBar;
use std::path::Path;
use std::time::{Duration, Instant};

const CLIENTS: usize = 16;
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
        requests: stage.batches(SEEN, BATCH_EVENTS, PAYLOAD_BYTES),
        number_at: None,
        until: Until::Elapsed(span),
        status: 201,
        things: BATCH_EVENTS,
    };
    let sent = load.run(spinner).await?;
    let (stopped, cores) = (Instant::now(), meter.read()?);
    let events = sent.things;
    let ended = settled(&stage, ("SUCCEEDED", events), spinner).await?;
    let drained = ended.saturating_duration_since(stopped);
    let conditions = format!(
        "{BATCH_EVENTS} events a request, {CLIENTS} clients, {:.1} s, {USERS} users, \
         {PAYLOAD_BYTES} B payload, RS256 user tokens, a conditional runs for each event; {events} \
         taken, {} requests told to come back with some, p99 of a request {:.1} ms; {cores}",
        sent.took.as_secs_f64(),
        sent.busy,
        sent.latencies.percentile(99).as_secs_f64() * 1_000.0,
    );
    stage.node.stop().await?;
    Ok(vec![
        Figure::told(2, "events taken, batched", (sent.rate(), "1/s"), Better::Higher)
            .against(50_000.0, Some(200_000.0))
            .under(&conditions),
        Figure::told(2, "until no execution is open", (drained.as_secs_f64(), "s"), Better::Lower)
            .under("after the load of row 2"),
    ])
}
