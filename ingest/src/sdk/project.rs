//! The project, as clients 1.x ask for it.

use super::credential::unstored;
use super::view;
use crate::auth::Caller;
use crate::door::Shared;
use crate::problem::Outcome;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

/// `{id, billingPlan, accessibleFeatures}`.
pub(crate) async fn read(
    State(door): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
) -> Outcome<Response> {
    door.describe_by_header(&caller, &headers).await?;
    Ok(unstored(view::project(caller.id)))
}
