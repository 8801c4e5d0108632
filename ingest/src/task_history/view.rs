//! Executions and steps, in the words of the Task History API.

use crate::time::iso;
use domain::time::Timestamp;
use domain::view::{Attempt, Execution, Run, StepExecution, StepType};
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
        "workflowVersion": row.version,
        "credentialId": row.credential,
        "triggerType": StepType::Trigger(row.trigger).public(),
        "triggerDetail": row.trigger_detail,
        "errorCode": code(&row.code),
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
    let last = step.attempts.last();
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
        "inputSize": last.map_or(0, |last| last.input_size).to_string(),
        "outputSize": last.map_or(0, |last| last.output_size).to_string(),
        "errorCode": last.and_then(|last| code(&last.code)),
        "attemptCount": step.attempts.len(),
        "attempts": attempts(step),
    })
}

/// The attempts of a step, the first one first.
pub(super) fn attempts(step: &StepExecution) -> Vec<Value> {
    step.attempts.iter().map(attempt).collect()
}

fn attempt(attempt: &Attempt) -> Value {
    json!({
        "status": attempt.status.public(),
        "start": iso(attempt.started_at),
        "end": attempt.ended_at.map(iso),
        "errorCode": code(&attempt.code),
        "retryAt": attempt.retry_at.map(iso),
        "inputSize": attempt.input_size.to_string(),
        "outputSize": attempt.output_size.to_string(),
    })
}

fn code(code: &str) -> Option<&str> {
    (!code.is_empty()).then_some(code)
}

/// What was sealed as JSON; nothing at all is an empty object.
pub(super) fn contents(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return json!({});
    }
    serde_json::from_slice(bytes).unwrap_or(Value::Null)
}
