//! What people do with single executions.

pub(crate) mod replays;

use super::workflow::step_of;
use crate::auth::{Admin, Open};
use crate::body::{Read, Received, Sent};
use crate::command::{Identity, Wish};
use crate::door::{Door, Shared};
use crate::idempotency::{IdempotencyKey, Within};
use crate::path::Address;
use crate::problem::{
    BODY_MALFORMED, DATA_ERASED, EXECUTION_UNKNOWN, Outcome, REPLAY_STEP_UNFIT, REPLAY_TOO_LARGE,
    VERSION_UNKNOWN, WORKFLOW_UNKNOWN,
};
use crate::reply::{Nothing, Reply};
use axum::extract::State;
use domain::command::{CancelExecution, Command, PauseExecution, ReplayExecution, ResumeExecution};
use domain::config::Project;
use domain::id::{ExecutionId, ProjectId, StepId};
use domain::key::Key;
use domain::meta::Actor;
use domain::view::{Run, Unkept};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How an execution is replayed; without anything as it was.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Again {
    /// The trigger's output, instead of that of the original.
    input: Option<Map<String, Value>>,
    /// The version that runs, instead of that of the original.
    version: Option<i32>,
    /// Whether the version runs that is deployed now.
    #[serde(default)]
    deployed_version: bool,
    /// The step that it begins with, by id or name. What the original's steps before it gave is kept.
    from_step: Option<String>,
}

impl Read for Again {
    type From<'a> = Self;
}

/// The execution that was begun.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Begun {
    execution_id: ExecutionId,
}

/// Ends an execution that is not over.
pub(crate) async fn cancel(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
    address: Address,
    key: IdempotencyKey,
    Received(body): Received,
) -> Outcome<Reply<Nothing>> {
    let asked = Asked { route: "cancel", key, body: &body };
    settle(&door, &open, &address, asked, |execution| CancelExecution { execution }.into()).await
}

/// Lets no further step of an execution begin.
pub(crate) async fn pause(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
    address: Address,
    key: IdempotencyKey,
    Received(body): Received,
) -> Outcome<Reply<Nothing>> {
    let asked = Asked { route: "pause", key, body: &body };
    settle(&door, &open, &address, asked, |execution| PauseExecution { execution }.into()).await
}

/// Lets a paused execution go on.
pub(crate) async fn resume(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
    address: Address,
    key: IdempotencyKey,
    Received(body): Received,
) -> Outcome<Reply<Nothing>> {
    let asked = Asked { route: "resume", key, body: &body };
    settle(&door, &open, &address, asked, |execution| ResumeExecution { execution }.into()).await
}

/// Runs again what an execution ran.
pub(crate) async fn replay(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
    address: Address,
    key: IdempotencyKey,
    body: Sent<Again>,
) -> Outcome<Reply<Begun, 201>> {
    let again = if body.bytes.is_empty() { Again::default() } else { body.read()? };
    let asked = Asked { route: "replay", key, body: &body.bytes };
    let begun = replayed(&door, (open.id, &open.project), &address, asked, again).await?;
    Ok(Reply::new(begun))
}

/// What is asked of an execution, and what makes a repeat recognisable.
pub(crate) struct Asked<'a> {
    pub(crate) route: &'static str,
    pub(crate) key: IdempotencyKey,
    pub(crate) body: &'a [u8],
}

impl Asked<'_> {
    fn identity(&self, door: &Door, project: ProjectId, id: ExecutionId) -> Outcome<Identity> {
        let route = format!("executions/{id}/{}", self.route);
        door.identity(&self.key, &Within { project, user: "", route: &route }, &[self.body])
    }
}

/// The execution as history knows it now.
async fn known(door: &Door, project: ProjectId, address: &Address) -> Outcome<Run> {
    let execution: ExecutionId = address.id("execution", &EXECUTION_UNKNOWN)?;
    door.settle(execution).await?;
    let run = door.app.history.run(project, execution).await?;
    run.ok_or_else(|| EXECUTION_UNKNOWN.plain())
}

/// Has a command about an execution decided. Whose it is, history knows.
async fn settle(
    door: &Door,
    open: &Open,
    address: &Address,
    asked: Asked<'_>,
    command: impl FnOnce(ExecutionId) -> Command,
) -> Outcome<Reply<Nothing>> {
    let execution = known(door, open.id, address).await?.execution;
    let identity = asked.identity(door, open.id, execution.id)?;
    let (key, command) = (Key::User(open.id, execution.user), command(execution.id));
    door.decide(Wish { key, actor: Actor::Team, identity, command }).await?;
    Ok(Reply::new(Nothing {}))
}

/// Has an execution run again.
pub(crate) async fn replayed(
    door: &Door,
    (id, project): (ProjectId, &Project),
    address: &Address,
    asked: Asked<'_>,
    again: Again,
) -> Outcome<Begun> {
    let run = known(door, id, address).await?;
    let identity = asked.identity(door, id, run.execution.id)?;
    let key = Key::User(id, run.execution.user.clone());
    let version = again.version_of(project, &run)?;
    let workflow = project.workflow(run.execution.workflow, version);
    let workflow = workflow.ok_or_else(|| VERSION_UNKNOWN.plain())?;
    let from = again.from_step.as_deref().map(|step| step_of(workflow, step)).transpose()?;
    let from = from.map(|step| step.id);
    let mut command = wish(door, id, &run, from).await?;
    command.version = Some(version);
    if let Some(input) = again.input {
        let clear = Value::Object(input).to_string();
        command.size = i32::try_from(clear.len()).unwrap_or(i32::MAX);
        command.sealed = door.seal(&key, clear.as_bytes()).await?;
        command.edited = true;
    }
    let execution_id = ExecutionId::derived(identity.id, &key, 0);
    door.decide(Wish { key, actor: Actor::Team, identity, command: command.into() }).await?;
    Ok(Begun { execution_id })
}

impl Again {
    fn version_of(&self, project: &Project, run: &Run) -> Outcome<i32> {
        match (self.version, self.deployed_version) {
            (Some(_), true) => {
                let reason = "Say `version` or `deployedVersion`, not both.";
                Err(BODY_MALFORMED.because(reason))
            }
            (Some(version), false) => Ok(version),
            (None, false) => Ok(run.execution.version),
            (None, true) => {
                let released = project.released(run.execution.workflow);
                released.map(|(version, _)| version).ok_or_else(|| WORKFLOW_UNKNOWN.plain())
            }
        }
    }
}

/// The command, with what is kept of the original.
async fn wish(
    door: &Door,
    project: ProjectId,
    run: &Run,
    from: Option<StepId>,
) -> Outcome<ReplayExecution> {
    let found = door.app.history.replay(project, run, from).await?;
    found.map_err(|unkept| match unkept {
        Unkept::Item | Unkept::FannedOut | Unkept::Paged => REPLAY_STEP_UNFIT.plain(),
        Unkept::TooLarge => REPLAY_TOO_LARGE.plain(),
        Unkept::Gone => DATA_ERASED.plain(),
    })
}
