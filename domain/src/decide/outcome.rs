//! What comes back to a running execution: outcomes, moments, a cancel.

use super::advance::{Walk, advance, packed};
use super::{Given, Halt, Open, Rejected, fan_out, page, pause, project_of};
use crate::command::{CancelExecution, Command, FireTimer, LoseStep, RecordOutcome};
use crate::event::{Ending, Event, ExecutionFinished, StepFailed, StepKind, StepSucceeded};
use crate::id::{CommandId, ExecutionId, StepId};
use crate::key::Key;
use crate::meta::Recorded;
use crate::state::{Due, Execution, Pending, RowKey};
use crate::time::Timestamp;
use crate::workflow::{Step, Workflow};
use serde_json::Value;

/// Waits before the retries of a failed step, in milliseconds (seeds: workflows/auto-retries).
const RETRY_AFTER_MS: [i64; 5] = [10_000, 20_000, 30_000, 50_000, 80_000];

/// Attempts after which a step whose nodes are lost again and again is given up.
const ATTEMPTS_MAX: i32 = 1 + RETRY_AFTER_MS.len() as i32;

/// The status of an answer that asks to come back later.
const TOO_MANY_REQUESTS: i32 = 429;

/// The code of an attempt whose node is gone.
const LOST: &str = "NODE_LOST";

/// The longest wait that a provider's own word can ask for.
const RETRY_AFTER_MAX_MS: i64 = 3_600_000;

pub(super) fn record(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    c: &RecordOutcome,
) -> Result<Vec<Event>, Halt> {
    let (run, pending) = waiting(given, c.execution, c.step, c.attempt)?;
    if !pending.due.is_up() {
        return Err(Rejected::new("OUTCOME_LATE", "The attempt has ended.").into());
    }
    let Some(walk) = walk(given, command, c.execution)? else {
        let (ended, run) = match c.code.is_empty() {
            true => (succeeded(c, pending), with_output(run, c, pending)),
            false => (failed(c, pending, None, false), run.clone()),
        };
        let items = orphan(given, c.execution, &run)?;
        return Ok([vec![ended], items].concat());
    };
    let step = step_of(walk.workflow, pending)?;
    if c.code.is_empty() {
        let mut events = vec![succeeded(c, pending)];
        walk_on(&walk, open, step, c, pending, &mut events)?;
        return Ok(events);
    }
    let before = page::pages_before(&walk.lineage, pending.index);
    let number = c.attempt - before.attempts;
    let retry_at = match walk.lineage.test() {
        Some(_) => None,
        None => retry_at(step, (c, number), given.now, command.meta.command_id),
    };
    // What was got stands, with the error beside it (seeds: requests/request-pagination).
    let continued = step.continue_on_error || before.count > 0;
    fail(&walk, open, (step, pending), c, (retry_at, continued))
}

/// Nobody knows how far an attempt came: it counts as failed, and the step is tried again at once,
/// whether it asks for retries or not.
pub(super) fn lose(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    c: &LoseStep,
) -> Result<Vec<Event>, Halt> {
    let attempt = (c.execution, c.step, c.attempt);
    let (walk, pending) = match pause::at(given, command, attempt, Due::Begun)? {
        Ok(at) => at,
        Err(orphan) => return Ok(orphan),
    };
    let step = step_of(walk.workflow, pending)?;
    let message = "The node that performed the step is gone. Whether it was performed is unknown.";
    let output = serde_json::json!({ "error": { "message": message } });
    let (sealed, input_size, output_size) = packed(&Value::Null, &output);
    let lost = RecordOutcome {
        execution: c.execution,
        step: c.step,
        attempt: c.attempt,
        started_at: c.started_at,
        code: LOST.to_owned(),
        retryable: true,
        status: None,
        retry_after_ms: None,
        input_size,
        output_size,
        sealed,
    };
    let before = page::pages_before(&walk.lineage, pending.index);
    let again = c.attempt - before.attempts < ATTEMPTS_MAX;
    fail(&walk, open, (step, pending), &lost, (again.then_some(given.now), step.continue_on_error))
}

/// The attempt failed: the step is tried again, or the run goes on without it, or ends.
fn fail(
    walk: &Walk<'_>,
    open: &mut dyn Open,
    (step, pending): (&Step, &Pending),
    c: &RecordOutcome,
    (retry_at, continued): (Option<Timestamp>, bool),
) -> Result<Vec<Event>, Halt> {
    let continued = retry_at.is_none() && continued;
    let mut events = vec![failed(c, pending, retry_at, continued)];
    match retry_at {
        Some(at) => {
            let due = Some(at).filter(|at| *at > walk.now);
            events.push(walk.ready(pending.index, step, pending.attempt + 1, due));
        }
        None if continued => walk_on(walk, open, step, c, pending, &mut events)?,
        None => walk.end(Ending::Failed, &c.code, &mut events),
    }
    Ok(events)
}

/// The step is over: on to the next. Its output is not folded yet, so the walk sees a copy of the
/// run that has it, where a step on the way could refer to it.
fn walk_on(
    walk: &Walk<'_>,
    open: &mut dyn Open,
    step: &Step,
    c: &RecordOutcome,
    pending: &Pending,
    events: &mut Vec<Event>,
) -> Result<(), Halt> {
    let run = with_output(walk.lineage.run, c, pending);
    Ok(advance(&walk.with(&run), open, step.next, events)?)
}

/// The run as it is once what the attempt gave is folded.
fn with_output(run: &Execution, c: &RecordOutcome, pending: &Pending) -> Execution {
    let mut run = run.clone();
    run.outputs.insert(pending.index, c.sealed.clone());
    if c.code.is_empty() {
        run.task_count += pending.kind.tasks();
    }
    run
}

pub(super) fn fire(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    c: &FireTimer,
) -> Result<Vec<Event>, Halt> {
    let (run, pending) = waiting(given, c.execution, c.step, c.attempt)?;
    let has_fired = pending.due != Due::At(c.due);
    #[cfg(feature = "canary")]
    let has_fired = has_fired && !crate::canary::planted(crate::canary::Canary::RepeatedTimer);
    if has_fired {
        return Err(Rejected::new("TIMER_LATE", "The timer has fired.").into());
    }
    let Some(walk) = walk(given, command, c.execution)? else {
        return Ok(orphan(given, c.execution, run)?);
    };
    match pause::halted(given, &walk, pending) {
        Some(halted) => Ok(halted.into_events()),
        None => go_on(&walk, open, pending),
    }
}

/// What the step waited for is over: it is due, or, if waiting was all of it, done.
pub(super) fn go_on(
    walk: &Walk<'_>,
    open: &mut dyn Open,
    pending: &Pending,
) -> Result<Vec<Event>, Halt> {
    let step = step_of(walk.workflow, pending)?;
    if pending.kind == StepKind::FanOut {
        return fan_out::go_on(walk, open, (step, pending));
    }
    if pending.kind != StepKind::Delay {
        return Ok(vec![walk.ready(pending.index, step, pending.attempt, None)]);
    }
    let until = pending.due.moment().unwrap_or(walk.now);
    let input = serde_json::json!({ "until": until.0 });
    let mut events = vec![walk.succeeded(pending.index, step, &input, &Value::Null, None)];
    advance(walk, open, step.next, &mut events)?;
    Ok(events)
}

pub(super) fn cancel(
    given: &Given<'_>,
    command: &Recorded<Command>,
    c: &CancelExecution,
) -> Result<Vec<Event>, Halt> {
    let run = whole(given, command, c.execution)?;
    Ok(vec![Event::ExecutionFinished(ExecutionFinished {
        execution: c.execution,
        ending: Ending::Cancelled,
        code: "CANCELLED".to_owned(),
        task_count: run.task_count,
    })])
}

/// A live run of the command's user that people may ask something of.
pub(super) fn whole<'a>(
    given: &Given<'a>,
    command: &Recorded<Command>,
    id: ExecutionId,
) -> Result<&'a Execution, Rejected> {
    let run = given.rows.execution(&RowKey::Execution(id));
    // Of another user there is no such execution.
    let key = command.meta.parsed_key();
    let is_own = |run: &&Execution| key == Some(Key::User(run.project, run.user.clone()));
    let run = run.filter(is_own).ok_or_else(finished_before)?;
    if given.rows.item_of(id).is_some() {
        let reason = "An item of a fan out is not asked by itself, but the execution it is in.";
        return Err(Rejected::new("EXECUTION_FINISHED", reason));
    }
    Ok(run)
}

/// The run ends, if it waits for that attempt: what comes next cannot be looked at.
pub(super) fn ended(
    given: &Given<'_>,
    command: &Recorded<Command>,
    (execution, step, attempt): (ExecutionId, StepId, i32),
    code: &str,
) -> Option<Vec<Event>> {
    let (run, _) = waiting(given, execution, step, attempt).ok()?;
    let Some(walk) = walk(given, command, execution).ok()? else {
        return orphan(given, execution, run).ok();
    };
    let mut events = Vec::new();
    walk.end(Ending::Failed, code, &mut events);
    Some(events)
}

pub(super) fn waiting<'a>(
    given: &Given<'a>,
    id: ExecutionId,
    step: StepId,
    attempt: i32,
) -> Result<(&'a Execution, &'a Pending), Rejected> {
    let run = given.rows.execution(&RowKey::Execution(id)).ok_or_else(finished_before)?;
    match &run.pending {
        Some(pending) if pending.step == step && pending.attempt == attempt => Ok((run, pending)),
        #[cfg(feature = "canary")]
        Some(pending) if crate::canary::planted(crate::canary::Canary::RepeatedOutcome) => {
            Ok((run, pending))
        }
        _ => Err(Rejected::new("OUTCOME_LATE", "The attempt has ended.")),
    }
}

/// The walk over a live run; `None`: it is an item of one that has ended.
pub(super) fn walk<'a>(
    given: &Given<'a>,
    command: &Recorded<Command>,
    id: ExecutionId,
) -> Result<Option<Walk<'a>>, Rejected> {
    let Some(lineage) = given.rows.lineage(id) else { return Ok(None) };
    let workflow = workflow_of(given, command, lineage.run)?;
    let (now, config, rows) = (given.now, given.config, given.rows);
    Ok(Some(Walk { lineage, workflow, now, config, rows, wakes: true }))
}

/// The end of an item of a run that has ended.
pub(super) fn orphan(
    given: &Given<'_>,
    id: ExecutionId,
    run: &Execution,
) -> Result<Vec<Event>, Rejected> {
    let of = given.rows.item_of(id).ok_or_else(finished_before)?;
    Ok(fan_out::orphaned(given.rows, id, of, run))
}

pub(super) fn finished_before() -> Rejected {
    Rejected::new("EXECUTION_FINISHED", "The execution has ended, or never was.")
}

pub(super) fn workflow_of<'a>(
    given: &Given<'a>,
    command: &Recorded<Command>,
    run: &Execution,
) -> Result<&'a Workflow, Rejected> {
    project_of(given, command)?
        .workflow(run.workflow, run.version)
        .map(|workflow| &**workflow)
        .ok_or_else(|| Rejected::new("WORKFLOW_UNKNOWN", "The version is gone."))
}

pub(super) fn step_of<'a>(workflow: &'a Workflow, pending: &Pending) -> Result<&'a Step, Rejected> {
    let step = workflow.steps.get(usize::from(pending.index));
    step.ok_or_else(|| Rejected::new("STEP_UNKNOWN", "The version has no such step."))
}

fn succeeded(c: &RecordOutcome, pending: &Pending) -> Event {
    Event::StepSucceeded(StepSucceeded {
        execution: c.execution,
        step: c.step,
        index: i32::from(pending.index),
        kind: pending.kind,
        attempt: c.attempt,
        started_at: c.started_at,
        status: c.status,
        chosen: None,
        input_size: c.input_size,
        output_size: c.output_size,
        sealed: c.sealed.clone(),
    })
}

fn failed(
    c: &RecordOutcome,
    pending: &Pending,
    retry_at: Option<Timestamp>,
    continued: bool,
) -> Event {
    Event::StepFailed(StepFailed {
        execution: c.execution,
        step: c.step,
        index: i32::from(pending.index),
        kind: pending.kind,
        attempt: c.attempt,
        started_at: c.started_at,
        code: c.code.clone(),
        status: c.status,
        retry_at,
        continued,
        input_size: c.input_size,
        output_size: c.output_size,
        sealed: c.sealed.clone(),
    })
}

/// When the step is tried again: about 10, 20, 30, 50, 80 s after each failure, up to a tenth
/// sooner or later so that many do not come back at once; never before the provider said. `number`:
/// the attempt, from 1, of the page that is asked for.
fn retry_at(
    step: &Step,
    (c, number): (&RecordOutcome, i32),
    now: Timestamp,
    command: CommandId,
) -> Option<Timestamp> {
    // A paginated request waits for its provider unasked (seeds: requests/request-pagination).
    let is_asked_to = page::pagination(step).is_some() && c.status == Some(TOO_MANY_REQUESTS);
    if !(step.auto_retry || is_asked_to) || !c.retryable {
        return None;
    }
    let base = *RETRY_AFTER_MS.get(usize::try_from(number - 1).ok()?)?;
    let spread = i64::from(command.bytes()[15]) - 128;
    let jittered = base + base * spread / 1_280;
    let asked = c.retry_after_ms.unwrap_or(0).clamp(0, RETRY_AFTER_MAX_MS);
    Some(now.plus_ms(jittered.max(asked)))
}
