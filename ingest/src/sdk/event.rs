//! `POST …/sdk/events/trigger`: an event of the customer's application.

use crate::auth::Caller;
use crate::body::{Read, Sent};
use crate::command::{Identity, Wish};
use crate::door::{Door, Shared};
use crate::idempotency::{IdempotencyKey, Within};
use crate::json;
use crate::problem::{BODY_MALFORMED, EVENT_UNKNOWN, Outcome};
use crate::reply::{Nothing, Reply};
use crate::selector::Selection;
use axum::extract::State;
use domain::command::ReceiveEvent;
use domain::id::CredentialId;
use domain::key::Key;
use domain::meta::Actor;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// An app event as it is sent.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct AppEvent<'a> {
    /// One of the app events of the project.
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    /// Anything; it is passed on as it is.
    // It is never looked at (behaviours.md 2).
    #[serde(borrow)]
    #[schemars(with = "Option<Value>")]
    payload: Option<&'a RawValue>,
}

impl Read for AppEvent<'_> {
    type From<'a> = AppEvent<'a>;
}

/// Takes in one event; 201 once it is durable, whether it starts anything or not.
pub(crate) async fn trigger(
    State(door): State<Shared>,
    caller: Caller,
    key: IdempotencyKey,
    selection: Selection,
    body: Sent<AppEvent<'static>>,
) -> Outcome<Reply<Nothing, 201>> {
    let (text, event) = body.read_text()?;
    let within = Within { project: caller.id, user: &caller.user, route: "events/trigger" };
    let identity = door.identity(&key, &within, &[&body.bytes])?;
    let selector = selection.read()?;
    let credential = door.selected(selector.as_ref(), &caller, identity).await?;
    let sender = door.sender(&caller, credential).await?;
    let wish = door.event(&sender, identity, text, &event).await?;
    if identity.is_keyed() {
        door.decide(wish).await?;
    } else {
        door.append(wish).await?;
    }
    Ok(Reply::new(Nothing {}))
}

/// Who sends events, and for which account.
pub(super) struct Sender<'a> {
    pub(super) caller: &'a Caller,
    pub(super) key: Key,
    credential: Option<CredentialId>,
}

impl Door {
    /// The sender, ready to seal.
    pub(super) async fn sender<'a>(
        &self,
        caller: &'a Caller,
        credential: Option<CredentialId>,
    ) -> Outcome<Sender<'a>> {
        let key = caller.key();
        self.app.vault.prepare(&key).await?;
        Ok(Sender { caller, key, credential })
    }

    /// The wish that an event in a text leads to.
    pub(super) async fn event(
        &self,
        sender: &Sender<'_>,
        identity: Identity,
        text: json::Text<'_>,
        event: &AppEvent<'_>,
    ) -> Outcome<Wish> {
        if event.name.is_empty() {
            return Err(BODY_MALFORMED.because("The event has no name."));
        }
        if !sender.caller.project.app_events.contains_key(&*event.name) {
            let name: String = event.name.chars().take(100).collect();
            return Err(EVENT_UNKNOWN.because(format!("The project has no app event {name:?}.")));
        }
        let payload = match event.payload {
            Some(payload) => {
                text.check(payload)?;
                payload.get()
            }
            None => "{}",
        };
        let clear = ["{\"event\":", payload, "}"].concat();
        let sealed = self.app.vault.store(&sender.key, clear.as_bytes()).await?;
        let size = i32::try_from(payload.len()).unwrap_or(i32::MAX);
        let (name, credential) = (event.name.to_string(), sender.credential);
        let command = ReceiveEvent { name, credential, size, sealed }.into();
        Ok(Wish { key: sender.key.clone(), actor: Actor::User, identity, command })
    }
}
