//! Row 1: one event per request.

use super::arrival::Arrival;
use super::figure::Figure;
use super::stage::{PAYLOAD_BYTES, Stage};
use anyhow::Result;
use indicatif::ProgressBar;
use std::path::Path;
use std::time::Duration;

const USERS: usize = 1_000;

pub(super) async fn measure(
    folder: &Path,
    span: Duration,
    spinner: &ProgressBar,
) -> Result<Vec<Figure>> {
    spinner.set_message("connecting users");
    let stage = Stage::prepare(folder, USERS).await?;
    let arrival = Arrival {
        row: 1,
        what: "events taken, one per request",
        how: format!(
            "{USERS} users, {PAYLOAD_BYTES} B payload, RS256 user tokens, a conditional runs for \
             each event"
        ),
        requests: stage.singles(),
        number_at: None,
        status: 201,
        rate: (10_000.0, 25_000.0),
        p99_ms: Some((15.0, 10.0)),
    };
    arrival.measure(stage, span, spinner).await
}
