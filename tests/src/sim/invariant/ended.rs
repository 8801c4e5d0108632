//! Every execution ends: the world was given longer than any pause takes. Each one once, with the
//! tasks that its steps were metered as, and nothing happens in it afterwards.

use super::Breach;
use crate::sim::transcript::Part;
use domain::event::Event;
use domain::id::ExecutionId;
use std::collections::BTreeMap;

const NAME: &str = "every execution ends once";

#[derive(Default)]
struct Told {
    last: String,
    started: usize,
    finished: usize,
    tasks: i32,
}

pub(super) fn check(parts: &[Part]) -> Result<(), Breach> {
    let mut told: BTreeMap<ExecutionId, Told> = BTreeMap::new();
    for (_, event) in parts.iter().flat_map(|part| &part.runs).flatten() {
        let Some(id) = event.body.execution() else { continue };
        let one = told.entry(id).or_default();
        if one.finished > 0 {
            let found = format!("{} of {} after its end", event.body.name(), id.0);
            return Err(Breach::new(NAME, "nothing after the end", found));
        }
        one.last = event.body.name().to_owned();
        match &event.body {
            Event::ExecutionStarted(_) => one.started += 1,
            Event::ItemStarted(_) => one.started += 1,
            Event::StepSucceeded(e) => one.tasks += e.kind.tasks(),
            Event::PageFetched(e) => one.tasks += e.kind.tasks(),
            Event::ItemFinished(e) => {
                one.finished += 1;
                counted(id, one.tasks, e.task_count)?;
                // It is metered as part of the run that it is an item of, while that goes on.
                let outer = told.entry(e.parent).or_default();
                if outer.finished == 0 {
                    outer.tasks += e.task_count;
                }
            }
            Event::ExecutionFinished(e) => {
                one.finished += 1;
                counted(id, one.tasks, e.task_count)?;
            }
            _ => {}
        }
    }
    match told.iter().find(|(_, told)| (told.started, told.finished) != (1, 1)) {
        None => Ok(()),
        Some((id, told)) => {
            let Told { last, started, finished, .. } = told;
            let found = format!("{} began {started} times, ended {finished}; last {last}", id.0);
            Err(Breach::new(NAME, "one beginning, one end", found))
        }
    }
}

fn counted(id: ExecutionId, tasks: i32, told: i32) -> Result<(), Breach> {
    if told == tasks {
        return Ok(());
    }
    Err(Breach::new(NAME, format!("{tasks} tasks"), format!("{told} for {}", id.0)))
}
