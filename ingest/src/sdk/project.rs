//! The project, as clients 1.x ask for it.

use super::view;
use crate::auth::Caller;
use crate::door::Shared;
use crate::problem::Outcome;
use crate::reply::Reply;
use axum::extract::State;
use axum::http::HeaderMap;

/// `{id, billingPlan, accessibleFeatures}`.
pub(crate) async fn read(
    State(door): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
) -> Outcome<Reply<view::Project>> {
    door.describe_by_header(&caller, &headers).await?;
    Ok(Reply::unkept(view::Project::of(caller.id)))
}
