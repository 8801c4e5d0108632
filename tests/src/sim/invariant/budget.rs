//! The slots of a project that are promised to lanes never exceed its limit. How many steps are at
//! work is counted at every instant, by the audit.

use super::Breach;
use crate::sim::project::CONCURRENCY_MAX;
use crate::sim::transcript::Part;
use domain::event::Event;
use std::collections::BTreeMap;

const NAME: &str = "slots are promised within the project's limit";

pub(super) fn check(parts: &[Part]) -> Result<(), Breach> {
    let mut promised: BTreeMap<i32, i32> = BTreeMap::new();
    for (offset, event) in parts.iter().flat_map(|part| &part.runs).flatten() {
        match &event.body {
            // All that the lane may be using until it hears again.
            Event::SlotsAsked(e) => drop(promised.insert(e.lane, e.busy)),
            Event::SlotsGranted(e) => {
                let slots = promised.entry(e.lane).or_default();
                *slots = e.held.max(*slots);
            }
            _ => continue,
        }
        let sum = promised.values().sum::<i32>();
        if sum > CONCURRENCY_MAX as i32 {
            let found = format!("{sum} at {offset}: {promised:?}");
            return Err(Breach::new(NAME, format!("at most {CONCURRENCY_MAX}"), found));
        }
    }
    Ok(())
}
