//! Runs that go no further.
//!
//! A step that comes up while somebody paused the run, its integration is inactive or its user
//! disabled, is paused, and resumed when that is over (behaviours.md 23). A run whose integration or
//! account was removed ends with its next step. What is undeployed, or switched off, only starts no
//! more.

use super::advance::Walk;
use super::outcome::{self, waiting};
use super::{Given, Halt, Open, Rejected};
use crate::command::{Command, PauseExecution, PauseStep, ResumeExecution, ResumeStep};
use crate::event::{Ending, Event, ExecutionPaused, ExecutionResumed, StepPaused};
use crate::id::{ExecutionId, StepId};
use crate::meta::Recorded;
use crate::state::{Due, Lineage, Nest, Pending, RowKey};

/// The code of what happens to runs of an inactive integration.
const INACTIVE: &str = "INTEGRATION_INACTIVE";
/// The code of what happens to runs of a disabled user.
const DISABLED: &str = "USER_DISABLED";
/// The code of what happens to runs that somebody paused.
const PAUSED: &str = "EXECUTION_PAUSED";
/// The code of what happens to runs of an integration that was removed.
const REMOVED: &str = "INTEGRATION_UNKNOWN";
/// The code of what happens to runs of an account that was removed.
const DISCONNECTED: &str = "CREDENTIAL_REMOVED";

/// What is at work goes on; nothing else begins.
pub(super) fn pause_run(
    given: &Given<'_>,
    command: &Recorded<Command>,
    c: &PauseExecution,
) -> Result<Vec<Event>, Halt> {
    outcome::whole(given, command, c.execution)?;
    Ok(vec![Event::ExecutionPaused(ExecutionPaused { execution: c.execution })])
}

/// What waits of the run itself goes on in the same decision; what waits within its fan outs is taken
/// up by the owner, step by step.
pub(super) fn resume_run(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    c: &ResumeExecution,
) -> Result<Vec<Event>, Halt> {
    let run = outcome::whole(given, command, c.execution)?;
    let mut events = vec![Event::ExecutionResumed(ExecutionResumed { execution: c.execution })];
    let Some(pending) = run.pending.as_ref().filter(|pending| pending.due == Due::Resumed) else {
        return Ok(events);
    };
    let Some(walk) = outcome::walk(given, command, c.execution)? else { return Ok(events) };
    let nest = walk.lineage.nest.map(|nest| Nest { is_paused: false, ..nest.clone() });
    let lineage = Lineage { nest: nest.as_ref(), ..walk.lineage.clone() };
    let walk = Walk { lineage, ..walk };
    match halted(given, &walk, pending) {
        None => events.extend(outcome::go_on(&walk, open, pending)?),
        Some(Halted::Paused(..)) => {}
        Some(Halted::Ended(ended)) => events.extend(ended),
    }
    Ok(events)
}

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
        Some(halted) => Ok(halted.into_events()),
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
    match halted(given, &walk, pending) {
        Some(Halted::Paused(code, _)) => {
            let reason = "What the step waits for is not over.";
            Err(Rejected::new(code, reason).into())
        }
        Some(Halted::Ended(ended)) => Ok(ended),
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

/// What happens instead of a step that came up.
pub(super) enum Halted {
    /// It waits to be resumed; why, as a public error code.
    Paused(&'static str, Event),
    /// The run ends.
    Ended(Vec<Event>),
}

impl Halted {
    pub(super) fn into_events(self) -> Vec<Event> {
        match self {
            Self::Paused(_, paused) => vec![paused],
            Self::Ended(ended) => ended,
        }
    }
}

/// What happens instead of the step that came up; `None`: the run goes on.
pub(super) fn halted(given: &Given<'_>, walk: &Walk<'_>, pending: &Pending) -> Option<Halted> {
    let run = walk.lineage.run;
    let project = given.config.project(run.project);
    let is_active = project.and_then(|project| project.is_active(run.integration));
    let user = given.rows.user(&RowKey::User(run.project, run.user.clone()));
    let account = user.and_then(|user| user.credentials.get(&run.credential));
    let code = match (is_active, account) {
        (None, _) => return Some(ended(walk, REMOVED)),
        (_, None) => return Some(ended(walk, DISCONNECTED)),
        (Some(false), _) => INACTIVE,
        _ if user.is_some_and(|user| user.disabled) => DISABLED,
        _ if walk.lineage.is_paused() => PAUSED,
        _ => return None,
    };
    let paused = StepPaused {
        execution: walk.lineage.id,
        step: pending.step,
        index: i32::from(pending.index),
        kind: pending.kind,
        attempt: pending.attempt,
        code: code.to_owned(),
    };
    Some(Halted::Paused(code, Event::StepPaused(paused)))
}

fn ended(walk: &Walk<'_>, code: &str) -> Halted {
    let mut events = Vec::new();
    walk.end(Ending::Failed, code, &mut events);
    Halted::Ended(events)
}
