//! Ending executions.

use crate::auth::{Admin, Open};
use crate::body::Received;
use crate::command::Wish;
use crate::door::Shared;
use crate::idempotency::{IdempotencyKey, Within};
use crate::path::Address;
use crate::problem::{EXECUTION_UNKNOWN, Outcome};
use crate::reply::{Nothing, Reply};
use axum::extract::State;
use domain::command::CancelExecution;
use domain::id::ExecutionId;
use domain::key::Key;
use domain::meta::Actor;

/// Ends an execution that is not over. Whose it is, history knows.
pub(crate) async fn cancel(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
    address: Address,
    key: IdempotencyKey,
    Received(body): Received,
) -> Outcome<Reply<Nothing>> {
    let execution: ExecutionId = address.id("execution", &EXECUTION_UNKNOWN)?;
    door.settle(execution).await?;
    let run = door.app.history.run(open.id, execution).await?;
    let user = run.ok_or_else(|| EXECUTION_UNKNOWN.plain())?.execution.user;
    let route = format!("executions/{execution}/cancel");
    let within = Within { project: open.id, user: "", route: &route };
    let identity = door.identity(&key, &within, &[&body])?;
    let command = CancelExecution { execution }.into();
    let key = Key::User(open.id, user);
    door.decide(Wish { key, actor: Actor::Team, identity, command }).await?;
    Ok(Reply::new(Nothing {}))
}
