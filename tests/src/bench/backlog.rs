//! What the node has not finished yet.

use super::project::API_KEY;
use super::stage::Stage;
use crate::harness::meters;
use anyhow::{Result, bail};
use indicatif::ProgressBar;
use std::time::{Duration, Instant};

const LOOK: Duration = Duration::from_millis(100);
/// Longest time that a backlog may take.
const DRAIN_MAX: Duration = Duration::from_secs(1_200);

/// How far the node's log and rows are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Progress {
    /// Commands on the log.
    pub(super) commands: u64,
    /// Events on the log.
    pub(super) events: u64,
    /// Events that projections have not folded.
    pub(super) lag: u64,
}

impl Progress {
    /// Asks `/metrics`.
    pub(super) async fn read(stage: &Stage) -> Result<Self> {
        let said = meters(&stage.api.client, stage.node.address).await?;
        let mut progress = Self::default();
        for line in said.lines() {
            let Some((name, value)) = line.rsplit_once(' ') else { continue };
            let value = value.parse::<f64>().unwrap_or_default().max(0.0) as u64;
            if name.starts_with("millrace_log_end{") && name.contains("stream=\"commands\"") {
                progress.commands += value;
            } else if name.starts_with("millrace_log_end{") && name.contains("stream=\"events\"") {
                progress.events += value;
            } else if name.starts_with("millrace_projection_lag{") {
                progress.lag += value;
            }
        }
        Ok(progress)
    }
}

/// Waits until so many executions have a status, and the projections have nothing left to fold;
/// gives when the log grew for the last time. The count is Task History's.
///
/// # Errors
/// That does not come to pass.
pub(super) async fn settled(
    stage: &Stage,
    (status, wanted): (&str, usize),
    spinner: &ProgressBar,
) -> Result<Instant> {
    let begun = Instant::now();
    let mut last = Progress::read(stage).await?;
    let mut grown_at = Instant::now();
    while begun.elapsed() < DRAIN_MAX {
        tokio::time::sleep(LOOK).await;
        let now = Progress::read(stage).await?;
        if (now.commands, now.events) != (last.commands, last.events) {
            grown_at = Instant::now();
        } else if now.lag == 0 {
            // Whoever counts earlier takes part in what is measured.
            let count = stage.api.executions(API_KEY, status).await?;
            spinner.set_message(format!("{count} of {wanted} {status}"));
            if count == wanted as u64 {
                return Ok(grown_at);
            }
        }
        spinner.set_message(format!("{} events, {} to fold", now.events, now.lag));
        last = now;
    }
    let count = stage.api.executions(API_KEY, status).await?;
    bail!("{count} of {wanted} executions are {status} after {} s", DRAIN_MAX.as_secs())
}
