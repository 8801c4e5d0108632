//! `POST /admin/v1/unsealings`: somebody is about to look into sealed payloads.

use crate::auth::Admin;
use crate::body::{Read, Sent};
use crate::command::Wish;
use crate::door::Shared;
use crate::idempotency::{IdempotencyKey, Within};
use crate::problem::{BODY_MALFORMED, Outcome};
use crate::reply::{Nothing, Reply};
use axum::extract::State;
use domain::command::RecordUnsealing;
use domain::id::ProjectId;
use domain::key::Key;
use domain::meta::Actor;
use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

/// Longest text in a record, in bytes.
const TEXT_LEN_MAX: usize = 4 * 1024;

/// Who looks into what.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Unsealing {
    /// Who looks.
    who: String,
    /// By which command.
    command: String,
    /// At what.
    filter: String,
}

impl Read for Unsealing {
    type From<'a> = Self;
}

/// Records it, for the whole installation; 201 once the record is durable and decided.
pub(crate) async fn record(
    State(door): State<Shared>,
    _: Admin,
    key: IdempotencyKey,
    body: Sent<Unsealing>,
) -> Outcome<Reply<Nothing, 201>> {
    let Unsealing { who, command, filter } = body.read()?;
    if who.is_empty() || [&who, &command, &filter].iter().any(|text| text.len() > TEXT_LEN_MAX) {
        let reason = format!("Say who looks; each text has at most {TEXT_LEN_MAX} bytes.");
        return Err(BODY_MALFORMED.because(reason));
    }
    let project = ProjectId(Uuid::nil());
    let within = Within { project, user: "", route: "unsealings" };
    let identity = door.identity(&key, &within, &[&body.bytes])?;
    let command = RecordUnsealing { who, command, filter }.into();
    let key = Key::Project(project);
    door.decide(Wish { key, actor: Actor::Team, identity, command }).await?;
    Ok(Reply::new(Nothing {}))
}
