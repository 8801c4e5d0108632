//! What callers saw that was no acknowledgement.

use crate::harness::Answer;
use crate::load::Parcel;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::error::Elapsed;

/// Pause before a request that got no answer goes to another node.
const OTHER_DOOR: Duration = Duration::from_millis(100);
/// Pause before something is sent again where the answer names none.
const AGAIN: Duration = Duration::from_secs(1);

/// A sort of error, as a client's code would tell it from others.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Class {
    /// Nobody listens there.
    Unreachable,
    /// The connection broke before the answer was whole.
    Broken,
    /// The caller waited for as long as one does.
    Silent,
    /// The node says when to come back: a status and a code, with Retry-After.
    ComeBack(u16, String),
    /// The response of a workflow is not there yet (542).
    NotYet,
    /// Some events of a batch are to be sent again: a status and a code for each.
    Part(u16, String),
    /// Anything else.
    Odd(String),
}

impl Class {
    /// What an answer, or none, is for who sent the parcel, and the pause before it is sent again.
    pub(super) fn of(
        parcel: &Parcel,
        sent: &Result<anyhow::Result<Answer>, Elapsed>,
    ) -> (Self, Duration) {
        match sent {
            Err(_) => (Class::Silent, OTHER_DOOR),
            Ok(Err(error)) => {
                let io = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
                let is_refused = io.is_some_and(|io| io.kind() == ErrorKind::ConnectionRefused);
                (if is_refused { Class::Unreachable } else { Class::Broken }, OTHER_DOOR)
            }
            Ok(Ok(answer)) => Self::of_answer(parcel, answer),
        }
    }

    fn of_answer(parcel: &Parcel, answer: &Answer) -> (Self, Duration) {
        let (status, json) = (answer.status, answer.json());
        let pause = answer.header("retry-after").parse().ok().map(Duration::from_secs);
        match (status, pause) {
            (429 | 503, Some(pause)) => (Class::ComeBack(status, code(&json)), pause),
            (542, _) => (Class::NotYet, AGAIN),
            (201, _) if json["results"].is_array() => {
                let mut parts = json["results"].as_array().into_iter().flatten();
                let is_left = |one: &&Value| one["status"] != 201;
                let part = parts.find(is_left).cloned().unwrap_or_default();
                let status = part["status"].as_u64().and_then(|status| u16::try_from(status).ok());
                (Class::Part(status.unwrap_or_default(), code(&part)), AGAIN)
            }
            _ => (Class::Odd(format!("{}: {}", parcel.what(), answer.shown())), AGAIN),
        }
    }
}

fn code(json: &Value) -> String {
    json["meta"]["error"].as_str().unwrap_or_default().to_owned()
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Class::Unreachable => f.write_str("connection refused"),
            Class::Broken => f.write_str("connection broken"),
            Class::Silent => f.write_str("no answer"),
            Class::ComeBack(status, code) => write!(f, "{status} {code}"),
            Class::NotYet => f.write_str("542"),
            Class::Part(status, code) => write!(f, "{status} {code} in a batch"),
            Class::Odd(what) => f.write_str(what),
        }
    }
}

/// The errors of all callers.
#[derive(Default)]
pub(super) struct Errors(Mutex<Seen>);

/// What was seen so far.
#[derive(Clone, Default)]
pub(super) struct Seen {
    /// How often each sort was seen.
    pub(super) counts: BTreeMap<Class, u64>,
    /// When the first and the last one were seen.
    pub(super) span: Option<(Instant, Instant)>,
    /// The longest time from sending an event or a webhook first until it was acknowledged.
    pub(super) waited_max: Duration,
    /// Things that were never acknowledged, though they were sent again and again.
    pub(super) given_up: u64,
}

impl Errors {
    pub(super) fn note(&self, class: Class) {
        let now = Instant::now();
        let mut seen = self.lock();
        *seen.counts.entry(class).or_default() += 1;
        let first = seen.span.map_or(now, |(first, _)| first);
        seen.span = Some((first, now));
    }

    pub(super) fn delivered(&self, after: Duration) {
        let mut seen = self.lock();
        seen.waited_max = seen.waited_max.max(after);
    }

    pub(super) fn give_up(&self) {
        self.lock().given_up += 1;
    }

    pub(super) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use hyper::HeaderMap;
    use hyper::header::{HeaderValue, RETRY_AFTER};

    fn class(status: u16, retry_after: Option<&'static str>, body: &'static str) -> Class {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
        }
        let answer = Answer { status, headers, body: Bytes::from_static(body.as_bytes()) };
        let parcel = Parcel::random(&mut fastrand::Rng::with_seed(1));
        Class::of(&parcel, &Ok(Ok(answer))).0
    }

    #[test]
    fn a_busy_node_says_when_to_come_back() {
        let body = r#"{ "meta": { "error": "LOG_UNAVAILABLE" } }"#;
        assert_eq!(class(503, Some("1"), body).to_string(), "503 LOG_UNAVAILABLE");
        assert!(matches!(class(503, None, body), Class::Odd(_)), "it did not say when");
        assert!(matches!(class(500, Some("1"), body), Class::Odd(_)));
        let part = r#"{ "results": [{ "status": 201 },
            { "status": 429, "meta": { "error": "BACKLOG_FULL" } }] }"#;
        assert_eq!(class(201, None, part).to_string(), "429 BACKLOG_FULL in a batch");
    }

    #[tokio::test]
    async fn a_port_that_nobody_has_is_told_from_a_connection_that_breaks() {
        use crate::harness::Client;
        use http_body_util::Full;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let parcel = Parcel::random(&mut fastrand::Rng::with_seed(1));
        let client = Client::default();
        let call = || {
            let request = hyper::Request::get(format!("http://{at}/")).body(Full::default());
            client.send(request.unwrap())
        };
        let closing = async { drop(listener.accept().await.unwrap()) };
        let (answer, ()) = tokio::join!(call(), closing);
        assert_eq!(Class::of(&parcel, &Ok(answer)).0, Class::Broken);
        drop(listener);
        assert_eq!(Class::of(&parcel, &Ok(call().await)).0, Class::Unreachable);
    }
}
