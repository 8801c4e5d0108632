//! Events into executions and steps.

use super::index::{Group, Scope};
use super::tally::Tally;
use super::usage::Meter;
use super::{
    CONTENTS, ITEMS, PARENTS, RUNS, STARTS, contents_key, control, item_key, parked, replays,
    run_key, user_of,
};
use crate::runner::{Loaded, Standing};
use domain::event::{
    Ending, Event, ExecutionStarted, ItemFinished, ItemStarted, PageFetched, StepFailed, StepKept,
    StepKind, StepPaused, StepReady, StepSucceeded,
};
use domain::id::{ExecutionId, ProjectId, StepId, step_execution};
use domain::meta::Recorded;
use domain::time::Timestamp;
use domain::view::{Attempt, Execution, Run, Status, StepExecution, StepType};
use ports::{Error, Offset};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Folds a batch: each run is read once and written once.
pub(super) struct Folding<'a> {
    partition: u16,
    rows: &'a mut Loaded,
    runs: BTreeMap<ExecutionId, Known>,
    meter: Meter,
}

/// A run, and as what the index has it.
struct Known {
    project: ProjectId,
    was: Option<Group>,
    run: Run,
}

impl<'a> Folding<'a> {
    pub(super) fn new(partition: u16, rows: &'a mut Loaded) -> Self {
        Self { partition, rows, runs: BTreeMap::new(), meter: Meter::default() }
    }

    pub(super) fn fold(mut self, events: &[Standing]) -> Result<(), Error> {
        for (offset, event) in events {
            self.one(*offset, event)?;
        }
        let Self { partition, rows, runs, meter } = self;
        meter.write(partition, rows)?;
        let mut tally = Tally::default();
        for (id, Known { project, was, run }) in runs {
            rows.put(RUNS, run_key(partition, id), &run)?;
            let (execution, is) = (&run.execution, Group::of(&run.execution));
            if was == Some(is) {
                continue;
            }
            if is_item(&run) {
                continue; // It is found through the run that it is in.
            }
            if execution.is_test {
                // It can be asked for, and is in no list (seeds: building-workflows).
                let key = Scope::tests(partition, project).start_key(execution.started_at, id);
                rows.put(STARTS, key, &is)?;
                continue;
            }
            for scope in Scope::all(partition, project, &execution.user) {
                rows.put(STARTS, scope.start_key(execution.started_at, id), &is)?;
                tally.moved(&scope, execution.started_at, (was, is));
            }
        }
        // Only now it is known which counts change.
        rows.then(tally.rows(), |rows| tally.apply(rows));
        Ok(())
    }

    fn one(&mut self, offset: Offset, event: &Recorded<Event>) -> Result<(), Error> {
        replays::fold(self.partition, self.rows, event)?;
        parked::fold(self.partition, self.rows, event)?;
        self.meter.note(self.partition, self.rows, event)?;
        let Some(id) = event.body.execution() else { return Ok(()) };
        let (project, at) = (event.meta.project, event.meta.occurred_at);
        if let Event::ExecutionStarted(e) = &event.body {
            let run = started(event, e);
            self.keep(offset, id, (&run.steps[0].id, 1))?;
            self.runs.insert(id, Known { project, was: None, run });
            return Ok(());
        }
        match &event.body {
            Event::ItemStarted(e) => return self.item_started(offset, project, (e, at)),
            Event::ItemFinished(e) => return self.item_finished(project, (e, at)),
            _ => {}
        }
        let Some(run) = self.run(project, id)? else { return Ok(()) };
        match &event.body {
            Event::StepReady(e) => ready(run, e, at),
            Event::StepPaused(e) => paused(run, e, at),
            Event::StepSucceeded(e) => {
                let step = succeeded(run, e, at);
                self.keep(offset, id, (&step, e.attempt))?;
            }
            Event::PageFetched(e) => {
                let step = page_fetched(run, e, at);
                self.keep(offset, id, (&step, e.attempt))?;
            }
            Event::StepFailed(e) => {
                let step = failed(run, e, at);
                self.keep(offset, id, (&step, e.attempt))?;
            }
            Event::StepKept(e) => {
                let step = kept(run, e, at);
                self.keep(offset, id, (&step, 1))?;
            }
            Event::ExecutionFinished(e) => finished(run, (e.ending, &e.code), at),
            other => control::fold(run, other),
        }
        let run = self.runs.get_mut(&id).map(|known| &mut known.run);
        run.into_iter().for_each(control::hold);
        Ok(())
    }

    /// An item is a run with the steps of its own, begun by the fan out.
    fn item_started(
        &mut self,
        offset: Offset,
        project: ProjectId,
        (e, at): (&ItemStarted, Timestamp),
    ) -> Result<(), Error> {
        let partition = self.partition;
        let Some(parent) = self.run(project, e.parent)? else { return Ok(()) };
        let execution = Execution {
            id: e.execution,
            status: Status::Running,
            code: String::new(),
            task_count: 0,
            started_at: at,
            ended_at: None,
            original: None,
            is_paused: false,
            is_test: parent.execution.is_test,
            ..parent.execution.clone()
        };
        let item = StepExecution {
            prev: Some(step_execution(e.parent, &e.step.0)),
            ..first((e.execution, e.step), StepType::Item, e.size, at)
        };
        self.keep(offset, e.execution, (&item.id, 1))?;
        let run = Run { execution, steps: vec![item] };
        let key = item_key(partition, e.parent, e.index, e.number);
        self.rows.put(ITEMS, key, &e.execution)?;
        self.rows.put(PARENTS, run_key(partition, e.execution), &e.parent)?;
        self.runs.insert(e.execution, Known { project, was: None, run });
        Ok(())
    }

    fn item_finished(
        &mut self,
        project: ProjectId,
        (e, at): (&ItemFinished, Timestamp),
    ) -> Result<(), Error> {
        if let Some(run) = self.run(project, e.execution)? {
            finished(run, (e.ending, &e.code), at);
        }
        if let Some(parent) = self.run(project, e.parent)? {
            parent.execution.task_count += e.task_count;
        }
        Ok(())
    }

    fn run(&mut self, project: ProjectId, id: ExecutionId) -> Result<Option<&mut Run>, Error> {
        if !self.runs.contains_key(&id) {
            let row = self.rows.get::<Run>(RUNS, &run_key(self.partition, id))?;
            let Some(run) = row else { return Ok(None) };
            let was = Some(Group::of(&run.execution));
            self.runs.insert(id, Known { project, was, run });
        }
        Ok(self.runs.get_mut(&id).map(|known| &mut known.run))
    }

    /// What the attempt of a step took in and gave stays in the log; the row says where.
    fn keep(
        &mut self,
        offset: Offset,
        id: ExecutionId,
        (step, attempt): (&Uuid, i32),
    ) -> Result<(), Error> {
        self.rows.put(CONTENTS, contents_key(self.partition, id, step, attempt), &offset)
    }
}

fn started(event: &Recorded<Event>, e: &ExecutionStarted) -> Run {
    let at = event.meta.occurred_at;
    let execution = Execution {
        id: e.execution,
        user: user_of(event),
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
        original: None,
        is_paused: false,
        is_test: false,
    };
    let place = (e.execution, StepId(e.workflow.0));
    Run { execution, steps: vec![first(place, StepType::Trigger(e.trigger), e.size, at)] }
}

/// What counts as the first step of a run: what it was begun with.
fn first(
    (execution, step): (ExecutionId, StepId),
    kind: StepType,
    size: i32,
    at: Timestamp,
) -> StepExecution {
    StepExecution {
        id: step_execution(execution, &step.0),
        step,
        status: Status::Succeeded,
        kind,
        is_kept: false,
        attempts: vec![Attempt {
            status: Status::Succeeded,
            ended_at: Some(at),
            output_size: i64::from(size),
            ..waiting(at)
        }],
        started_at: at,
        ended_at: Some(at),
        next: Vec::new(),
        prev: None,
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
        is_kept: false,
        attempts: Vec::new(),
        started_at: at,
        ended_at: None,
        next: Vec::new(),
        prev,
    });
    let last = run.steps.len() - 1;
    &mut run.steps[last]
}

/// An attempt that waits for its turn.
fn waiting(at: Timestamp) -> Attempt {
    Attempt {
        status: Status::Queued,
        code: String::new(),
        started_at: at,
        ended_at: None,
        retry_at: None,
        input_size: 0,
        output_size: 0,
    }
}

/// An attempt of a step, by its number; it begins with the first thing heard of it.
fn attempt_of(step: &mut StepExecution, number: i32, at: Timestamp) -> &mut Attempt {
    let index = usize::try_from(number - 1).unwrap_or_default();
    if index >= step.attempts.len() {
        step.attempts.resize(index + 1, waiting(at));
    }
    &mut step.attempts[index]
}

fn ready(run: &mut Run, e: &StepReady, at: Timestamp) {
    let step = step_of(run, (e.execution, e.step), e.kind, at);
    if e.due.is_none() {
        attempt_of(step, e.attempt, at);
    }
    // A step between two attempts shows as running (seeds: auto-retries); a delay waits.
    let waits = e.due.is_some() && e.kind == StepKind::Delay;
    step.status = if waits {
        Status::Waiting
    } else if e.attempt > 1 || e.kind == StepKind::FanOut {
        Status::Running
    } else {
        Status::Queued
    };
    run.execution.status = if waits { Status::Waiting } else { Status::Running };
}

fn paused(run: &mut Run, e: &StepPaused, at: Timestamp) {
    step_of(run, (e.execution, e.step), e.kind, at).status = Status::Paused;
    run.execution.status = Status::Paused;
}

fn succeeded(run: &mut Run, e: &StepSucceeded, at: Timestamp) -> Uuid {
    let step = step_of(run, (e.execution, e.step), e.kind, at);
    step.status = Status::Succeeded;
    step.ended_at = Some(at);
    began(step, (e.kind, e.attempt), e.started_at, at).gave(at, (e.input_size, e.output_size));
    let id = step.id;
    run.execution.status = Status::Running;
    run.execution.task_count += e.kind.tasks();
    id
}

/// The step was not performed: it gave what it gave in another run.
fn kept(run: &mut Run, e: &StepKept, at: Timestamp) -> Uuid {
    let step = step_of(run, (e.execution, e.step), e.kind, at);
    step.status = Status::Succeeded;
    step.is_kept = true;
    step.ended_at = Some(at);
    began(step, (e.kind, 1), at, at).gave(at, (e.input_size, e.output_size));
    step.id
}

/// A page counts as an attempt of its own; the step goes on.
fn page_fetched(run: &mut Run, e: &PageFetched, at: Timestamp) -> Uuid {
    let step = step_of(run, (e.execution, e.step), e.kind, at);
    step.status = Status::Running;
    began(step, (e.kind, e.attempt), e.started_at, at).gave(at, (e.input_size, e.output_size));
    let id = step.id;
    run.execution.task_count += e.kind.tasks();
    id
}

fn failed(run: &mut Run, e: &StepFailed, at: Timestamp) -> Uuid {
    let step = step_of(run, (e.execution, e.step), e.kind, at);
    if e.retry_at.is_none() {
        step.status = Status::Errored;
        step.ended_at = Some(at);
    }
    let attempt = began(step, (e.kind, e.attempt), e.started_at, at);
    attempt.status = Status::Errored;
    attempt.code = e.code.clone();
    attempt.ended_at = Some(at);
    attempt.retry_at = e.retry_at;
    attempt.input_size = i64::from(e.input_size);
    attempt.output_size = i64::from(e.output_size);
    step.id
}

/// The attempt, begun then: after it came up and before it ended, whatever the worker's clock said.
fn began(
    step: &mut StepExecution,
    (kind, number): (StepKind, i32),
    begun: Timestamp,
    at: Timestamp,
) -> &mut Attempt {
    let ready = attempt_of(step, number, at).started_at;
    let begun = match kind {
        // It began with the pause; its event knows only the end.
        StepKind::Delay => step.started_at,
        _ => begun.max(ready).min(at),
    };
    if number == 1 {
        step.started_at = begun;
    }
    let attempt = attempt_of(step, number, at);
    attempt.started_at = begun;
    attempt
}

/// Whether a run is an item of a fan out.
fn is_item(run: &Run) -> bool {
    run.steps.first().is_some_and(|first| first.kind == StepType::Item)
}

fn finished(run: &mut Run, (ending, code): (Ending, &str), at: Timestamp) {
    run.execution.status = Status::ended(ending);
    code.clone_into(&mut run.execution.code);
    run.execution.ended_at = Some(at);
    for step in &mut run.steps {
        if step.ended_at.is_none() {
            step.status = run.execution.status;
            step.ended_at = Some(at);
        }
        for attempt in step.attempts.iter_mut().filter(|attempt| attempt.ended_at.is_none()) {
            attempt.status = run.execution.status;
            attempt.ended_at = Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::event::TriggerKind;
    use domain::id::{CredentialId, IntegrationId, WorkflowId};
    use domain::payload::Payload;

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn run() -> Run {
        let execution = Execution {
            id: ExecutionId(id(1)),
            user: "anna".into(),
            workflow: WorkflowId(id(2)),
            version: 1,
            integration: IntegrationId(id(3)),
            credential: CredentialId(id(4)),
            trigger: TriggerKind::AppEvent,
            trigger_detail: "Order Placed".into(),
            status: Status::Running,
            code: String::new(),
            task_count: 0,
            started_at: Timestamp(0),
            ended_at: None,
            original: None,
            is_paused: false,
            is_test: false,
        };
        Run { execution, steps: Vec::new() }
    }

    fn step_ready(attempt: i32, kind: StepKind, due: Option<i64>) -> StepReady {
        let (execution, step) = (ExecutionId(id(1)), StepId(id(5)));
        StepReady { execution, step, index: 0, kind, attempt, due: due.map(Timestamp) }
    }

    fn step_failed(attempt: i32, started_at: i64, retry_at: Option<i64>) -> StepFailed {
        StepFailed {
            execution: ExecutionId(id(1)),
            step: StepId(id(5)),
            index: 0,
            kind: StepKind::Request,
            attempt,
            started_at: Timestamp(started_at),
            code: "REQUEST_FAILED".into(),
            status: Some(500),
            retry_at: retry_at.map(Timestamp),
            continued: false,
            input_size: 1,
            output_size: attempt,
            sealed: Payload::empty(),
        }
    }

    fn times(step: &StepExecution) -> Vec<(i64, Option<i64>, Status)> {
        let of = |a: &Attempt| (a.started_at.0, a.ended_at.map(|at| at.0), a.status);
        step.attempts.iter().map(of).collect()
    }

    #[test]
    fn every_attempt_keeps_its_times_and_its_error() {
        let mut run = run();
        ready(&mut run, &step_ready(1, StepKind::Request, None), Timestamp(10));
        assert_eq!(times(&run.steps[0]), [(10, None, Status::Queued)]);
        failed(&mut run, &step_failed(1, 12, Some(40)), Timestamp(20));
        // Between two attempts there is none.
        ready(&mut run, &step_ready(2, StepKind::Request, Some(40)), Timestamp(20));
        assert_eq!(times(&run.steps[0]), [(12, Some(20), Status::Errored)]);
        assert_eq!((run.steps[0].status, run.steps[0].ended_at), (Status::Running, None));
        ready(&mut run, &step_ready(2, StepKind::Request, None), Timestamp(41));
        // A worker whose clock is ahead does not begin after its end.
        failed(&mut run, &step_failed(2, 99, None), Timestamp(50));
        let step = &run.steps[0];
        assert_eq!(times(step), [(12, Some(20), Status::Errored), (50, Some(50), Status::Errored)]);
        assert_eq!(
            (step.attempts[0].retry_at, step.attempts[1].retry_at),
            (Some(Timestamp(40)), None)
        );
        assert_eq!((step.attempts[0].output_size, step.attempts[1].output_size), (1, 2));
        assert_eq!((step.started_at, step.ended_at), (Timestamp(12), Some(Timestamp(50))));
    }

    #[test]
    fn a_cancel_ends_the_attempt_that_is_open() {
        let mut run = run();
        ready(&mut run, &step_ready(1, StepKind::Request, None), Timestamp(10));
        finished(&mut run, (Ending::Cancelled, "CANCELLED"), Timestamp(30));
        assert_eq!(times(&run.steps[0]), [(10, Some(30), Status::Cancelled)]);
        assert_eq!(run.steps[0].status, Status::Cancelled);
    }
}
