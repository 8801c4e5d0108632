//! `POST /admin/v1/unsealings`: somebody is about to look into sealed payloads.

use crate::auth::Admin;
use crate::body::Received;
use crate::command::Wish;
use crate::door::Shared;
use crate::idempotency::Within;
use crate::json;
use crate::problem::{BODY_MALFORMED, Outcome};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use domain::command::RecordUnsealing;
use domain::id::ProjectId;
use domain::key::Key;
use domain::meta::Actor;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// Longest text in a record, in bytes.
const TEXT_LEN_MAX: usize = 4 * 1024;

#[derive(Deserialize)]
struct Unsealing {
    who: String,
    command: String,
    filter: String,
}

/// Records it, for the whole installation; 201 once the record is durable and decided.
pub(crate) async fn record(
    State(door): State<Shared>,
    _: Admin,
    headers: HeaderMap,
    Received(body): Received,
) -> Outcome<(StatusCode, Json<Value>)> {
    let Unsealing { who, command, filter } = json::object(&body)?;
    if who.is_empty() || [&who, &command, &filter].iter().any(|text| text.len() > TEXT_LEN_MAX) {
        let reason = format!("Say who looks; each text has at most {TEXT_LEN_MAX} bytes.");
        return Err(BODY_MALFORMED.because(reason));
    }
    let project = ProjectId(Uuid::nil());
    let within = Within { project, user: "", route: "unsealings" };
    let identity = door.identity(&headers, &within, &[&body])?;
    let command = RecordUnsealing { who, command, filter }.into();
    let key = Key::Project(project);
    door.decide(Wish { key, actor: Actor::Team, identity, command }).await?;
    Ok((StatusCode::CREATED, Json(serde_json::json!({}))))
}
