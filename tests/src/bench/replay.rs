//! Row 6: events folded into state again.

use super::backlog::{Progress, settled};
use super::figure::{Better, Figure};
use super::load::Until;
use super::process::cpu_of_children;
use super::pump::pump;
use super::stage::Stage;
use crate::harness::Node;
use anyhow::Result;
use indicatif::ProgressBar;
use std::path::Path;
use std::time::Instant;

const USERS: usize = 1_000;

pub(super) async fn measure(
    folder: &Path,
    executions: usize,
    spinner: &ProgressBar,
) -> Result<Vec<Figure>> {
    spinner.set_message("connecting users");
    let stage = Stage::prepare(folder, USERS).await?;
    let sent = pump(&stage, Until::Taken(executions), spinner).await?;
    settled(&stage, ("SUCCEEDED", sent), spinner).await?;
    let events = Progress::read(&stage).await?.events;
    stage.node.stop().await?;
    let mut figures = Vec::new();
    for (projection, name) in [
        ("owner", "events folded into state, per core"),
        ("history", "events folded into Task History, per core"),
    ] {
        spinner.set_message(format!("folding {events} events into {projection}"));
        let (cpu, begun) = (cpu_of_children()?, Instant::now());
        Node::run(folder, &["rebuild", "--projection", projection]).await?;
        let wall = begun.elapsed().as_secs_f64();
        let cpu = cpu_of_children()?.saturating_sub(cpu).as_secs_f64();
        // More than one core counts as what it is; so does waiting for the disk.
        let rate = events as f64 / wall.max(cpu);
        let conditions = format!(
            "`millrace rebuild --projection {projection}` of {events} events of {sent} executions \
             (function, conditional, request), opening and saving included: {wall:.2} s, {cpu:.2} s \
             of CPU; the larger one counts"
        );
        let figure = Figure::told(6, name, (rate, "1/s"), Better::Higher).under(&conditions);
        figures.push(match projection {
            "owner" => figure.against(250_000.0, Some(700_000.0)),
            _ => figure,
        });
    }
    Ok(figures)
}
