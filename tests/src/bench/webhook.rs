//! Row 11: webhooks, signed as GitHub signs them.

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
    stage.connect_github().await?;
    let (requests, number_at) = stage.webhooks()?;
    let arrival = Arrival {
        row: 11,
        what: "webhooks verified and taken",
        how: format!(
            "{USERS} accounts, {PAYLOAD_BYTES} B body, HMAC-SHA256 as GitHub signs, each delivery \
             with an id of its own, kept in the inbox, a conditional runs for each"
        ),
        requests,
        number_at: Some(number_at),
        status: 200,
        rate: (5_000.0, 20_000.0),
        p99_ms: None,
    };
    arrival.measure(stage, span, spinner).await
}
