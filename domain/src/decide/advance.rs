//! The walk from step to step.
//!
//! Steps without an outside effect are done on the way, in the same decision; the walk stops at
//! the first step that needs the world or time, or at the end.

use super::{DECISION_EVENTS_MAX, Missing, Open, fan_out};
use crate::config::Config;
use crate::event::{
    Ending, Event, ExecutionFinished, Responded, StepFailed, StepReady, StepSucceeded,
};
use crate::exchange;
use crate::payload::Payload;
use crate::state::{Execution, Lineage, Rows};
use crate::time::Timestamp;
use crate::workflow::reference::{Needs, needs};
use crate::workflow::{
    Action, Conditional, Response, Scope, Step, Workflow, condition, delay, respond,
};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A walk over one run.
pub(super) struct Walk<'a> {
    pub(super) lineage: Lineage<'a>,
    pub(super) workflow: &'a Workflow,
    pub(super) now: Timestamp,
    pub(super) rows: &'a Rows,
    /// Whether the run that it is an item of hears of its end.
    pub(super) wakes: bool,
    pub(super) config: &'a Config,
}

/// Walks on from `next` and appends what happens.
pub(super) fn advance(
    walk: &Walk<'_>,
    open: &mut dyn Open,
    next: Option<u16>,
    events: &mut Vec<Event>,
) -> Result<(), Missing> {
    let mut at = next;
    // Outputs of the steps done on the way: they are not folded yet.
    let mut fresh: BTreeMap<u16, Value> = BTreeMap::new();
    while let Some(index) = at.filter(|index| walk.goes_to(*index)) {
        let Some(step) = walk.workflow.steps.get(usize::from(index)) else {
            walk.end(Ending::Failed, "STEP_UNKNOWN", events);
            return Ok(());
        };
        if events.len() >= DECISION_EVENTS_MAX {
            walk.end(Ending::Failed, "DECISION_TOO_LARGE", events);
            return Ok(());
        }
        if step.action.is_outbound() {
            events.push(walk.ready(index, step, 1, None));
            return Ok(());
        }
        let scope = scope(walk, open, step, &fresh)?;
        let done = match &step.action {
            Action::Delay(pause) => match delay::due(pause, &scope, walk.now) {
                Ok(due) => {
                    events.push(walk.ready(index, step, 1, Some(due)));
                    return Ok(());
                }
                Err(error) => Err(Fault::of(error.code(), &error)),
            },
            Action::Conditional(choice) => walk.choose(index, step, choice, &scope, events),
            Action::Response(response) => walk
                .respond(index, step, response, &scope, events)
                .map(|()| Done { output: Value::Null, next: step.next }),
            Action::FanOut(action) => {
                match fan_out::begin(walk, (index, step), action, &scope, events) {
                    Ok(true) => return Ok(()),
                    Ok(false) => Ok(Done { output: Value::Null, next: step.next }),
                    Err(fault) => Err(fault),
                }
            }
            Action::Request(_) | Action::IntegrationRequest(_) | Action::Function(_) => {
                return Ok(());
            }
        };
        match done {
            Ok(done) => {
                fresh.insert(index, done.output);
                at = done.next;
            }
            Err(fault) => {
                let output = json!({ "error": { "code": fault.code, "message": fault.message } });
                events.push(walk.broken(index, step, &fault, &output));
                if !step.continue_on_error {
                    walk.end(Ending::Failed, fault.code, events);
                    return Ok(());
                }
                fresh.insert(index, output);
                at = step.next;
            }
        }
    }
    walk.end(Ending::Succeeded, "", events);
    Ok(())
}

/// A step done on the way.
struct Done {
    output: Value,
    next: Option<u16>,
}

/// Why a step could not be done.
pub(super) struct Fault {
    code: &'static str,
    message: String,
}

impl Fault {
    pub(super) fn of(code: &'static str, error: &dyn std::error::Error) -> Self {
        Self { code, message: error.to_string() }
    }
}

fn scope(
    walk: &Walk<'_>,
    open: &mut dyn Open,
    step: &Step,
    fresh: &BTreeMap<u16, Value>,
) -> Result<Scope, Missing> {
    let mut wanted: Needs = needs(step, &walk.workflow.names());
    wanted.outputs.retain(|index| !fresh.contains_key(index));
    let mut scope = open.scope(&walk.lineage, &wanted)?;
    for (index, output) in fresh {
        scope.outputs.insert(*index, output.clone());
    }
    Ok(scope)
}

impl<'a> Walk<'a> {
    /// The same walk over the run as it will be when what was decided is folded.
    pub(super) fn with<'b>(&self, run: &'b Execution) -> Walk<'b>
    where
        'a: 'b,
    {
        Walk { lineage: Lineage { run, ..self.lineage.clone() }, ..*self }
    }

    /// Whether the run goes on to a step: a test of one step ends behind it.
    fn goes_to(&self, index: u16) -> bool {
        let only = self.lineage.nest.and_then(|nest| nest.test).and_then(|test| test.only);
        only.is_none_or(|only| only == index)
    }

    pub(super) fn ready(
        &self,
        index: u16,
        step: &Step,
        attempt: i32,
        due: Option<Timestamp>,
    ) -> Event {
        Event::StepReady(StepReady {
            execution: self.lineage.id,
            step: step.id,
            index: i32::from(index),
            kind: step.action.kind(),
            attempt,
            due,
        })
    }

    /// The run ends.
    pub(super) fn end(&self, ending: Ending, code: &str, events: &mut Vec<Event>) {
        if let Some(of) = self.lineage.nest.and_then(|nest| nest.of) {
            return fan_out::item_ended(self, of, (ending, code), events);
        }
        events.push(Event::ExecutionFinished(ExecutionFinished {
            execution: self.lineage.id,
            ending,
            code: code.to_owned(),
            task_count: self.lineage.run.task_count,
        }));
    }

    pub(super) fn succeeded(
        &self,
        index: u16,
        step: &Step,
        input: &Value,
        output: &Value,
        chosen: Option<bool>,
    ) -> Event {
        let (sealed, input_size, output_size) = packed(input, output);
        Event::StepSucceeded(StepSucceeded {
            execution: self.lineage.id,
            step: step.id,
            index: i32::from(index),
            kind: step.action.kind(),
            attempt: 1,
            started_at: self.now,
            status: None,
            chosen,
            input_size,
            output_size,
            sealed,
        })
    }

    fn broken(&self, index: u16, step: &Step, fault: &Fault, output: &Value) -> Event {
        let (sealed, input_size, output_size) = packed(&Value::Null, output);
        Event::StepFailed(StepFailed {
            execution: self.lineage.id,
            step: step.id,
            index: i32::from(index),
            kind: step.action.kind(),
            attempt: 1,
            started_at: self.now,
            code: fault.code.to_owned(),
            status: None,
            retry_at: None,
            continued: step.continue_on_error,
            input_size,
            output_size,
            sealed,
        })
    }

    fn choose(
        &self,
        index: u16,
        step: &Step,
        choice: &Conditional,
        scope: &Scope,
        events: &mut Vec<Event>,
    ) -> Result<Done, Fault> {
        let holds = condition::evaluate(&choice.when, scope);
        let holds = holds.map_err(|error| Fault::of(error.code(), &error))?;
        let output = json!({ "selectedChoice": if holds { "Yes" } else { "No" } });
        let input = serde_json::to_value(&choice.when).unwrap_or(Value::Null);
        events.push(self.succeeded(index, step, &input, &output, Some(holds)));
        let branch = if holds { choice.yes } else { choice.no };
        Ok(Done { output, next: branch.or(step.next) })
    }

    /// Largest input or output of a step, in bytes.
    pub(super) fn step_bytes_max(&self) -> usize {
        let project = self.config.project(self.lineage.run.project);
        let bytes_max = project.map_or(0, |project| project.settings.step_bytes_max);
        usize::try_from(bytes_max).unwrap_or(usize::MAX)
    }

    fn respond(
        &self,
        index: u16,
        step: &Step,
        response: &Response,
        scope: &Scope,
        events: &mut Vec<Event>,
    ) -> Result<(), Fault> {
        let rendered = respond::render(response, scope, self.step_bytes_max())
            .map_err(|error| Fault::of(error.code(), &error))?;
        let input = json!({
            "statusCode": rendered.status,
            "contentType": rendered.content_type,
            "size": rendered.body.len(),
        });
        events.push(self.succeeded(index, step, &input, &Value::Null, None));
        if self.lineage.run.wants_response {
            events.push(Event::Responded(Responded {
                execution: self.lineage.id,
                status: i32::from(rendered.status),
                content_type: rendered.content_type,
                sealed: Payload::Open(Bytes::from(rendered.body)),
            }));
        }
        Ok(())
    }
}

pub(super) fn packed(input: &Value, output: &Value) -> (Payload, i32, i32) {
    // The input of a step done on the way is far below the 4 GiB that cannot be packed.
    let bytes = exchange::pack(input, output).unwrap_or_default();
    let (input_size, output_size) = exchange::sizes(&bytes);
    (Payload::Open(Bytes::from(bytes)), input_size, output_size)
}
