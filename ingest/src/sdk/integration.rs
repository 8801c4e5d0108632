//! The integrations of a project.

use super::view;
use crate::auth::Caller;
use crate::door::Shared;
use crate::problem::Outcome;
use crate::reply::Reply;
use axum::extract::State;
use axum::http::HeaderMap;

/// Every integration with its portal configuration and workflows.
pub(crate) async fn list(
    State(door): State<Shared>,
    caller: Caller,
) -> Outcome<Reply<Vec<view::Integration>>> {
    let user = door.user(caller.id, &caller.user).await?;
    let opened = door.opened(&caller, &user, []).await?;
    let all = caller.project.integrations.values();
    let all = all.map(|integration| view::Integration::of(&caller, (&user, &opened), integration));
    Ok(Reply::unkept(all.collect()))
}

/// Type, name, icon and colour of each active integration.
pub(crate) async fn brief(caller: Caller, headers: HeaderMap) -> Reply<Vec<view::Metadata>> {
    let active = caller.project.integrations.values().filter(|integration| integration.active);
    let active = active.map(|integration| view::Metadata::of(&headers, integration));
    Reply::unkept(active.collect())
}
