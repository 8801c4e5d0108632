//! The connected user: what is connected, and metadata.

use super::view;
use crate::auth::Caller;
use crate::body::{Read, Sent};
use crate::command::{Identity, Wish};
use crate::door::{Door, Shared};
use crate::idempotency::{IdempotencyKey, Within};
use crate::json;
use crate::problem::{BODY_TOO_LARGE, HEADER_MALFORMED, Outcome};
use crate::reply::Reply;
use axum::extract::State;
use axum::http::HeaderMap;
use domain::command::DescribeUser;
use domain::meta::Actor;
use domain::metadata::{METADATA_BYTES_MAX, merged};
use domain::state::User;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Clients 1.x send metadata with a read.
const METADATA_HEADER: &str = "x-paragon-user-metadata";

/// What is to be known of the user.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Description {
    /// Merged into the metadata that is there.
    #[serde(default)]
    meta: Map<String, Value>,
}

impl Read for Description {
    type From<'a> = Self;
}

/// The user, what is connected, and the project's features.
pub(crate) async fn read(
    State(door): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
) -> Outcome<Reply<view::User>> {
    door.describe_by_header(&caller, &headers).await?;
    let user = door.user(caller.id, &caller.user).await?;
    let metadata = door.metadata(&caller, &user).await?;
    let settings = door.opened(&caller, &user, &user.credentials).await?;
    Ok(Reply::unkept(view::User::of(&caller, &user, (metadata, &settings))))
}

/// Merges metadata into that of the user, and answers with the user.
pub(crate) async fn describe(
    State(door): State<Shared>,
    caller: Caller,
    key: IdempotencyKey,
    body: Sent<Description>,
) -> Outcome<Reply<view::User>> {
    let given = body.read()?;
    let within = Within { project: caller.id, user: &caller.user, route: "me" };
    let identity = door.identity(&key, &within, &[&body.bytes])?;
    let (user, metadata) = door.describe(&caller, identity, given.meta).await?;
    let settings = door.opened(&caller, &user, &user.credentials).await?;
    Ok(Reply::unkept(view::User::of(&caller, &user, (metadata, &settings))))
}

impl Door {
    /// The user's metadata.
    pub(super) async fn metadata(
        &self,
        caller: &Caller,
        user: &User,
    ) -> Outcome<Map<String, Value>> {
        let Some(sealed) = &user.metadata else { return Ok(Map::new()) };
        let clear = self.open(&caller.key(), sealed).await?;
        Ok(serde_json::from_slice(&clear).unwrap_or_default())
    }

    /// Takes in the metadata that clients 1.x send with a read, if it says anything new.
    pub(super) async fn describe_by_header(
        &self,
        caller: &Caller,
        headers: &HeaderMap,
    ) -> Outcome<()> {
        let Some(value) = headers.get(METADATA_HEADER) else { return Ok(()) };
        let given: Map<String, Value> = json::object(value.as_bytes())
            .map_err(|_| HEADER_MALFORMED.because("The user metadata is not a JSON object."))?;
        let user = self.user(caller.id, &caller.user).await?;
        let known = self.metadata(caller, &user).await?;
        if merged(known.clone(), given.clone()) != known {
            self.describe(caller, self.fresh(), given).await?;
        }
        Ok(())
    }

    /// Whether the user's metadata has what was given. What lies in the blob store is not looked at.
    fn shows(&self, caller: &Caller, user: &User, given: &Map<String, Value>) -> bool {
        let Some(sealed) = &user.metadata else { return given.is_empty() };
        let Ok(clear) = self.app.vault.open(&caller.key(), sealed) else { return true };
        let known: Map<String, Value> = serde_json::from_slice(&clear).unwrap_or_default();
        merged(known.clone(), given.clone()) == known
    }

    async fn describe(
        &self,
        caller: &Caller,
        identity: Identity,
        given: Map<String, Value>,
    ) -> Outcome<(User, Map<String, Value>)> {
        let key = caller.key();
        let clear = Value::Object(given.clone()).to_string();
        if clear.len() > METADATA_BYTES_MAX {
            let reason = format!("A user's metadata may have {METADATA_BYTES_MAX} bytes.");
            return Err(BODY_TOO_LARGE.because(reason));
        }
        let sealed = self.seal(&key, clear.as_bytes()).await?;
        let command = DescribeUser { sealed }.into();
        self.decide(Wish { key, actor: Actor::User, identity, command }).await?;
        let shows = |user: &User| self.shows(caller, user, &given);
        let user = self.user_with(caller.id, &caller.user, shows).await?;
        let metadata = self.metadata(caller, &user).await?;
        Ok((user, metadata))
    }
}
