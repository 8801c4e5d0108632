//! Runs of an integration that is inactive, or gone.
//!
//! While an integration is inactive its runs go no further: a step that comes up is paused, and
//! resumed when the integration is active again (behaviours.md 23). A run whose integration was
//! removed ends with its next step.

use super::advance::Walk;
use super::outcome::{self, waiting};
use super::{Given, Halt, Open, Rejected};
use crate::command::{Command, PauseStep, ResumeStep};
use crate::event::{Ending, Event, StepPaused};
use crate::id::{ExecutionId, StepId};
use crate::meta::Recorded;
use crate::state::{Due, Pending};

/// The code of what happens to runs of an inactive integration.
const INACTIVE: &str = "INTEGRATION_INACTIVE";
/// The code of what happens to runs of an integration that was removed.
const REMOVED: &str = "INTEGRATION_UNKNOWN";

pub(super) fn pause(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    c: &PauseStep,
) -> Result<Vec<Event>, Halt> {
    let attempt = (c.execution, c.step, c.attempt);
    let (walk, pending) = match at(given, command, attempt, Due::Now)? {
        Ok(at) => at,
        Err(orphan) => return Ok(orphan),
    };
    match halted(given, &walk, pending) {
        Some(halted) => Ok(halted),
        // It became active again meanwhile: the step goes to the end of its queue.
        None => outcome::go_on(&walk, open, pending),
    }
}

pub(super) fn resume(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    c: &ResumeStep,
) -> Result<Vec<Event>, Halt> {
    let attempt = (c.execution, c.step, c.attempt);
    let (walk, pending) = match at(given, command, attempt, Due::Resumed)? {
        Ok(at) => at,
        Err(orphan) => return Ok(orphan),
    };
    match halted(given, &walk, pending).as_deref() {
        Some([Event::StepPaused(_)]) => {
            Err(Rejected::new(INACTIVE, "The integration is not active.").into())
        }
        Some(ended) => Ok(ended.to_vec()),
        None => outcome::go_on(&walk, open, pending),
    }
}

/// The run, if it waits just so for that attempt; or its end, if it is an item of one that has
/// ended.
pub(super) fn at<'a>(
    given: &Given<'a>,
    command: &Recorded<Command>,
    (id, step, attempt): (ExecutionId, StepId, i32),
    due: Due,
) -> Result<Result<(Walk<'a>, &'a Pending), Vec<Event>>, Rejected> {
    let (run, pending) = waiting(given, id, step, attempt)?;
    if pending.due != due {
        return Err(Rejected::new("OUTCOME_LATE", "The step does not wait for this."));
    }
    match outcome::walk(given, command, id)? {
        Some(walk) => Ok(Ok((walk, pending))),
        None => Ok(Err(outcome::orphan(given, id, run)?)),
    }
}

/// What happens instead of the step that came up; `None`: the integration is active.
pub(super) fn halted(given: &Given<'_>, walk: &Walk<'_>, pending: &Pending) -> Option<Vec<Event>> {
    let run = walk.lineage.run;
    let project = given.config.project(run.project);
    match project.and_then(|project| project.is_active(run.integration)) {
        Some(true) => None,
        Some(false) => Some(vec![Event::StepPaused(StepPaused {
            execution: walk.lineage.id,
            step: pending.step,
            index: i32::from(pending.index),
            kind: pending.kind,
            attempt: pending.attempt,
            code: INACTIVE.to_owned(),
        })]),
        None => {
            let mut ended = Vec::new();
            walk.end(Ending::Failed, REMOVED, &mut ended);
            Some(ended)
        }
    }
}
