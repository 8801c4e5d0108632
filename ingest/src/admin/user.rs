//! Disabling, enabling and deleting connected users.

use crate::auth::{Admin, Open, USER_LEN_MAX};
use crate::body::Received;
use crate::command::Wish;
use crate::door::{Door, Shared};
use crate::idempotency::{IdempotencyKey, Within};
use crate::path::Address;
use crate::problem::{Outcome, PATH_MALFORMED};
use crate::reply::{Nothing, Reply};
use axum::extract::State;
use domain::command::{Command, DeleteUser, SwitchUser};
use domain::key::Key;
use domain::meta::Actor;

/// Lets the user start nothing.
pub(crate) async fn disable(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
    address: Address,
    key: IdempotencyKey,
    Received(body): Received,
) -> Outcome<Reply<Nothing>> {
    let command = SwitchUser { enabled: false }.into();
    door.settle_user(&open, &address, &key, (&body, "false"), command).await
}

/// Lets the user start again what was on.
pub(crate) async fn enable(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
    address: Address,
    key: IdempotencyKey,
    Received(body): Received,
) -> Outcome<Reply<Nothing>> {
    let command = SwitchUser { enabled: true }.into();
    door.settle_user(&open, &address, &key, (&body, "true"), command).await
}

/// Forgets the user: accounts, settings and metadata. What ran for them stays in Task History.
pub(crate) async fn delete(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
    address: Address,
    key: IdempotencyKey,
    Received(body): Received,
) -> Outcome<Reply<Nothing>> {
    let command = DeleteUser {}.into();
    door.settle_user(&open, &address, &key, (&body, "delete"), command).await
}

impl Door {
    async fn settle_user(
        &self,
        open: &Open,
        address: &Address,
        key: &IdempotencyKey,
        (body, what): (&[u8], &str),
        command: Command,
    ) -> Outcome<Reply<Nothing>> {
        let user = address.text("user");
        if user.is_empty() || user.len() > USER_LEN_MAX {
            let reason = format!("A user's id has 1 to {USER_LEN_MAX} bytes.");
            return Err(PATH_MALFORMED.because(reason));
        }
        let route = format!("users/{user}/{what}");
        let within = Within { project: open.id, user: "", route: &route };
        let identity = self.identity(key, &within, &[body])?;
        let key = Key::User(open.id, user.to_owned());
        self.decide(Wish { key, actor: Actor::Team, identity, command }).await?;
        Ok(Reply::new(Nothing {}))
    }
}
