//! A fan out lets each item begin once, counts each once, and ends when all have; a page is got once.

use super::Breach;
use crate::sim::transcript::Part;
use domain::event::{Event, StepKind};
use domain::id::ExecutionId;
use std::collections::BTreeMap;

const JOINS: &str = "a join counts each child once";
const PAGES: &str = "a page is got once";

#[derive(Default)]
struct Join {
    items: i32,
    begun: i32,
    ended: i32,
}

pub(super) fn check(parts: &[Part]) -> Result<(), Breach> {
    let mut joins: BTreeMap<(ExecutionId, i32), Join> = BTreeMap::new();
    let mut pages: BTreeMap<(ExecutionId, i32), i32> = BTreeMap::new();
    for (_, event) in parts.iter().flat_map(|part| &part.runs).flatten() {
        match &event.body {
            Event::FanOutStarted(e) => {
                let join = Join { items: e.items, ..Join::default() };
                if joins.insert((e.execution, e.index), join).is_some() {
                    return Err(Breach::new(JOINS, "one fan out", format!("another of {e:?}")));
                }
            }
            Event::ItemStarted(e) => {
                let join = joins.entry((e.parent, e.index)).or_default();
                if e.number != join.begun {
                    let found = format!("item {}", e.number);
                    return Err(Breach::new(JOINS, format!("item {}", join.begun), found));
                }
                join.begun += 1;
            }
            Event::ItemFinished(e) => joins.entry((e.parent, e.index)).or_default().ended += 1,
            Event::StepSucceeded(e) if e.kind == StepKind::FanOut => {
                all_ended(joins.get(&(e.execution, e.index)))?;
            }
            Event::StepFailed(e) if e.kind == StepKind::FanOut => {
                all_ended(joins.get(&(e.execution, e.index)))?;
            }
            Event::PageFetched(e) => {
                let next = pages.entry((e.execution, e.index)).or_default();
                if e.page != *next {
                    let found = format!("page {} of {:?}", e.page, e.execution);
                    return Err(Breach::new(PAGES, format!("page {next}"), found));
                }
                *next += 1;
            }
            _ => {}
        }
    }
    match joins.values().find(|join| join.begun != join.ended) {
        None => Ok(()),
        Some(Join { begun, ended, .. }) => {
            Err(Breach::new(JOINS, format!("{begun} ended"), format!("{ended}")))
        }
    }
}

/// A fan out over nothing has no join.
fn all_ended(join: Option<&Join>) -> Result<(), Breach> {
    match join {
        Some(join) if (join.begun, join.ended) != (join.items, join.items) => {
            let found = format!("{} begun, {} ended", join.begun, join.ended);
            Err(Breach::new(JOINS, format!("{} items", join.items), found))
        }
        Some(_) | None => Ok(()),
    }
}
