//! `POST …/sdk/events/batch`: many events in one go, each with a result of its own.

use super::event::{AppEvent, Sender};
use crate::auth::Caller;
use crate::body::{Read, Sent};
use crate::command::{Entry, Identity};
use crate::door::{Door, Shared};
use crate::idempotency::{IdempotencyKey, Within};
use crate::json::Text;
use crate::problem::{self, BATCH_TOO_LARGE, DECISION_LATE, Outcome};
use crate::reply::Reply;
use crate::selector::Selection;
use axum::extract::State;
use axum::http::StatusCode;
use ports::answers::Waiting;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Events that are sent in one go.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Batch<'a> {
    /// Up to 1,000, unless the installation says otherwise.
    #[serde(borrow)]
    #[schemars(with = "Vec<AppEvent<'static>>")]
    events: Vec<&'a RawValue>,
}

impl Read for Batch<'_> {
    type From<'a> = Batch<'a>;
}

/// What became of each event, in order.
#[derive(Serialize, JsonSchema)]
pub(crate) struct BatchResults {
    results: Vec<BatchResult>,
}

/// What became of one event.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum BatchResult {
    /// It is durable.
    Taken {
        /// 201.
        status: u16,
    },
    /// It was not taken.
    Refused(problem::Body),
}

impl BatchResult {
    const TAKEN: Self = BatchResult::Taken { status: StatusCode::CREATED.as_u16() };
}

/// Takes in up to `batch_events_max` events; 201 once those that are taken are durable.
pub(crate) async fn trigger(
    State(door): State<Shared>,
    caller: Caller,
    key: IdempotencyKey,
    selection: Selection,
    body: Sent<Batch<'static>>,
) -> Outcome<Reply<BatchResults, 201>> {
    let (text, batch) = body.read_text()?;
    let most = door.app.limits.batch_events_max;
    if batch.events.len() > most {
        return Err(BATCH_TOO_LARGE.because(format!("A batch has at most {most} events.")));
    }
    let selector = selection.read()?;
    // The events of a batch came together the first time, too: the first speaks for all.
    let first = match batch.events.first() {
        Some(raw) => door.identity_in_batch(&caller, &key, (0, raw))?,
        None => door.fresh(),
    };
    let credential = door.selected(selector.as_ref(), &caller, first).await?;
    let sender = door.sender(&caller, credential).await?;
    let results = door.batch(&sender, &key, text, &batch.events).await?;
    Ok(Reply::new(BatchResults { results }))
}

/// One event that is about to be appended.
struct Taken {
    entry: Entry,
    /// Where its decision is waited for, if the caller gave an `Idempotency-Key`.
    waiting: Option<Waiting>,
}

impl Door {
    async fn batch(
        &self,
        sender: &Sender<'_>,
        key: &IdempotencyKey,
        text: Text<'_>,
        events: &[&RawValue],
    ) -> Outcome<Vec<BatchResult>> {
        let mut entries = Vec::with_capacity(events.len());
        let mut taken = Vec::with_capacity(events.len());
        for (index, raw) in events.iter().enumerate() {
            taken.push(match self.take(sender, key, text, (index, raw)).await {
                Ok(Taken { entry, waiting }) => {
                    entries.push(entry);
                    Ok(waiting)
                }
                // What keeps one event from being taken is its own; what keeps all, everyone's.
                Err(problem) if problem.code.status >= 500 => return Err(problem),
                Err(problem) => Err(problem),
            });
        }
        self.append_all(entries).await?;
        let mut results = Vec::with_capacity(taken.len());
        for one in taken {
            results.push(match one {
                Ok(None) => BatchResult::TAKEN,
                Ok(Some(waiting)) => self.decided(waiting).await,
                Err(problem) => BatchResult::Refused(problem.into_body()),
            });
        }
        Ok(results)
    }

    async fn take(
        &self,
        sender: &Sender<'_>,
        key: &IdempotencyKey,
        text: Text<'_>,
        (index, raw): (usize, &RawValue),
    ) -> Outcome<Taken> {
        let event: AppEvent<'_> = text.part(raw)?;
        let identity = self.identity_in_batch(sender.caller, key, (index, raw))?;
        let wish = self.event(sender, identity, text, &event).await?;
        let waiting = identity.is_keyed().then(|| self.app.answers.wait(identity.asked()));
        Ok(Taken { entry: self.entry(wish)?, waiting })
    }

    fn identity_in_batch(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
        (index, raw): (usize, &RawValue),
    ) -> Outcome<Identity> {
        let route = format!("events/batch/{index}");
        let within = Within { project: caller.id, user: &caller.user, route: &route };
        self.identity(key, &within, &[raw.get().as_bytes()])
    }

    async fn decided(&self, waiting: Waiting) -> BatchResult {
        let answer = self.answer(waiting, self.app.limits.decision_timeout_ms).await;
        match answer.unwrap_or_else(|| Err(DECISION_LATE.plain())) {
            Ok(_) => BatchResult::TAKEN,
            Err(problem) => BatchResult::Refused(problem.into_body()),
        }
    }
}
