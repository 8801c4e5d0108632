//! Crossing keys: what a decision that stands wants told is decided by the recipient, once, and no
//! one is told anything else.

use super::Breach;
use crate::sim::transcript::Part;
use crate::sim::world::World;
use domain::effect;
use domain::event::Event;
use domain::id::CommandId;
use std::collections::BTreeMap;

const NAME: &str = "what is told to another key is decided there once";

pub(super) fn check(world: &World, parts: &[Part]) -> Result<(), Breach> {
    let mut decided: BTreeMap<CommandId, usize> = BTreeMap::new();
    for (_, first) in parts.iter().flat_map(|part| &part.runs).filter_map(|run| run.first()) {
        let id = first.meta.command_id;
        if id.told().is_some() && !matches!(first.body, Event::CommandRepeated(_)) {
            *decided.entry(id).or_default() += 1;
        }
    }
    for (offset, event) in parts.iter().flat_map(|part| &part.runs).flatten() {
        for tell in effect::tells(event, world.layout.partitions) {
            let count = decided.remove(&tell.id).unwrap_or(0);
            if count != 1 {
                let (command, to) = (tell.command.name(), tell.to.name());
                let found =
                    format!("{count}, for {command} from {} at {offset} to {to}", event.meta.key);
                return Err(Breach::new(NAME, "one decision for each Tell", found));
            }
        }
    }
    match decided.first_key_value() {
        None => Ok(()),
        Some((id, _)) => {
            let found = format!("{:?}", id.told());
            Err(Breach::new(NAME, "only what a decision wanted told", found))
        }
    }
}
