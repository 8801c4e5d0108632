//! Which request it was: an id for people, and a trace that whatever comes of it carries.
//!
//! The trace is the correlation id of every command that the request appends, and so of every
//! event and step that follows: one id finds them all, in the log and in what nodes print.

use crate::door::Shared;
use crate::problem::RUNS_TOO_MANY;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::effect::RUNS_HEADER;
use std::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_LEN_MAX: usize = 128;
/// So many runs may start one another; a workflow that starts itself ends there.
const RUNS_MAX: u8 = 100;

tokio::task_local! {
    /// Of the request that the task works on, so that no handler has to hand it on.
    static CAUSE: Cause;
}

/// What a request comes from.
#[derive(Clone, Copy)]
struct Cause {
    trace: Uuid,
    /// How many runs, each started by the one before it, have led to it.
    runs: u8,
}

/// The trace of the request that the task works on; none outside of one.
pub(crate) fn current() -> Option<Uuid> {
    CAUSE.try_with(|cause| cause.trace).ok()
}

/// How many runs, each started by the one before it, have led to the request that the task works on.
pub(crate) fn runs_before() -> u8 {
    CAUSE.try_with(|cause| cause.runs).unwrap_or_default()
}

/// Gives the request a trace and an id, or keeps those it came with, works on it inside a span,
/// and says how it ended.
pub(crate) async fn trace(State(door): State<Shared>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let trace = trace_id(request.headers()).unwrap_or_else(|| made(&door));
    let id = given(request.headers()).unwrap_or_else(|| named(trace));
    // The path alone: a query may hold a token.
    let span = tracing::info_span!(
        "request",
        method = %request.method(),
        path = request.uri().path(),
        request_id = id.to_str().unwrap_or_default(),
        trace_id = %trace.simple(),
    );
    let cause = Cause { trace, runs: runs(request.headers()) };
    let mut response = match cause.runs > RUNS_MAX {
        true => RUNS_TOO_MANY.plain().into_response(),
        false => CAUSE.scope(cause, next.run(request)).instrument(span.clone()).await,
    };
    span.in_scope(|| ended(response.status().as_u16(), began));
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// One line per request; those that failed for a reason of ours are seen without asking.
fn ended(status: u16, began: Instant) {
    let duration_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    if status >= 500 {
        tracing::info!(status, duration_us, "request ended");
    } else {
        tracing::debug!(status, duration_us, "request ended");
    }
}

/// What a run says that calls its own installation; an outsider who says it only hurts itself.
fn runs(headers: &HeaderMap) -> u8 {
    let said = headers.get(RUNS_HEADER).and_then(|value| value.to_str().ok());
    said.and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn given(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(REQUEST_ID)?;
    let sane = !id.is_empty() && id.len() <= REQUEST_ID_LEN_MAX && id.to_str().is_ok();
    sane.then(|| id.clone())
}

fn named(trace: Uuid) -> HeaderValue {
    HeaderValue::from_str(&trace.simple().to_string())
        .unwrap_or_else(|_| HeaderValue::from_static("-"))
}

fn made(door: &Shared) -> Uuid {
    let mut bytes = [0u8; 16];
    door.app.random.fill(&mut bytes);
    Uuid::from_bytes(bytes)
}

/// The trace id of a `traceparent` (W3C): `00-<32 hex>-<16 hex>-<2 hex>`.
fn trace_id(headers: &HeaderMap) -> Option<Uuid> {
    let mut parts = headers.get("traceparent")?.to_str().ok()?.split('-');
    let (_, trace) = (parts.next()?, parts.next()?);
    let trace = (trace.len() == 32).then(|| Uuid::try_parse(trace).ok()).flatten()?;
    (!trace.is_nil()).then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_id_is_read_only_where_it_is_one() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let of = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", HeaderValue::from_str(value).unwrap());
            trace_id(&headers).map(|trace| trace.simple().to_string())
        };
        assert_eq!(of(&format!("00-{id}-00f067aa0ba902b7-01")).as_deref(), Some(id));
        assert_eq!(of(&format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32))), None);
        assert_eq!(of("00-zz-00f067aa0ba902b7-01"), None);
        assert_eq!(of("nothing"), None);
    }
}
