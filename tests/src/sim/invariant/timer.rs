//! A timer fires once and never early, whoever owns it when it is due.

use super::Breach;
use crate::sim::transcript::Part;
use domain::command::Command;
use domain::event::Event;
use std::collections::{BTreeMap, BTreeSet};

const NAME: &str = "a timer fires once";

pub(super) fn check(parts: &[Part]) -> Result<(), Breach> {
    for part in parts {
        let commands: BTreeMap<i64, &Command> =
            part.commands.iter().map(|(offset, command)| (*offset, &command.body)).collect();
        let mut fired = BTreeSet::new();
        for run in &part.runs {
            let Some((offset, first)) = run.first() else { continue };
            let Some(Command::FireTimer(timer)) = commands.get(&first.meta.command_offset) else {
                continue;
            };
            if matches!(first.body, Event::CommandRejected(_) | Event::CommandRepeated(_)) {
                continue;
            }
            let (execution, attempt) = (timer.execution, timer.attempt);
            if first.meta.occurred_at < timer.due {
                let found = format!("early, for attempt {attempt} of {execution} at {offset}");
                return Err(Breach::new(NAME, "a firing when it is due", found));
            }
            // A fan out lets items begin by one timer after the other.
            if !fired.insert((execution, timer.step, attempt, timer.due)) {
                let found = format!("again, for attempt {attempt} of {execution} at {offset}");
                return Err(Breach::new(NAME, "one firing", found));
            }
        }
    }
    Ok(())
}
