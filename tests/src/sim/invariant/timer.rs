//! A timer fires once, whoever owns it when it is due.

use super::Breach;
use crate::sim::transcript::Part;
use domain::event::{Event, StepKind};
use domain::id::{ExecutionId, StepId};
use std::collections::BTreeMap;

const NAME: &str = "a timer fires once";

pub(super) fn check(parts: &[Part]) -> Result<(), Breach> {
    // Timers by what waits for them, with the times that they fired.
    let mut timers: BTreeMap<(ExecutionId, StepId, i32), usize> = BTreeMap::new();
    for (offset, event) in parts.iter().flat_map(|part| &part.runs).flatten() {
        let timer = match &event.body {
            Event::StepReady(e) if e.due.is_some() => {
                timers.entry((e.execution, e.step, e.attempt)).or_default();
                continue;
            }
            Event::StepReady(e) => (e.execution, e.step, e.attempt),
            Event::StepSucceeded(e) if e.kind == StepKind::Delay => {
                (e.execution, e.step, e.attempt)
            }
            _ => continue,
        };
        // A first attempt waits for no timer.
        let Some(fired) = timers.get_mut(&timer) else { continue };
        *fired += 1;
        if *fired > 1 {
            let (execution, _, attempt) = timer;
            let found = format!("again, for attempt {attempt} of {execution} at {offset}");
            return Err(Breach::new(NAME, "one firing", found));
        }
    }
    Ok(())
}
