//! `POST /admin/v1/api-keys`: a key for the Task History API.

use super::project::api_key;
use crate::auth::{Admin, sha256};
use crate::door::Shared;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Makes a key. It is shown this once; its hash goes into the project file.
pub(crate) async fn make(State(door): State<Shared>, _: Admin) -> Response {
    let key = api_key(&*door.app.random);
    let hash = hex::encode(sha256(key.as_bytes()));
    let body = Json(json!({ "apiKey": key, "hash": hash }));
    (StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], body).into_response()
}
