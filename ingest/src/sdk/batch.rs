//! `POST …/sdk/events/batch`: many events in one go, each with a result of its own.

use super::event::{AppEvent, Sender};
use crate::auth::Caller;
use crate::body::Received;
use crate::command::Entry;
use crate::door::{Door, Shared};
use crate::idempotency::Within;
use crate::json::Text;
use crate::problem::{BATCH_TOO_LARGE, DECISION_LATE, Outcome, Problem};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use ports::answers::Waiting;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
}

/// What became of each event, in order.
#[derive(Serialize)]
pub(crate) struct Told {
    results: Vec<Verdict>,
}

enum Verdict {
    Taken,
    Refused(Problem),
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Verdict::Taken => {
                let mut fields = serializer.serialize_map(Some(1))?;
                fields.serialize_entry("status", &201)?;
                fields.end()
            }
            Verdict::Refused(problem) => problem.body().serialize(serializer),
        }
    }
}

/// Takes in up to `batch_events_max` events; 201 once those that are taken are durable.
pub(crate) async fn trigger(
    State(door): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    Received(body): Received,
) -> Outcome<(StatusCode, Json<Told>)> {
    let text = Text::of(&body)?;
    let batch: Batch<'_> = text.object()?;
    let most = door.app.limits.batch_events_max;
    if batch.events.len() > most {
        return Err(BATCH_TOO_LARGE.because(format!("A batch has at most {most} events.")));
    }
    let credential = door.selected(&headers, caller.id, &caller.user).await?;
    let sender = door.sender(&caller, credential).await?;
    let results = door.batch(&sender, &headers, text, &batch.events).await?;
    Ok((StatusCode::CREATED, Json(Told { results })))
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
        headers: &HeaderMap,
        text: Text<'_>,
        events: &[&RawValue],
    ) -> Outcome<Vec<Verdict>> {
        let mut entries = Vec::with_capacity(events.len());
        let mut taken = Vec::with_capacity(events.len());
        for (index, raw) in events.iter().enumerate() {
            taken.push(match self.take(sender, headers, text, (index, raw)).await {
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
                Ok(None) => Verdict::Taken,
                Ok(Some(waiting)) => self.decided(waiting).await,
                Err(problem) => Verdict::Refused(problem),
            });
        }
        Ok(results)
    }

    async fn take(
        &self,
        sender: &Sender<'_>,
        headers: &HeaderMap,
        text: Text<'_>,
        (index, raw): (usize, &RawValue),
    ) -> Outcome<Taken> {
        let event: AppEvent<'_> = text.part(raw)?;
        let route = format!("events/batch/{index}");
        let within = Within { project: sender.caller.id, user: &sender.caller.user, route: &route };
        let identity = self.identity(headers, &within, &[raw.get().as_bytes()])?;
        let wish = self.event(sender, identity, text, &event).await?;
        let waiting = identity.is_keyed().then(|| self.app.answers.wait(identity.asked()));
        Ok(Taken { entry: self.entry(wish)?, waiting })
    }

    async fn decided(&self, waiting: Waiting) -> Verdict {
        let answer = self.answer(waiting, self.app.limits.decision_timeout_ms).await;
        match answer.unwrap_or_else(|| Err(DECISION_LATE.plain())) {
            Ok(_) => Verdict::Taken,
            Err(problem) => Verdict::Refused(problem),
        }
    }
}
