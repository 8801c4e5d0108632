//! Events into executions and steps.

use super::{CONTENTS, RUNS, STARTS, Start, contents_key, run_key, start_key};
use crate::runner::{Loaded, Standing};
use domain::event::{
    Ending, Event, ExecutionFinished, ExecutionStarted, StepFailed, StepKind, StepReady,
    StepSucceeded,
};
use domain::id::{ExecutionId, ProjectId, StepId, step_execution};
use domain::meta::Recorded;
use domain::time::Timestamp;
use domain::view::{Execution, Run, Status, StepExecution, StepType};
use ports::{Error, Offset};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Folds a batch: each run is read once and written once.
pub(super) struct Folding<'a> {
    partition: u16,
    rows: &'a mut Loaded,
    runs: BTreeMap<ExecutionId, (ProjectId, Run)>,
}

impl<'a> Folding<'a> {
    pub(super) fn new(partition: u16, rows: &'a mut Loaded) -> Self {
        Self { partition, rows, runs: BTreeMap::new() }
    }

    pub(super) fn fold(mut self, events: &[Standing]) -> Result<(), Error> {
        for (offset, event) in events {
            self.one(*offset, event)?;
        }
        for (id, (project, run)) in &self.runs {
            let key = start_key(self.partition, *project, run.execution.started_at, *id);
            self.rows.put(STARTS, key, &start_of(&run.execution))?;
            self.rows.put(RUNS, run_key(self.partition, *id), run)?;
        }
        Ok(())
    }

    fn one(&mut self, offset: Offset, event: &Recorded<Event>) -> Result<(), Error> {
        let Some(id) = event.body.execution() else { return Ok(()) };
        let (project, at) = (event.meta.project, event.meta.occurred_at);
        if let Event::ExecutionStarted(e) = &event.body {
            let run = started(event, e);
            self.keep(offset, id, &run.steps[0].id)?;
            self.runs.insert(id, (project, run));
            return Ok(());
        }
        let Some(run) = self.run(project, id)? else { return Ok(()) };
        match &event.body {
            Event::StepReady(e) => ready(run, e, at),
            Event::StepSucceeded(e) => {
                let step = succeeded(run, e, at);
                self.keep(offset, id, &step)?;
            }
            Event::StepFailed(e) => {
                let step = failed(run, e, at);
                self.keep(offset, id, &step)?;
            }
            Event::ExecutionFinished(e) => finished(run, e, at),
            _ => {}
        }
        Ok(())
    }

    fn run(&mut self, project: ProjectId, id: ExecutionId) -> Result<Option<&mut Run>, Error> {
        if !self.runs.contains_key(&id) {
            let row = self.rows.get::<Run>(RUNS, &run_key(self.partition, id))?;
            let Some(run) = row else { return Ok(None) };
            self.runs.insert(id, (project, run));
        }
        Ok(self.runs.get_mut(&id).map(|(_, run)| run))
    }

    /// What the step took in and gave stays in the log; the row says where.
    fn keep(&mut self, offset: Offset, id: ExecutionId, step: &Uuid) -> Result<(), Error> {
        self.rows.put(CONTENTS, contents_key(self.partition, id, step), &offset)
    }
}

fn started(event: &Recorded<Event>, e: &ExecutionStarted) -> Run {
    let at = event.meta.occurred_at;
    let user = event.meta.parsed_key().and_then(|key| key.user().map(str::to_owned));
    let execution = Execution {
        id: e.execution,
        user: user.unwrap_or_default(),
        workflow: e.workflow,
        version: e.version,
        integration: e.integration,
        credential: e.credential,
        trigger: e.trigger,
        trigger_detail: e.trigger_detail.clone(),
        status: Status::Running,
        code: String::new(),
        task_count: 0,
        started_at: at,
        ended_at: None,
    };
    let trigger = StepExecution {
        id: step_execution(e.execution, &e.workflow.0),
        step: StepId(e.workflow.0),
        status: Status::Succeeded,
        kind: StepType::Trigger(e.trigger),
        attempt: 1,
        started_at: at,
        ended_at: Some(at),
        next: Vec::new(),
        prev: None,
        input_size: 0,
        output_size: i64::from(e.size),
    };
    Run { execution, steps: vec![trigger] }
}

fn start_of(execution: &Execution) -> Start {
    Start {
        user: execution.user.clone(),
        workflow: execution.workflow,
        integration: execution.integration,
        status: execution.status,
    }
}

/// The row of a step; it begins with the first thing heard of it.
fn step_of(
    run: &mut Run,
    (execution, step): (ExecutionId, StepId),
    kind: StepKind,
    at: Timestamp,
) -> &mut StepExecution {
    let id = step_execution(execution, &step.0);
    if let Some(found) = run.steps.iter().position(|known| known.id == id) {
        return &mut run.steps[found];
    }
    let prev = run.steps.last_mut().map(|prev| {
        prev.next.push(id);
        prev.id
    });
    run.steps.push(StepExecution {
        id,
        step,
        status: Status::Queued,
        kind: StepType::Step(kind),
        attempt: 1,
        started_at: at,
        ended_at: None,
        next: Vec::new(),
        prev,
        input_size: 0,
        output_size: 0,
    });
    let last = run.steps.len() - 1;
    &mut run.steps[last]
}

fn ready(run: &mut Run, e: &StepReady, at: Timestamp) {
    let step = step_of(run, (e.execution, e.step), e.kind, at);
    step.attempt = e.attempt;
    // A step between two attempts shows as running (seeds: auto-retries); a delay waits.
    let waits = e.due.is_some() && e.kind == StepKind::Delay;
    step.status = if waits {
        Status::Waiting
    } else if e.attempt > 1 {
        Status::Running
    } else {
        Status::Queued
    };
    run.execution.status = if waits { Status::Waiting } else { Status::Running };
}

fn succeeded(run: &mut Run, e: &StepSucceeded, at: Timestamp) -> Uuid {
    let step = step_of(run, (e.execution, e.step), e.kind, at);
    step.status = Status::Succeeded;
    if e.attempt == 1 {
        step.started_at = e.started_at.max(step.started_at);
    }
    step.attempt = e.attempt;
    step.ended_at = Some(at);
    step.input_size = i64::from(e.input_size);
    step.output_size = i64::from(e.output_size);
    let id = step.id;
    run.execution.status = Status::Running;
    run.execution.task_count += e.kind.tasks();
    id
}

fn failed(run: &mut Run, e: &StepFailed, at: Timestamp) -> Uuid {
    let step = step_of(run, (e.execution, e.step), e.kind, at);
    if e.attempt == 1 {
        step.started_at = e.started_at.max(step.started_at);
    }
    step.attempt = e.attempt;
    step.input_size = i64::from(e.input_size);
    step.output_size = i64::from(e.output_size);
    if e.retry_at.is_none() {
        step.status = Status::Errored;
        step.ended_at = Some(at);
    }
    step.id
}

fn finished(run: &mut Run, e: &ExecutionFinished, at: Timestamp) {
    run.execution.status = match e.ending {
        Ending::Succeeded => Status::Succeeded,
        Ending::Failed => Status::Errored,
        Ending::Cancelled => Status::Cancelled,
    };
    run.execution.code = e.code.clone();
    run.execution.ended_at = Some(at);
    for step in &mut run.steps {
        if step.ended_at.is_none() {
            step.status = run.execution.status;
            step.ended_at = Some(at);
        }
    }
}
