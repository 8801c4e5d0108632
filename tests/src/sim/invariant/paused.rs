//! While an integration is inactive nothing of it begins, and what was paused stays so.

use super::Breach;
use crate::sim::configs::Configs;
use crate::sim::transcript::Part;
use domain::event::{Event, StepKind};
use projections::Seat;
use std::collections::BTreeSet;

const NAME: &str = "an inactive integration is at rest";

pub(super) fn check(parts: &[Part], configs: &Configs) -> Result<(), Breach> {
    for part in parts.iter().filter(|part| part.seat != Seat::CONFIG) {
        let mut paused = BTreeSet::new();
        for (offset, event) in part.runs.iter().flatten() {
            let is_active = configs.is_active(&event.meta);
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
