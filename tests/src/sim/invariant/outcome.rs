//! I6: an effect has one recorded outcome per key and attempt, and one that went well at most;
//! what was recorded had reached the world.

use super::Breach;
use crate::sim::transcript::Part;
use crate::sim::world::World;
use domain::effect::EffectKey;
use domain::event::{Event, StepKind};
use std::collections::{BTreeMap, BTreeSet};

const NAME: &str = "I6: one recorded outcome per effect and attempt";

pub(super) fn check(world: &World, parts: &[Part]) -> Result<(), Breach> {
    let attempts = world.shared.outside.attempts();
    let mut recorded: BTreeMap<(EffectKey, i32), usize> = BTreeMap::new();
    let mut succeeded: BTreeSet<EffectKey> = BTreeSet::new();
    for (_, event) in parts.iter().flat_map(|part| &part.runs).flatten() {
        let (key, attempt, kind, well) = match &event.body {
            Event::StepSucceeded(e) => {
                (EffectKey { execution: e.execution, step: e.step }, e.attempt, e.kind, true)
            }
            Event::StepFailed(e) => {
                (EffectKey { execution: e.execution, step: e.step }, e.attempt, e.kind, false)
            }
            _ => continue,
        };
        *recorded.entry((key, attempt)).or_default() += 1;
        if well && !succeeded.insert(key) {
            return Err(Breach::new(NAME, "one success", format!("another one of {key:?}")));
        }
        // Whether an attempt was made whose node is gone, nobody knows.
        let is_lost = matches!(&event.body, Event::StepFailed(e) if e.code == "NODE_LOST");
        if kind == StepKind::Function && !is_lost && !attempts.contains_key(&(key, attempt)) {
            let found = format!("attempt {attempt} of {key:?}, never made");
            return Err(Breach::new(NAME, "an outcome of an attempt", found));
        }
    }
    match recorded.iter().find(|(_, count)| **count != 1) {
        None => Ok(()),
        Some(((key, attempt), count)) => {
            let found = format!("{count} outcomes of attempt {attempt} of {key:?}");
            Err(Breach::new(NAME, "one", found))
        }
    }
}
