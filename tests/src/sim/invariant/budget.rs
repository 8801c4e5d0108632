//! The slots of a project that are promised to lanes never exceed its limit, and what a lane says
//! it uses is never replaced by something older. How many steps are at work is counted at every
//! instant, by the audit.

use super::Breach;
use crate::sim::project::CONCURRENCY_MAX;
use crate::sim::transcript::Part;
use domain::event::Event;
use domain::id::Asking;
use std::collections::BTreeMap;

const NAME: &str = "slots are promised within the project's limit";

/// What the log says of a lane.
#[derive(Default)]
struct Lane {
    /// All that it may be using.
    promised: i32,
    asked: Option<Asking>,
}

pub(super) fn check(parts: &[Part]) -> Result<(), Breach> {
    let mut lanes: BTreeMap<i32, Lane> = BTreeMap::new();
    for (offset, event) in parts.iter().flat_map(|part| &part.runs).flatten() {
        match &event.body {
            Event::SlotsAsked(e) => {
                let lane = lanes.entry(e.lane).or_default();
                let asked = event.meta.command_id.asked();
                if asked <= lane.asked {
                    let expected = format!("an ask later than {:?}", lane.asked);
                    return Err(Breach::new(NAME, expected, format!("{asked:?} at {offset}")));
                }
                *lane = Lane { promised: e.busy, asked };
            }
            Event::SlotsGranted(e) => {
                let lane = lanes.entry(e.lane).or_default();
                lane.promised = lane.promised.max(e.held);
            }
            _ => continue,
        }
        let sum = lanes.values().map(|lane| lane.promised).sum::<i32>();
        if sum > CONCURRENCY_MAX as i32 {
            let expected = format!("at most {CONCURRENCY_MAX} slots");
            return Err(Breach::new(NAME, expected, format!("{sum} at {offset}")));
        }
    }
    Ok(())
}
