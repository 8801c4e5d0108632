//! Executions, run again.

use super::super::advance::{Walk, advance};
use super::super::run::{Start, begun, ready_account};
use super::super::{Given, Halt, Open, Rejected, project_of, user_key};
use super::{known, room};
use crate::command::{Command, KeptStep, ReplayExecution, ReplayExecutions};
use crate::config::Project;
use crate::event::{Event, ExecutionReplayed, ExecutionsReplayRequested, StepKept};
use crate::id::{ExecutionId, StepId};
use crate::meta::Recorded;
use crate::state::{Execution, Lineage, REPLAYED_PER_SECOND_MAX};
use crate::workflow::Workflow;
use std::sync::Arc;

/// It starts under the conditions of every start: the workflow is deployed and switched on for the
/// account, the user not disabled. Results that are kept are not metered again.
pub(in crate::decide) fn one(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    c: &ReplayExecution,
) -> Result<Vec<Event>, Halt> {
    let (key, _) = user_key(command)?;
    let project = project_of(given, command)?;
    let (version, workflow) = version_of(project, c)?;
    let credential = ready_account(given, open, (&key, project), workflow, Some(c.credential))?;
    let first = match c.from {
        None => (!workflow.steps.is_empty()).then_some(0),
        Some(step) => Some(place(workflow, step)?),
    };
    let start = Start {
        workflow,
        version,
        credential,
        trigger: c.trigger,
        detail: &c.trigger_detail,
        // Who called the original got its answer.
        wants_response: false,
        size: c.size,
        sealed: &c.sealed,
    };
    let id = ExecutionId::derived(command.meta.command_id, &key, 0);
    let (started, mut run) = begun(given, command, id, &start, c.sealed.clone())?;
    let mut events = vec![
        Event::ExecutionStarted(started),
        Event::ExecutionReplayed(ExecutionReplayed {
            execution: id,
            original: c.original,
            from: c.from,
            edited: c.edited,
            replay: c.replay,
        }),
    ];
    events.extend(kept(workflow, id, &c.kept, &mut run));
    let lineage = Lineage { id, run: &run, nest: None, within: Vec::new() };
    let (now, config, rows) = (given.now, given.config, given.rows);
    let walk = Walk { lineage, workflow, now, config, rows, wakes: true };
    advance(&walk, open, first, &mut events)?;
    Ok(events)
}

/// The version that runs, and its number: of a workflow that is deployed.
fn version_of<'a>(
    project: &'a Project,
    c: &ReplayExecution,
) -> Result<(i32, &'a Arc<Workflow>), Rejected> {
    let Some(released) = project.released(c.workflow) else {
        let reason = format!("No deployed workflow {}.", c.workflow);
        return Err(Rejected::new("WORKFLOW_UNKNOWN", reason));
    };
    let Some(version) = c.version else { return Ok(released) };
    let found = project.workflow(c.workflow, version).map(|workflow| (version, workflow));
    found.ok_or_else(|| {
        let reason = format!("The workflow has no version {version}.");
        Rejected::new("VERSION_UNKNOWN", reason)
    })
}

/// The place of a step that a run may begin with.
pub(in crate::decide) fn place(workflow: &Workflow, step: StepId) -> Result<u16, Rejected> {
    let Some(index) = workflow.index_of(step) else {
        return Err(Rejected::new("REPLAY_STEP_UNKNOWN", "The version has no such step."));
    };
    if !workflow.fan_outs_around(index).is_empty() {
        let reason = "The step is within a fan out. Begin with the fan out, or before it.";
        return Err(Rejected::new("REPLAY_STEP_UNFIT", reason));
    }
    Ok(index)
}

/// What other steps gave, as far as the version has them.
pub(in crate::decide) fn kept(
    workflow: &Workflow,
    execution: ExecutionId,
    steps: &[KeptStep],
    run: &mut Execution,
) -> Vec<Event> {
    let known = steps.iter().filter_map(|kept| Some((index_of(workflow, kept)?, kept)));
    let events = known.map(|(index, kept)| {
        run.outputs.insert(index, kept.sealed.clone());
        Event::StepKept(StepKept {
            execution,
            step: kept.step,
            index: i32::from(index),
            kind: kept.kind,
            input_size: kept.input_size,
            output_size: kept.output_size,
            sealed: kept.sealed.clone(),
        })
    });
    events.collect()
}

/// Where the version has the step, if it is still one of that kind.
fn index_of(workflow: &Workflow, kept: &KeptStep) -> Option<u16> {
    let index = workflow.index_of(kept.step)?;
    let step = workflow.steps.get(usize::from(index))?;
    (step.action.kind() == kept.kind).then_some(index)
}

pub(in crate::decide) fn many(
    given: &Given<'_>,
    command: &Recorded<Command>,
    c: &ReplayExecutions,
) -> Result<Vec<Event>, Halt> {
    known(given, command, c.integration)?;
    room(given, command, c.integration)?;
    Ok(vec![Event::ExecutionsReplayRequested(ExecutionsReplayRequested {
        replay: c.replay,
        integration: c.integration,
        workflow: c.workflow,
        user: c.user.clone(),
        ending: c.ending,
        code: c.code.clone(),
        after: c.after,
        // What began before was decided before, also in this millisecond.
        before: c.before.min(given.now.plus_ms(1)),
        current: c.current,
        from_failed: c.from_failed,
        per_second: c.per_second.clamp(1, REPLAYED_PER_SECOND_MAX),
        partitions: c.partitions.max(1),
    })])
}
