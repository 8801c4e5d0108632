//! Reading connected accounts.

use super::trigger::fields;
use super::view;
use crate::auth::Caller;
use crate::door::Shared;
use crate::path::Address;
use crate::problem::{CREDENTIAL_UNKNOWN, INTEGRATION_NOT_ENABLED, INTEGRATION_UNKNOWN, Outcome};
use crate::selector::Selector;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// The user's accounts: all of them, or with `integration` the selected one there.
pub(crate) async fn list(
    State(door): State<Shared>,
    caller: Caller,
    address: Address,
    headers: HeaderMap,
) -> Outcome<Response> {
    let user = door.user(caller.id, &caller.user).await?;
    let query = fields(address.query().as_bytes())?;
    let Some(name) = query.get("integration").and_then(Value::as_str) else {
        let all = user.credentials.iter().map(|(id, c)| view::credential(&caller, *id, c));
        return Ok(unstored(Value::Array(all.collect())));
    };
    let named = caller.project.integration_named(name);
    let integration = named.ok_or_else(|| INTEGRATION_UNKNOWN.plain())?.id;
    let selected = match Selector::of(&headers)? {
        Some(selector) => Some(selector.find(&user).ok_or_else(|| selector.unknown())?),
        None => user.accounts_at(integration).next().map(|(id, _)| *id),
    };
    let account = selected.and_then(|id| user.credentials.get_key_value(&id));
    let account = account.filter(|(_, credential)| credential.integration == integration);
    let (id, credential) = account.ok_or_else(|| INTEGRATION_NOT_ENABLED.plain())?;
    Ok(unstored(view::credential(&caller, *id, credential)))
}

/// One account, by id or external id.
pub(crate) async fn read(
    State(door): State<Shared>,
    caller: Caller,
    address: Address,
) -> Outcome<Response> {
    let user = door.user(caller.id, &caller.user).await?;
    let selector = Selector::parse(address.text("credential"));
    let selector = selector.ok_or_else(|| CREDENTIAL_UNKNOWN.plain())?;
    let id = selector.find(&user).ok_or_else(|| selector.unknown())?;
    let credential = user.credentials.get(&id).ok_or_else(|| selector.unknown())?;
    Ok(unstored(view::credential(&caller, id, credential)))
}

/// JSON that no one in between may keep: clients read again right after they wrote.
pub(crate) fn unstored(value: Value) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(value)).into_response()
}
