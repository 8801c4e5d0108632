//! Row 13: a fan out over many items, joined.

use super::backlog::settled;
use super::figure::{Better, Figure};
use super::process::Meter;
use super::project::{FANNED, FANNED_ITEMS, USER_CONCURRENCY};
use super::stage::Stage;
use super::wire::Connection;
use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use std::path::Path;
use std::time::Instant;

pub(super) async fn measure(folder: &Path, spinner: &ProgressBar) -> Result<Vec<Figure>> {
    spinner.set_message("connecting a user");
    let stage = Stage::prepare(folder, 1).await?;
    let token = stage.tokens.first().context("there is no user")?;
    let request = stage.request(token, FANNED);
    let meter = Meter::start(&stage)?;
    let begun = Instant::now();
    let status = Connection::open(stage.node.address).await?.exchange(&request).await?;
    if status != 202 {
        bail!("the fan out was answered with {status}");
    }
    let ended = settled(&stage, ("SUCCEEDED", 1), spinner).await?;
    let (took, cores) = (ended.saturating_duration_since(begun).as_secs_f64(), meter.read()?);
    stage.node.stop().await?;
    let conditions = format!(
        "one execution: a function gives {FANNED_ITEMS} items, each is a function of its own, and \
         the step behind gets what all of them gave; {USER_CONCURRENCY} steps of the user at a time; \
         until the log grew no more; {cores}"
    );
    Ok(vec![
        Figure::told(13, "fan out, joined", (took, "s"), Better::Lower)
            .against(20.0, None)
            .under(&conditions),
    ])
}
