//! Reading connected accounts.

use super::view;
use crate::auth::Caller;
use crate::door::Shared;
use crate::path::Address;
use crate::problem::{CREDENTIAL_UNKNOWN, INTEGRATION_NOT_ENABLED, INTEGRATION_UNKNOWN, Outcome};
use crate::query::{Parameter, Queried, Query};
use crate::reply::Reply;
use crate::selector::{Selection, Selector};
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

/// At which integration, by id or kind.
#[derive(Default)]
pub(crate) struct At(Option<String>);

impl Queried for At {
    const PARAMETERS: &'static [Parameter<Self>] =
        &[Parameter::new::<String>("integration", "a text", |at, value| {
            at.0 = Some(value.to_owned());
            Some(())
        })];
}

/// All accounts, or the selected one.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Credentials {
    All(Vec<view::Credential>),
    One(Box<view::Credential>),
}

/// The user's accounts: all of them, or with `integration` the selected one there.
pub(crate) async fn list(
    State(door): State<Shared>,
    caller: Caller,
    query: Query<At>,
    selection: Selection,
) -> Outcome<Reply<Credentials>> {
    let user = door.user(caller.id, &caller.user).await?;
    let At(Some(name)) = query.read()? else {
        let settings = door.opened(&caller, &user, &user.credentials).await?;
        let accounts = user.credentials.iter();
        let all = accounts.map(|(id, c)| view::Credential::of(&caller, (*id, c), &settings));
        return Ok(Reply::unkept(Credentials::All(all.collect())));
    };
    let named = caller.project.integration_named(&name);
    let integration = named.ok_or_else(|| INTEGRATION_UNKNOWN.plain())?.id;
    let selected = match selection.read()? {
        Some(selector) => Some(selector.find(&user).ok_or_else(|| selector.unknown())?),
        None => user.accounts_at(integration).next().map(|(id, _)| *id),
    };
    let account = selected.and_then(|id| user.credentials.get_key_value(&id));
    let account = account.filter(|(_, credential)| credential.integration == integration);
    let (id, credential) = account.ok_or_else(|| INTEGRATION_NOT_ENABLED.plain())?;
    let settings = door.opened(&caller, &user, [(id, credential)]).await?;
    let one = view::Credential::of(&caller, (*id, credential), &settings);
    Ok(Reply::unkept(Credentials::One(Box::new(one))))
}

/// One account, by id or external id.
pub(crate) async fn read(
    State(door): State<Shared>,
    caller: Caller,
    address: Address,
) -> Outcome<Reply<view::Credential>> {
    let user = door.user(caller.id, &caller.user).await?;
    let selector = Selector::parse(address.text("credential"));
    let selector = selector.ok_or_else(|| CREDENTIAL_UNKNOWN.plain())?;
    let id = selector.find(&user).ok_or_else(|| selector.unknown())?;
    let credential = user.credentials.get(&id).ok_or_else(|| selector.unknown())?;
    let settings = door.opened(&caller, &user, [(&id, credential)]).await?;
    Ok(Reply::unkept(view::Credential::of(&caller, (id, credential), &settings)))
}
