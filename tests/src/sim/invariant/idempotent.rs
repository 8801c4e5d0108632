//! A command that is repeated gets the answer that its decision gave, whenever and wherever it is
//! repeated. The last repeat, when everything was at rest, got one in any case.

use super::Breach;
use crate::sim::transcript::Part;
use crate::sim::world::World;
use domain::answer::{self, Answer};
use domain::event::Event;
use domain::id::CommandId;
use std::collections::BTreeMap;

const NAME: &str = "a repeated command gets the same answer";

pub(super) fn check(world: &World, parts: &[Part]) -> Result<(), Breach> {
    let expected = answers(parts);
    for sent in &world.sent {
        let Some(first) = expected.get(&sent.id) else { continue };
        let name = sent.command.body.name();
        if let Some(other) = sent.answers.iter().find(|answer| *answer != first) {
            let found = format!("{other:?}, for {name} {}", sent.id.0);
            return Err(Breach::new(NAME, format!("{first:?}"), found));
        }
        if sent.body_hash.is_some() && sent.answers.is_empty() {
            let found = format!("none, for {name} {}", sent.id.0);
            return Err(Breach::new(NAME, format!("{first:?}"), found));
        }
    }
    Ok(())
}

/// What each command's decision says, or the run that it started.
fn answers(parts: &[Part]) -> BTreeMap<CommandId, Answer> {
    let mut answers = BTreeMap::new();
    let mut waiting = BTreeMap::new();
    for run in parts.iter().flat_map(|part| &part.runs) {
        let bodies: Vec<Event> = run.iter().map(|(_, event)| event.body.clone()).collect();
        let id = run[0].1.meta.command_id;
        if let Some(command) =
            bodies.iter().find_map(Event::execution).and_then(|e| waiting.get(&e))
            && let Some(answer) = answer::responded(&bodies)
        {
            answers.entry(*command).or_insert(answer);
        }
        if matches!(bodies[0], Event::CommandRepeated(_)) {
            continue;
        }
        match (answer::of(&bodies), bodies.iter().find_map(Event::execution)) {
            (Some(answer), _) => drop(answers.entry(id).or_insert(answer)),
            (None, Some(execution)) => drop(waiting.insert(execution, id)),
            (None, None) => {}
        }
    }
    answers
}
