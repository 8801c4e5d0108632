//! `POST /admin/v1/api-keys`: a key for the Task History API.

use crate::auth::{Admin, sha256};
use crate::door::Shared;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

/// Makes a key. It is shown this once; its hash goes into the project file.
pub(crate) async fn make(State(door): State<Shared>, _: Admin) -> Response {
    let mut bytes = [0u8; 32];
    door.app.random.fill(&mut bytes);
    let key = format!("key_{}", URL_SAFE_NO_PAD.encode(bytes));
    let hash = hex::encode(sha256(key.as_bytes()));
    let body = Json(json!({ "apiKey": key, "hash": hash }));
    (StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], body).into_response()
}
