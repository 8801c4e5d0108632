//! Executions and steps, in the words of the Task History API.

use crate::time::Iso;
use domain::id::{CommandId, CredentialId, ExecutionId, StepId, WorkflowId};
use domain::time::Timestamp;
use domain::view::{self, StepType};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeSet;
use uuid::Uuid;

/// A page of executions.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Executions {
    pub(super) workflow_executions: Vec<Execution>,
    /// Where the next page is, if there is one.
    pub(super) next_link: Option<String>,
    /// How many there are, over all pages.
    pub(super) total: u64,
}

/// One execution.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Execution {
    id: ExecutionId,
    user_id: String,
    /// Metered tasks.
    task_count: i32,
    /// Milliseconds; while it is not over, what has passed.
    run_duration: i64,
    workflow_id: WorkflowId,
    status: Status,
    date_ended: Option<Iso>,
    date_started: Iso,
    workflow_version: i32,
    credential_id: CredentialId,
    trigger_type: &'static str,
    /// The name of the app event or webhook.
    trigger_detail: String,
    /// Why it failed, if it did.
    error_code: Option<String>,
    /// Whether somebody paused it.
    is_paused: bool,
    /// Whether it only tries a workflow out; then it is in no list.
    is_test: bool,
    /// What it repeats, if it does.
    replay_of: Option<Original>,
}

/// The execution that another one repeats.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Original {
    execution_id: ExecutionId,
    /// The step that it was repeated from, if not the first.
    from_step_id: Option<StepId>,
    /// Whether the input was another one.
    is_edited: bool,
    /// The replay of many that it was part of.
    replay_id: Option<CommandId>,
}

/// One execution with its steps.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Run {
    #[serde(flatten)]
    execution: Execution,
    /// In the order in which they began; the trigger is the first. Behind them the steps of a fan
    /// out's first items, item after item.
    step_executions: Vec<StepExecution>,
}

/// One step of an execution, over all its attempts.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct StepExecution {
    id: Uuid,
    step_id: StepId,
    /// The execution; for the steps of an item, the run of that item, which can be asked for as an
    /// execution can.
    workflow_execution_id: ExecutionId,
    status: Status,
    r#type: &'static str,
    start: Iso,
    end: Option<Iso>,
    /// The step executions after it.
    next: Vec<Uuid>,
    /// The step execution before it.
    prev: Option<Uuid>,
    input_size: Size,
    output_size: Size,
    /// Why the last attempt failed, if it did.
    error_code: Option<String>,
    attempt_count: usize,
    /// Whether it was not performed: what it gave in the execution that is repeated counts.
    is_kept: bool,
    /// The first one first.
    attempts: Vec<Attempt>,
}

/// One attempt of a step.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attempt {
    status: Status,
    start: Iso,
    end: Option<Iso>,
    /// Why it failed, if it did.
    error_code: Option<String>,
    /// When the next attempt is due, if there is one.
    retry_at: Option<Iso>,
    input_size: Size,
    output_size: Size,
}

/// What an attempt of a step took in and gave.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StepContents {
    /// Whether the input is too large to be shown.
    pub(super) is_large_input: bool,
    /// Whether the output is too large to be shown.
    pub(super) is_large_output: bool,
    pub(super) input: Value,
    pub(super) output: Value,
    /// Which attempt it is, from 1.
    pub(super) attempt: usize,
    pub(super) attempts: Vec<Attempt>,
}

/// How far something has come, in the word for it.
pub(crate) struct Status(view::Status);

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.public())
    }
}

impl JsonSchema for Status {
    fn schema_name() -> Cow<'static, str> {
        "Status".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: BTreeSet<_> = view::Status::ALL.into_iter().map(view::Status::public).collect();
        json_schema!({ "type": "string", "enum": words })
    }
}

/// Bytes, as the text that existing clients read.
#[derive(JsonSchema)]
#[schemars(inline)]
struct Size(#[schemars(with = "String")] i64);

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Execution {
    pub(super) fn of(row: view::Execution, now: Timestamp) -> Self {
        Self {
            id: row.id,
            user_id: row.user,
            task_count: row.task_count,
            run_duration: row.ended_at.unwrap_or(now).since_ms(row.started_at),
            workflow_id: row.workflow,
            status: Status(row.status),
            date_ended: row.ended_at.map(Iso),
            date_started: Iso(row.started_at),
            workflow_version: row.version,
            credential_id: row.credential,
            trigger_type: StepType::Trigger(row.trigger).public(),
            trigger_detail: row.trigger_detail,
            error_code: code(row.code),
            is_paused: row.is_paused,
            is_test: row.is_test,
            replay_of: row.original.map(|original| Original {
                execution_id: original.execution,
                from_step_id: original.from,
                is_edited: original.is_edited,
                replay_id: original.replay,
            }),
        }
    }
}

impl Run {
    pub(super) fn of(run: view::Run, items: Vec<view::Run>, now: Timestamp) -> Self {
        let steps = |run: view::Run| {
            let id = run.execution.id;
            run.steps.into_iter().map(move |step| StepExecution::of(id, step))
        };
        let execution = Execution::of(run.execution.clone(), now);
        let step_executions = steps(run).chain(items.into_iter().flat_map(steps)).collect();
        Self { execution, step_executions }
    }
}

impl StepExecution {
    fn of(execution: ExecutionId, step: view::StepExecution) -> Self {
        let last = step.attempts.last();
        Self {
            id: step.id,
            step_id: step.step,
            workflow_execution_id: execution,
            status: Status(step.status),
            r#type: step.kind.public(),
            start: Iso(step.started_at),
            end: step.ended_at.map(Iso),
            next: step.next,
            prev: step.prev,
            input_size: Size(last.map_or(0, |last| last.input_size)),
            output_size: Size(last.map_or(0, |last| last.output_size)),
            error_code: last.and_then(|last| code(last.code.clone())),
            attempt_count: step.attempts.len(),
            is_kept: step.is_kept,
            attempts: attempts(step.attempts),
        }
    }
}

impl From<view::Attempt> for Attempt {
    fn from(attempt: view::Attempt) -> Self {
        Self {
            status: Status(attempt.status),
            start: Iso(attempt.started_at),
            end: attempt.ended_at.map(Iso),
            error_code: code(attempt.code),
            retry_at: attempt.retry_at.map(Iso),
            input_size: Size(attempt.input_size),
            output_size: Size(attempt.output_size),
        }
    }
}

/// The attempts of a step, the first one first.
pub(super) fn attempts(attempts: Vec<view::Attempt>) -> Vec<Attempt> {
    attempts.into_iter().map(Attempt::from).collect()
}

fn code(code: String) -> Option<String> {
    (!code.is_empty()).then_some(code)
}

/// Items of an array that are shown of a test (behaviours.md 19).
const TEST_ITEMS_MAX: usize = 20;

/// What was sealed as JSON; nothing at all is an empty object. Of a test not all of it is shown.
pub(super) fn contents(bytes: &[u8], is_test: bool) -> Value {
    if bytes.is_empty() {
        return json!({});
    }
    let mut contents = serde_json::from_slice(bytes).unwrap_or(Value::Null);
    if is_test {
        cut(&mut contents);
    }
    contents
}

fn cut(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.truncate(TEST_ITEMS_MAX);
            items.iter_mut().for_each(cut);
        }
        Value::Object(fields) => fields.values_mut().for_each(cut),
        _ => {}
    }
}
