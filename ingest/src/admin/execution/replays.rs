//! Replays of many executions.

use crate::auth::{Admin, Open};
use crate::body::{Read, Sent};
use crate::command::{Identity, Wish};
use crate::door::Shared;
use crate::idempotency::{IdempotencyKey, Within};
use crate::problem::{BODY_MALFORMED, INTEGRATION_UNKNOWN, Outcome, WORKFLOW_UNKNOWN};
use crate::reply::Reply;
use crate::time::{Iso, read};
use axum::extract::State;
use domain::command::ReplayExecutions;
use domain::config::Project;
use domain::event::Ending;
use domain::id::{CommandId, IntegrationId, WorkflowId};
use domain::key::Key;
use domain::meta::Actor;
use domain::time::Timestamp;
use domain::view;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Executions of a replay of many in a second, where nothing is said.
const PER_SECOND: i32 = 100;

/// Which executions are replayed, of those that have ended.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Of the workflows of this integration, by id or kind.
    integration: Option<String>,
    /// Of this workflow.
    workflow_id: Option<WorkflowId>,
    /// Of this user.
    user_id: Option<String>,
    /// That ended so.
    ending: Option<Ending>,
    /// That ended with this error.
    error_code: Option<String>,
    /// Begun after.
    #[schemars(with = "Option<Iso>")]
    after_date: Option<String>,
    /// Begun before.
    #[schemars(with = "Option<Iso>")]
    before_date: Option<String>,
    /// Whether the version that is deployed runs, not that of each original.
    #[serde(default)]
    deployed_version: bool,
    /// Whether each begins with the step that failed; what the steps before it gave is kept.
    #[serde(default)]
    from_failed_step: bool,
    /// At most so many in a second; 100.
    per_second: Option<i32>,
}

impl Read for Wanted {
    type From<'a> = Self;
}

/// The replay that was begun.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Begun {
    id: CommandId,
}

/// Replays of many, newest first.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Replays {
    replays: Vec<Replay>,
}

/// How far a replay has come with the executions of one integration.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Replay {
    id: CommandId,
    integration_id: IntegrationId,
    date_requested: Iso,
    /// Executions that were replayed so far.
    replayed: u64,
    /// Executions that could not be: their records are gone, or what came before the step is not
    /// kept.
    skipped: u64,
    /// Whether there are no more.
    is_done: bool,
}

/// Replays what a filter lets pass, in every partition apart; oldest first, and not too fast.
pub(crate) async fn many(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
    key: IdempotencyKey,
    body: Sent<Wanted>,
) -> Outcome<Reply<Begun, 202>> {
    let wanted = body.read()?;
    let within = Within { project: open.id, user: "", route: "executions/replays" };
    let identity = door.identity(&key, &within, &[&body.bytes])?;
    let count = door.app.log.partitions();
    let partitions = match &wanted.user_id {
        None => 0..count,
        Some(user) => {
            let its = Key::User(open.id, user.clone()).partition(count);
            its..its + 1
        }
    };
    let integrations = wanted.integrations(&open.project)?;
    let asked = wanted.asked(identity.id, partitions.len())?;
    for partition in partitions {
        let key = Key::Lane(open.id, partition, count);
        for (n, integration) in (0..).zip(&integrations) {
            let identity = Identity { id: CommandId::derived(&identity.id.0, &key, n), ..identity };
            let command = ReplayExecutions { integration: *integration, ..asked.clone() };
            let (key, command) = (key.clone(), command.into());
            door.decide(Wish { key, actor: Actor::Team, identity, command }).await?;
        }
    }
    Ok(Reply::new(Begun { id: identity.id }))
}

/// Replays of many, and how far they have come.
pub(crate) async fn list(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
) -> Outcome<Reply<Replays>> {
    let replays = door.app.history.replays(open.id).await?;
    Ok(Reply::new(Replays { replays: replays.into_iter().map(Replay::from).collect() }))
}

impl Wanted {
    /// The integrations that may have what is wanted.
    fn integrations(&self, project: &Project) -> Outcome<Vec<IntegrationId>> {
        if let Some(name) = &self.integration {
            let named = project.integration_named(name);
            return Ok(vec![named.ok_or_else(|| INTEGRATION_UNKNOWN.plain())?.id]);
        }
        if let Some(workflow) = self.workflow_id {
            let released = project.released(workflow);
            let (_, workflow) = released.ok_or_else(|| WORKFLOW_UNKNOWN.plain())?;
            return Ok(vec![workflow.integration]);
        }
        let mut all: Vec<_> =
            project.deployed().map(|(_, _, workflow)| workflow.integration).collect();
        all.sort();
        all.dedup();
        Ok(all)
    }

    /// The command for an integration that is still to be named.
    fn asked(self, replay: CommandId, partitions: usize) -> Outcome<ReplayExecutions> {
        let is_open = self.integration.is_none()
            && self.workflow_id.is_none()
            && self.user_id.is_none()
            && self.ending.is_none()
            && self.error_code.is_none()
            && self.after_date.is_none()
            && self.before_date.is_none();
        if is_open {
            return Err(BODY_MALFORMED.because("Say which executions: no filter is given."));
        }
        Ok(ReplayExecutions {
            replay,
            integration: IntegrationId(uuid::Uuid::nil()),
            workflow: self.workflow_id,
            user: self.user_id,
            ending: self.ending,
            code: self.error_code.unwrap_or_default(),
            after: read(self.after_date)?,
            // Without a date, all that began before the decision.
            before: read(self.before_date)?.unwrap_or(Timestamp(i64::MAX)),
            current: self.deployed_version,
            from_failed: self.from_failed_step,
            per_second: self.per_second.unwrap_or(PER_SECOND),
            partitions: i32::try_from(partitions).unwrap_or(i32::MAX),
        })
    }
}

impl From<view::ExecutionsReplay> for Replay {
    fn from(row: view::ExecutionsReplay) -> Self {
        Self {
            id: row.asked.replay,
            integration_id: row.asked.integration,
            date_requested: Iso(row.requested_at),
            replayed: row.replayed,
            skipped: row.skipped,
            is_done: row.is_done,
        }
    }
}
