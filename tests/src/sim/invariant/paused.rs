//! While an integration is inactive nothing of it begins, and what was paused stays so.

use super::Breach;
use crate::sim::project::INTEGRATION;
use crate::sim::transcript::Part;
use domain::config::Config;
use domain::event::{Event, StepKind};
use projections::Seat;
use std::collections::BTreeSet;

const NAME: &str = "an inactive integration is at rest";

pub(super) fn check(parts: &[Part]) -> Result<(), Breach> {
    let switched = switched(parts)?;
    for part in parts.iter().filter(|part| part.seat != Seat::CONFIG) {
        let mut paused = BTreeSet::new();
        for (offset, event) in part.runs.iter().flatten() {
            let used = event.meta.config_offset;
            let before = switched.iter().rev().find(|(at, _)| *at <= used);
            let is_active = before.is_some_and(|(_, active)| *active);
            let (execution, what) = match &event.body {
                Event::ExecutionStarted(e) => (e.execution, "a start"),
                Event::StepPaused(e) if is_active => {
                    let found = format!("a pause of {} at {offset}", e.execution);
                    return Err(Breach::new("only an inactive integration pauses", "none", found));
                }
                Event::StepPaused(e) => {
                    paused.insert(e.execution);
                    continue;
                }
                Event::ItemStarted(e) => {
                    paused.remove(&e.parent);
                    (e.execution, "an item")
                }
                Event::StepReady(e) if paused.remove(&e.execution) => (e.execution, "a step"),
                Event::StepSucceeded(e)
                    if e.kind == StepKind::Delay && paused.remove(&e.execution) =>
                {
                    (e.execution, "a step")
                }
                _ => continue,
            };
            if !is_active {
                let found = format!("{what} of {execution} at {offset}");
                return Err(Breach::new(NAME, "nothing", found));
            }
        }
    }
    Ok(())
}

/// At which offsets the integration became active, or inactive.
fn switched(parts: &[Part]) -> Result<Vec<(i64, bool)>, Breach> {
    let mut config = Config::default();
    let mut switched: Vec<(i64, bool)> = Vec::new();
    let events = parts.iter().filter(|part| part.seat == Seat::CONFIG);
    for (offset, event) in events.flat_map(|part| &part.runs).flatten() {
        config
            .fold(*offset, event)
            .map_err(|error| Breach::new("the configuration can be read", "a project", error))?;
        let active = config.integration(INTEGRATION).is_some_and(|(_, found)| found.active);
        if switched.last().is_none_or(|(_, before)| *before != active) {
            switched.push((*offset, active));
        }
    }
    Ok(switched)
}
