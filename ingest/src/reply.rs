//! Answers as callers read them.

use crate::openapi::{Operation, Output};
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

/// A JSON answer. Its type says what is in it and which status it has, also to the description.
pub(crate) struct Reply<T, const STATUS: u16 = 200> {
    body: T,
    is_kept: bool,
}

/// An object without fields.
#[derive(Clone, Default, Serialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Nothing {}

/// It is done, and there is nothing to say: 201 with an empty body.
pub(crate) struct Created;

impl IntoResponse for Created {
    fn into_response(self) -> Response {
        StatusCode::CREATED.into_response()
    }
}

impl Output for Created {
    fn describe(operation: &mut Operation<'_>) {
        operation.answers_nothing("201", "Created");
    }
}

impl<T, const STATUS: u16> Reply<T, STATUS> {
    /// An answer.
    pub(crate) fn new(body: T) -> Self {
        Self { body, is_kept: true }
    }

    /// An answer that no one in between may keep: clients read again right after they wrote.
    pub(crate) fn unkept(body: T) -> Self {
        Self { body, is_kept: false }
    }
}

impl<T: Serialize, const STATUS: u16> IntoResponse for Reply<T, STATUS> {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(STATUS).unwrap_or_default();
        let mut response = (status, Json(self.body)).into_response();
        if !self.is_kept {
            let value = HeaderValue::from_static("no-store");
            response.headers_mut().insert(header::CACHE_CONTROL, value);
        }
        response
    }
}

impl<T: JsonSchema, const STATUS: u16> Output for Reply<T, STATUS> {
    fn describe(operation: &mut Operation<'_>) {
        let status = StatusCode::from_u16(STATUS).unwrap_or_default();
        operation.answers::<T>(status.as_str(), status.canonical_reason().unwrap_or_default());
    }
}
