//! A step begins only when the log says so, once for each attempt, whoever owns the partition then;
//! so no attempt reaches the world twice.

use super::Breach;
use crate::sim::transcript::Part;
use crate::sim::world::World;
use domain::effect::EffectKey;
use domain::event::Event;
use domain::id::EventId;
use std::collections::{BTreeMap, BTreeSet};

const NAME: &str = "a step begins once for each attempt, when the log says so";

pub(super) fn check(world: &World, parts: &[Part]) -> Result<(), Breach> {
    let mut due: BTreeMap<EventId, (EffectKey, i32)> = BTreeMap::new();
    for (_, event) in parts.iter().flat_map(|part| &part.runs).flatten() {
        if let Event::StepReady(e) = &event.body {
            let key = EffectKey { execution: e.execution, step: e.step };
            due.insert(event.meta.event_id, (key, e.attempt));
        }
    }
    // The log may have taken a record twice.
    let mut begun: BTreeMap<EventId, BTreeSet<EventId>> = BTreeMap::new();
    for (_, record) in parts.iter().flat_map(|part| &part.begun) {
        for step in &record.body.steps {
            begun.entry(step.since).or_default().insert(record.meta.event_id);
        }
    }
    if let Some((since, records)) = begun.iter().find(|(_, records)| records.len() > 1) {
        let found = format!("{} for {:?}", records.len(), due.get(since));
        return Err(Breach::new(NAME, "one record", found));
    }
    let known: BTreeSet<(EffectKey, i32)> =
        begun.keys().filter_map(|since| due.get(since)).copied().collect();
    for (attempt, count) in world.shared.outside.attempts() {
        if !known.contains(&attempt) {
            return Err(Breach::new(NAME, "a record", format!("none for {attempt:?}")));
        }
        if count > 1 {
            let found = format!("{attempt:?} reached the world {count} times");
            return Err(Breach::new(NAME, "once", found));
        }
    }
    Ok(())
}
