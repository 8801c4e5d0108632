//! I1: nothing acknowledged is lost. Every command in the log has exactly one decision, and every
//! acknowledged one is decided as itself exactly once, however often it was appended.

use super::Breach;
use crate::sim::transcript::Part;
use crate::sim::world::World;
use domain::event::Event;
use std::collections::BTreeMap;

const NAME: &str = "I1: nothing acknowledged is lost";

pub(super) fn check(world: &World, parts: &[Part]) -> Result<(), Breach> {
    let mut decided = BTreeMap::new();
    for part in parts {
        let mut by_offset: BTreeMap<i64, usize> = BTreeMap::new();
        for run in &part.runs {
            let first = &run[0].1;
            *by_offset.entry(first.meta.command_offset).or_default() += 1;
            if !matches!(first.body, Event::CommandRepeated(_)) {
                *decided.entry(first.meta.command_id).or_insert(0) += 1;
            }
        }
        for (offset, command) in &part.commands {
            let count = by_offset.get(offset).copied().unwrap_or(0);
            if count != 1 {
                let (name, number) = (command.body.name(), part.seat.number());
                let found = format!("{count}, for {name} at {offset} of seat {number}");
                return Err(Breach::new(NAME, "one decision for each command in the log", found));
            }
        }
    }
    for sent in world.sent.iter().filter(|sent| sent.acknowledged > 0) {
        let count = decided.get(&sent.id).copied().unwrap_or(0);
        if count != 1 {
            let found = format!("{count}, for {} {}", sent.command.body.name(), sent.id.0);
            return Err(Breach::new(NAME, "one decision for each acknowledged command", found));
        }
    }
    Ok(())
}
