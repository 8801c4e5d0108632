//! Workflows, tried out (behaviours.md 19).

pub(crate) mod version;

use crate::auth::{Admin, Open};
use crate::body::{Read, Sent};
use crate::command::Wish;
use crate::door::Shared;
use crate::idempotency::{IdempotencyKey, Within};
use crate::path::Address;
use crate::problem::{
    BODY_MALFORMED, Outcome, REPLAY_STEP_UNKNOWN, TEST_USER_UNSET, VERSION_UNKNOWN, WEBHOOK_CUT,
    WEBHOOK_UNKNOWN, WORKFLOW_UNKNOWN,
};
use crate::reply::Reply;
use axum::extract::State;
use domain::command::{KeptStep, TestWorkflow};
use domain::exchange;
use domain::id::{EventId, ExecutionId, WorkflowId};
use domain::key::Key;
use domain::meta::Actor;
use domain::webhook::Content;
use domain::workflow::{Step, Workflow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What is tried out, and with what.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Trial {
    /// The version, deployed or not; the newest.
    version: Option<i32>,
    /// The only step that is run, by id or name; all.
    step: Option<String>,
    /// What the trigger gives; an empty object.
    input: Option<Map<String, Value>>,
    /// Instead of that, a webhook that was kept.
    webhook_id: Option<EventId>,
    /// What steps are taken to have given, by their names.
    #[serde(default)]
    outputs: BTreeMap<String, Value>,
}

impl Read for Trial {
    type From<'a> = Self;
}

/// The execution that was begun; Task History shows it, though in no list.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Begun {
    execution_id: ExecutionId,
}

/// Tries a workflow out, or one step of it, as the project's test user.
pub(crate) async fn test(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
    address: Address,
    key: IdempotencyKey,
    body: Sent<Trial>,
) -> Outcome<Reply<Begun, 201>> {
    let trial = if body.bytes.is_empty() { Trial::default() } else { body.read()? };
    let id: WorkflowId = address.id("workflow", &WORKFLOW_UNKNOWN)?;
    let versions = open.project.workflows.get(&id).ok_or_else(|| WORKFLOW_UNKNOWN.plain())?;
    let version = trial.version.or_else(|| versions.newest().map(|(version, _)| version));
    let found = version.and_then(|version| Some((version, versions.saved.get(&version)?)));
    let (version, workflow) = found.ok_or_else(|| VERSION_UNKNOWN.plain())?;
    let user = open.project.settings.test_user.clone();
    let user = user.ok_or_else(|| TEST_USER_UNSET.plain())?;
    let route = format!("workflows/{id}/test");
    let within = Within { project: open.id, user: "", route: &route };
    let identity = door.identity(&key, &within, &[&body.bytes])?;
    let key = Key::User(open.id, user);
    let input = match (trial.input, trial.webhook_id) {
        (Some(_), Some(_)) => {
            return Err(BODY_MALFORMED.because("Say `input` or `webhookId`, not both."));
        }
        (Some(input), None) => Value::Object(input).to_string().into_bytes(),
        (None, None) => b"{}".to_vec(),
        (None, Some(webhook)) => {
            let found = door.app.inbox.read(open.id, webhook).await?;
            let (row, sealed) = found.ok_or_else(|| WEBHOOK_UNKNOWN.plain())?;
            let clear = door.open(&Key::App(open.id, row.integration), &sealed).await?;
            let content = serde_json::from_slice(&clear).unwrap_or_default();
            let content = Content::of(content, row.size).ok_or_else(|| WEBHOOK_CUT.plain())?;
            content.value.to_string().into_bytes()
        }
    };
    let mut kept = Vec::with_capacity(trial.outputs.len());
    for (name, output) in trial.outputs {
        let step = step_of(workflow, &name)?;
        let packed = exchange::pack(&Value::Null, &output).unwrap_or_default();
        let (input_size, output_size) = exchange::sizes(&packed);
        let sealed = door.seal(&key, &packed).await?;
        let (step, kind) = (step.id, step.action.kind());
        kept.push(KeptStep { step, kind, input_size, output_size, sealed });
    }
    let only = trial.step.as_deref().map(|name| step_of(workflow, name)).transpose()?;
    let command = TestWorkflow {
        workflow: id,
        version,
        only: only.map(|step| step.id),
        kept,
        size: i32::try_from(input.len()).unwrap_or(i32::MAX),
        sealed: door.seal(&key, &input).await?,
    };
    let execution_id = ExecutionId::derived(identity.id, &key, 0);
    door.decide(Wish { key, actor: Actor::Team, identity, command: command.into() }).await?;
    Ok(Reply::new(Begun { execution_id }))
}

/// The step of that id or name.
pub(super) fn step_of<'a>(workflow: &'a Workflow, named: &str) -> Outcome<&'a Step> {
    let is_named = |step: &&Step| step.name == named || step.id.to_string() == named;
    workflow.steps.iter().find(is_named).ok_or_else(|| REPLAY_STEP_UNKNOWN.plain())
}
