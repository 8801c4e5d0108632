//! Disabling and enabling connected users.

use crate::auth::{Admin, Open, USER_LEN_MAX};
use crate::body::Received;
use crate::command::Wish;
use crate::door::{Door, Shared};
use crate::idempotency::{IdempotencyKey, Within};
use crate::path::Address;
use crate::problem::{Outcome, PATH_MALFORMED};
use crate::reply::{Nothing, Reply};
use axum::extract::State;
use domain::command::SwitchUser;
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
    door.switch_user(&open, &address, &key, &body, SwitchUser { enabled: false }).await
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
    door.switch_user(&open, &address, &key, &body, SwitchUser { enabled: true }).await
}

impl Door {
    async fn switch_user(
        &self,
        open: &Open,
        address: &Address,
        key: &IdempotencyKey,
        body: &[u8],
        command: SwitchUser,
    ) -> Outcome<Reply<Nothing>> {
        let user = address.text("user");
        if user.is_empty() || user.len() > USER_LEN_MAX {
            let reason = format!("A user's id has 1 to {USER_LEN_MAX} bytes.");
            return Err(PATH_MALFORMED.because(reason));
        }
        let route = format!("users/{user}/{}", command.enabled);
        let within = Within { project: open.id, user: "", route: &route };
        let identity = self.identity(key, &within, &[body])?;
        let key = Key::User(open.id, user.to_owned());
        self.decide(Wish { key, actor: Actor::Team, identity, command: command.into() }).await?;
        Ok(Reply::new(Nothing {}))
    }
}
