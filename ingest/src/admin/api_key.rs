//! `POST /admin/v1/api-keys`: a key for the Task History API.

use super::project::api_key;
use crate::auth::{Admin, sha256};
use crate::door::Shared;
use crate::reply::Reply;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

/// A key that was made.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiKey {
    /// The key, shown this once.
    api_key: String,
    /// Its SHA-256, for the project file.
    hash: String,
}

/// Makes a key. It is shown this once; its hash goes into the project file.
pub(crate) async fn make(State(door): State<Shared>, _: Admin) -> Reply<ApiKey, 201> {
    let api_key = api_key(&*door.app.random);
    let hash = hex::encode(sha256(api_key.as_bytes()));
    Reply::unkept(ApiKey { api_key, hash })
}
