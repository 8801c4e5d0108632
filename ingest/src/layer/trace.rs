//! Which request it was: an id for people, a span for whoever follows it through the system.

use crate::door::Shared;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_LEN_MAX: usize = 128;

/// Gives the request an id, or keeps the one it came with, and works on it inside a span.
pub(crate) async fn trace(State(door): State<Shared>, request: Request, next: Next) -> Response {
    let id = given(request.headers()).unwrap_or_else(|| made(&door));
    // The path alone: a query may hold a token.
    let span = tracing::info_span!(
        "request",
        method = %request.method(),
        path = request.uri().path(),
        request_id = id.to_str().unwrap_or_default(),
        trace_id = trace_id(request.headers()).unwrap_or_default(),
        status = tracing::field::Empty,
    );
    let mut response = next.run(request).instrument(span.clone()).await;
    span.record("status", response.status().as_u16());
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

fn given(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(REQUEST_ID)?;
    let sane = !id.is_empty() && id.len() <= REQUEST_ID_LEN_MAX && id.to_str().is_ok();
    sane.then(|| id.clone())
}

fn made(door: &Shared) -> HeaderValue {
    let mut bytes = [0u8; 16];
    door.app.random.fill(&mut bytes);
    HeaderValue::from_str(&hex::encode(bytes)).unwrap_or_else(|_| HeaderValue::from_static("-"))
}

/// The trace id of a `traceparent` (W3C): `00-<32 hex>-<16 hex>-<2 hex>`.
fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let mut parts = headers.get("traceparent")?.to_str().ok()?.split('-');
    let (_, trace) = (parts.next()?, parts.next()?);
    let sane = trace.len() == 32
        && trace.bytes().all(|byte| byte.is_ascii_hexdigit())
        && trace.bytes().any(|byte| byte != b'0');
    sane.then_some(trace)
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
            trace_id(&headers).map(str::to_owned)
        };
        assert_eq!(of(&format!("00-{id}-00f067aa0ba902b7-01")).as_deref(), Some(id));
        assert_eq!(of(&format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32))), None);
        assert_eq!(of("00-zz-00f067aa0ba902b7-01"), None);
        assert_eq!(of("nothing"), None);
    }
}
