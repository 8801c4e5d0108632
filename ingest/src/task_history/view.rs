//! Executions and steps, in the words of the Task History API.

use crate::time::iso;
use domain::time::Timestamp;
use domain::view::{Execution, Run, StepExecution};
use serde_json::{Value, json};

/// One execution. While it is not over, its duration is what has passed.
pub(super) fn execution(row: &Execution, now: Timestamp) -> Value {
    json!({
        "id": row.id,
        "userId": row.user,
        "taskCount": row.task_count,
        "runDuration": row.ended_at.unwrap_or(now).since_ms(row.started_at),
        "workflowId": row.workflow,
        "status": row.status.public(),
        "dateEnded": row.ended_at.map(iso),
        "dateStarted": iso(row.started_at),
    })
}

/// One execution with its steps.
pub(super) fn run(run: &Run, now: Timestamp) -> Value {
    let mut view = execution(&run.execution, now);
    let steps = run.steps.iter().map(|step| step_execution(run, step));
    if let Some(fields) = view.as_object_mut() {
        fields.insert("stepExecutions".into(), Value::Array(steps.collect()));
    }
    view
}

fn step_execution(run: &Run, step: &StepExecution) -> Value {
    json!({
        "id": step.id,
        "stepId": step.step,
        "workflowExecutionId": run.execution.id,
        "status": step.status.public(),
        "type": step.kind.public(),
        "start": iso(step.started_at),
        "end": step.ended_at.map(iso),
        "next": step.next,
        "prev": step.prev,
        "inputSize": step.input_size.to_string(),
        "outputSize": step.output_size.to_string(),
    })
}

/// What was sealed as JSON; nothing at all is an empty object.
pub(super) fn contents(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return json!({});
    }
    serde_json::from_slice(bytes).unwrap_or(Value::Null)
}
