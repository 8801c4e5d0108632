//! The body of a request, within bounds.

use crate::door::Shared;
use crate::json::Text;
use crate::openapi::{Input, Operation};
use crate::problem::{BODY_ENCODED, BODY_LATE, BODY_MALFORMED, BODY_TOO_LARGE, Outcome, Problem};
use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::LengthLimitError;
use schemars::JsonSchema;
use serde::Deserialize;
use std::error::Error as _;
use std::marker::PhantomData;
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

/// What is sent in it is not looked at.
impl Input for Received {}

/// What a body is read as.
pub(crate) trait Read: JsonSchema {
    /// The same type, with what it borrows from the body.
    type From<'a>: Deserialize<'a>;
}

/// A body that is read as a `T`, and the bytes as they were sent: a repeat must have them in
/// common.
pub(crate) struct Sent<T> {
    /// The bytes.
    pub(crate) bytes: Bytes,
    of: PhantomData<fn() -> T>,
}

impl<T: Read> Sent<T> {
    /// Reads it.
    pub(crate) fn read(&self) -> Outcome<T::From<'_>> {
        Text::of(&self.bytes)?.object()
    }

    /// Reads it, and gives the text that its parts are parts of.
    pub(crate) fn read_text(&self) -> Outcome<(Text<'_>, T::From<'_>)> {
        let text = Text::of(&self.bytes)?;
        Ok((text, text.object()?))
    }
}

impl<T> FromRequest<Shared> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, door: &Shared) -> Result<Self, Problem> {
        let Received(bytes) = Received::from_request(request, door).await?;
        Ok(Self { bytes, of: PhantomData })
    }
}

impl<T: JsonSchema> Input for Sent<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.takes::<T>();
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
