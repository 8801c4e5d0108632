//! The body of a request, within bounds.

use crate::door::Shared;
use crate::problem::{BODY_ENCODED, BODY_LATE, BODY_MALFORMED, BODY_TOO_LARGE, Outcome, Problem};
use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::LengthLimitError;
use std::error::Error as _;
use std::time::Duration;

/// A body of the SDK and admin APIs, as it was sent. The content type is not looked at: clients
/// send `application/json` with nothing, and `auto`.
pub(crate) struct Received(pub(crate) Bytes);

impl FromRequest<Shared> for Received {
    type Rejection = Problem;

    async fn from_request(request: Request, door: &Shared) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let limits = &door.app.limits;
        read(&parts.headers, body, limits.body_bytes_max, limits.body_timeout_ms)
            .await
            .map(Received)
    }
}

/// Reads a whole body.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    bytes_max: usize,
    timeout_ms: u64,
) -> Outcome<Bytes> {
    let encoding = headers.get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(BODY_ENCODED.plain());
    }
    let too_large = || BODY_TOO_LARGE.because(format!("The body has more than {bytes_max} bytes."));
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(too_large());
    }
    let whole = axum::body::to_bytes(body, bytes_max);
    match tokio::time::timeout(Duration::from_millis(timeout_ms), whole).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if error.source().is_some_and(|e| e.is::<LengthLimitError>()) => {
            Err(too_large())
        }
        Ok(Err(_)) => Err(BODY_MALFORMED.because("The body broke off.")),
        Err(_) => Err(BODY_LATE.plain()),
    }
}
