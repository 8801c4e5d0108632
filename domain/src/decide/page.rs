//! Pages of requests.

use super::outcome::{self, waiting};
use super::{Given, Halt, Rejected};
use crate::command::{Command, RecordPage};
use crate::event::{Event, PageFetched};
use crate::meta::Recorded;
use crate::state::Pages;
use crate::workflow::{Action, Pagination, Step};

/// Pages of one request; what goes on longer counts as endless.
pub const PAGES_MAX: u32 = 1_000;

/// How a step goes on to further pages, if it does.
pub(super) fn pagination(step: &Step) -> Option<&Pagination> {
    match &step.action {
        Action::Request(request) | Action::IntegrationRequest(request) => {
            request.pagination.as_ref()
        }
        _ => None,
    }
}

pub(super) fn record(
    given: &Given<'_>,
    command: &Recorded<Command>,
    c: &RecordPage,
) -> Result<Vec<Event>, Halt> {
    let (run, pending) = waiting(given, c.execution, c.step, c.attempt)?;
    if !pending.due.is_up() {
        return Err(Rejected::new("OUTCOME_LATE", "The attempt has ended.").into());
    }
    let Some(walk) = outcome::walk(given, command, c.execution)? else {
        return Ok(outcome::orphan(given, c.execution, run)?);
    };
    let step = outcome::step_of(walk.workflow, pending)?;
    let before = pages_before(&walk.lineage, pending.index);
    let fetched = Event::PageFetched(PageFetched {
        execution: c.execution,
        step: c.step,
        index: i32::from(pending.index),
        kind: pending.kind,
        page: i32::try_from(before.count).unwrap_or(i32::MAX),
        attempt: c.attempt,
        started_at: c.started_at,
        status: c.status,
        input_size: c.input_size,
        output_size: c.output_size,
        sealed: c.sealed.clone(),
    });
    // Attempts count on, so that what comes late of one page is not taken for another.
    Ok(vec![fetched, walk.ready(pending.index, step, c.attempt + 1, None)])
}

/// The pages that a step has got in this run.
pub(super) fn pages_before(lineage: &crate::state::Lineage<'_>, index: u16) -> Pages {
    let pages = lineage.nest.and_then(|nest| nest.pages.get(&index));
    pages.copied().unwrap_or_default()
}
