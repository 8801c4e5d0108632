//! Row 3: workflow steps, a third each of function, conditional and request.

use super::backlog::settled;
use super::figure::{Better, Figure};
use super::load::Until;
use super::process::Meter;
use super::project::{CONCURRENCY, USER_CONCURRENCY};
use super::pump::{OPEN_MAX, pump};
use super::stage::{BATCH_EVENTS, PAYLOAD_BYTES, Stage};
use anyhow::Result;
use indicatif::ProgressBar;
use std::path::Path;
use std::time::{Duration, Instant};

const USERS: usize = 1_000;
/// Steps of one execution: a function, a conditional, a request.
const STEPS: usize = 3;

pub(super) async fn measure(
    folder: &Path,
    span: Duration,
    spinner: &ProgressBar,
) -> Result<Vec<Figure>> {
    spinner.set_message("connecting users");
    let stage = Stage::prepare(folder, USERS).await?;
    let meter = Meter::start(&stage)?;
    let begun = Instant::now();
    let sent = pump(&stage, Until::Elapsed(span), spinner).await?;
    let (stopped, cores) = (Instant::now(), meter.read()?);
    let ended = settled(&stage, ("SUCCEEDED", sent), spinner).await?;
    let took = ended.saturating_duration_since(begun).as_secs_f64();
    let drained = ended.saturating_duration_since(stopped).as_secs_f64();
    let conditions = format!(
        "{sent} executions of a function, a conditional and a request to a loopback server, \
         started by events of {PAYLOAD_BYTES} B in batches of {BATCH_EVENTS} for {:.0} s, at most \
         {OPEN_MAX} on their way; counted until the last had ended by Task History, {drained:.1} s \
         after the load; {USERS} users, concurrency {CONCURRENCY} and {USER_CONCURRENCY} a user; \
         {cores}",
        span.as_secs_f64()
    );
    stage.node.stop().await?;
    let rate = (sent * STEPS) as f64 / took;
    Ok(vec![
        Figure::told(3, "workflow steps", (rate, "1/s"), Better::Higher)
            .against(10_000.0, Some(40_000.0))
            .under(&conditions),
    ])
}
