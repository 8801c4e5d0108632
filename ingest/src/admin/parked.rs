//! Commands that were set aside, because the node crashed when it decided them.

use crate::auth::{Admin, Open};
use crate::command::Wish;
use crate::door::{Door, Shared};
use crate::idempotency::{IdempotencyKey, Within};
use crate::path::Address;
use crate::problem::{COMMAND_GONE, INTERNAL, Outcome, PARKED_SETTLED, PARKED_UNKNOWN};
use crate::reply::{Nothing, Reply};
use crate::time::Iso;
use axum::extract::State;
use domain::command::SettleParked;
use domain::event::Settlement;
use domain::id::{EventId, ExecutionId, ProjectId};
use domain::key::Key;
use domain::meta::Actor;
use domain::view;
use schemars::JsonSchema;
use serde::Serialize;

/// Parked commands, newest first.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ParkedCommands {
    parked: Vec<ParkedCommand>,
}

/// A command that was set aside.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ParkedCommand {
    id: EventId,
    date_parked: Iso,
    /// What it wants, by the name of its schema.
    command: String,
    /// The user it belongs to; empty if it is of none.
    user_id: String,
    /// The execution that waits for it.
    execution_id: Option<ExecutionId>,
    /// Why it was parked.
    reason: String,
    /// What became of it; null: it waits for somebody to retry or discard it.
    settlement: Option<Settlement>,
    /// When that was.
    date_settled: Option<Iso>,
}

/// Commands that were parked, also settled ones.
pub(crate) async fn list(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
) -> Outcome<Reply<ParkedCommands>> {
    let parked = door.app.history.parked(open.id).await?;
    Ok(Reply::new(ParkedCommands { parked: parked.into_iter().map(ParkedCommand::from).collect() }))
}

/// Sends a parked command again.
pub(crate) async fn retry(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
    address: Address,
    key: IdempotencyKey,
) -> Outcome<Reply<Nothing>> {
    settle(&door, open.id, &address, &key, Settlement::Retried).await
}

/// Leaves a parked command undone.
pub(crate) async fn discard(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
    address: Address,
    key: IdempotencyKey,
) -> Outcome<Reply<Nothing>> {
    settle(&door, open.id, &address, &key, Settlement::Discarded).await
}

async fn settle(
    door: &Door,
    project: ProjectId,
    address: &Address,
    key: &IdempotencyKey,
    settlement: Settlement,
) -> Outcome<Reply<Nothing>> {
    let id: EventId = address.id("parked", &PARKED_UNKNOWN)?;
    let route = format!("parked/{id}/{settlement:?}");
    let within = Within { project, user: "", route: &route };
    let identity = door.identity(key, &within, &[])?;
    let parked = door.app.history.parked(project).await?.into_iter().find(|row| row.id == id);
    let parked = parked.ok_or_else(|| PARKED_UNKNOWN.plain())?;
    match parked.settled {
        // Most likely the same request, come again.
        Some((known, _)) if known == settlement && identity.is_keyed() => {
            return Ok(Reply::new(Nothing {}));
        }
        Some(_) => return Err(PARKED_SETTLED.plain()),
        None => {}
    }
    let first = match settlement {
        Settlement::Retried => {
            let command = door.app.history.command(&parked).await?;
            vec![door.again(command.ok_or_else(|| COMMAND_GONE.plain())?, id)?]
        }
        Settlement::Discarded => Vec::new(),
    };
    let key = Key::parse(&parked.key).ok_or_else(|| INTERNAL.plain())?;
    let command = SettleParked { parked: id, settlement }.into();
    let wish = Wish { key, actor: Actor::Team, identity, command };
    door.decide_after(first, wish).await?;
    Ok(Reply::new(Nothing {}))
}

impl From<view::Parked> for ParkedCommand {
    fn from(row: view::Parked) -> Self {
        let key = Key::parse(&row.key);
        Self {
            id: row.id,
            date_parked: Iso(row.parked_at),
            command: row.command,
            user_id: key.and_then(|key| key.user().map(str::to_owned)).unwrap_or_default(),
            execution_id: row.execution,
            reason: row.reason,
            settlement: row.settled.map(|(settlement, _)| settlement),
            date_settled: row.settled.map(|(_, at)| Iso(at)),
        }
    }
}
