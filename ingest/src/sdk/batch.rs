//! `POST …/sdk/events/batch`: many events in one go, each with a result of its own.

use super::event::AppEvent;
use crate::auth::Caller;
use crate::body::Received;
use crate::door::{Door, Shared};
use crate::idempotency::Within;
use crate::json;
use crate::problem::{BATCH_TOO_LARGE, DECISION_LATE, Outcome, Problem};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use domain::id::CredentialId;
use ports::answers::Waiting;
use ports::{Partition, Record};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
}

/// Takes in up to `batch_events_max` events; 201 once those that are taken are durable.
pub(crate) async fn trigger(
    State(door): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    Received(body): Received,
) -> Outcome<(StatusCode, Json<Value>)> {
    let batch: Batch<'_> = json::object(&body)?;
    let most = door.app.limits.batch_events_max;
    if batch.events.len() > most {
        return Err(BATCH_TOO_LARGE.because(format!("A batch has at most {most} events.")));
    }
    let credential = door.selected(&headers, caller.id, &caller.user).await?;
    let results = door.batch(&caller, &headers, credential, &batch.events).await?;
    Ok((StatusCode::CREATED, Json(json!({ "results": results }))))
}

/// One event that is about to be appended.
struct Taken {
    record: (Partition, Record),
    /// Where its decision is waited for, if the caller gave an `Idempotency-Key`.
    waiting: Option<Waiting>,
}

impl Door {
    async fn batch(
        &self,
        caller: &Caller,
        headers: &HeaderMap,
        credential: Option<CredentialId>,
        events: &[&RawValue],
    ) -> Outcome<Vec<Value>> {
        let mut records = Vec::with_capacity(events.len());
        let mut results = Vec::with_capacity(events.len());
        for (index, raw) in events.iter().enumerate() {
            let taken = self.take(caller, headers, credential, (index, raw)).await;
            results.push(match taken {
                Ok(Taken { record, waiting }) => {
                    records.push(record);
                    Ok(waiting)
                }
                // What keeps one event from being taken is its own; what keeps all, everyone's.
                Err(problem) if problem.code.status >= 500 => return Err(problem),
                Err(problem) => Err(problem),
            });
        }
        self.append_all(records).await?;
        let mut told = Vec::with_capacity(results.len());
        for result in results {
            told.push(match result {
                Ok(None) => json!({ "status": 201 }),
                Ok(Some(waiting)) => self.decided(waiting).await,
                Err(problem) => problem.body(),
            });
        }
        Ok(told)
    }

    async fn take(
        &self,
        caller: &Caller,
        headers: &HeaderMap,
        credential: Option<CredentialId>,
        (index, raw): (usize, &RawValue),
    ) -> Outcome<Taken> {
        let event: AppEvent<'_> = json::object(raw.get().as_bytes())?;
        let route = format!("events/batch/{index}");
        let within = Within { project: caller.id, user: &caller.user, route: &route };
        let identity = self.identity(headers, &within, &[raw.get().as_bytes()])?;
        let wish = self.event(caller, identity, credential, &event).await?;
        let waiting = identity.is_keyed().then(|| self.app.answers.wait(identity.id));
        Ok(Taken { record: self.record(wish)?, waiting })
    }

    async fn decided(&self, waiting: Waiting) -> Value {
        let answer = self.answer(waiting, self.app.limits.decision_timeout_ms).await;
        match answer.unwrap_or_else(|| Err(DECISION_LATE.plain())) {
            Ok(_) => json!({ "status": 201 }),
            Err(problem) => Problem::body(&problem),
        }
    }
}
