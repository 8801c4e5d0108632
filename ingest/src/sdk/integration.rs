//! The integrations of a project.

use super::credential::unstored;
use super::view;
use crate::auth::Caller;
use crate::door::Shared;
use crate::problem::Outcome;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;

/// Every integration with its portal configuration and workflows.
pub(crate) async fn list(State(door): State<Shared>, caller: Caller) -> Outcome<Response> {
    let user = door.user(caller.id, &caller.user).await?;
    let all = caller.project.integrations.values();
    let all = all.map(|integration| view::integration(&caller, &user, integration));
    Ok(unstored(Value::Array(all.collect())))
}

/// Type, name, icon and colour of each active integration.
pub(crate) async fn brief(caller: Caller, headers: HeaderMap) -> Outcome<Response> {
    let active = caller.project.integrations.values().filter(|integration| integration.active);
    let active = active.map(|integration| view::brief(&headers, integration));
    Ok(unstored(Value::Array(active.collect())))
}
