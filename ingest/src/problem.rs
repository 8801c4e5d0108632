//! What went wrong, as callers read it: always JSON, always with a body.
//!
//! `{"message", "code", "status", "meta"}` is what existing clients parse. `code` is the number of
//! the public contract where it has one (`7203` for a user token that is no good), else the name
//! of the problem; `meta.error` is always the name, and `ops/docs/errors/<name>.md` explains it.

mod table;

pub use table::*;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::id::ProjectId;
use ports::{Error, VaultError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// A kind of problem.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code {
    /// Its public name.
    pub name: &'static str,
    /// `code` in the answer: a number of the public contract, or the name.
    pub wire: &'static str,
    /// HTTP status.
    pub status: u16,
    /// What happened, in general.
    pub text: &'static str,
}

/// What went wrong.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The kind.
    pub code: &'static Code,
    /// What happened this time; it never holds a secret.
    pub message: Cow<'static, str>,
    meta: Map<String, Value>,
    retry_after_s: Option<u32>,
}

/// What went wrong.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct Body {
    /// What happened this time.
    message: Cow<'static, str>,
    /// A number of the public contract where it has one, else the name of the problem.
    code: &'static str,
    /// The HTTP status.
    status: u16,
    #[schemars(schema_with = "meta_schema")]
    meta: Map<String, Value>,
}

/// `error` is the name of the problem; some problems say more.
fn meta_schema(_: &mut SchemaGenerator) -> Schema {
    let names: Vec<&str> = ALL.iter().map(|code| code.name).collect();
    json_schema!({
        "type": "object",
        "properties": { "error": { "enum": names } },
        "required": ["error"],
        "additionalProperties": true,
    })
}

/// The result of everything that can be refused.
pub type Outcome<T> = Result<T, Problem>;

impl Code {
    /// The problem with its general text.
    pub fn plain(&'static self) -> Problem {
        self.because(self.text)
    }

    /// The problem with a text of its own.
    pub fn because(&'static self, message: impl Into<Cow<'static, str>>) -> Problem {
        let mut meta = Map::new();
        meta.insert("error".into(), json!(self.name));
        let retry_after_s = (self.status == 503).then_some(1);
        Problem { code: self, message: message.into(), meta, retry_after_s }
    }
}

impl Problem {
    /// A refusal by the engine.
    pub fn refused(code: &str, reason: String) -> Self {
        match find(code) {
            Some(known) => known.because(reason),
            None => INTERNAL.because(reason).with("error", json!(code)),
        }
    }

    /// With one more field in `meta`.
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.meta.insert(field.to_owned(), value);
        self
    }

    /// With the time after which it may be sent again.
    pub fn after_ms(mut self, millis: u64) -> Self {
        self.retry_after_s = Some(u32::try_from(millis.div_ceil(1_000)).unwrap_or(u32::MAX).max(1));
        self
    }

    /// With the project it is about.
    pub fn of(self, project: ProjectId) -> Self {
        self.with("projectId", json!(project.to_string()))
    }

    /// The body of the answer.
    pub(crate) fn into_body(self) -> Body {
        let Self { code, message, meta, .. } = self;
        Body { message, code: code.wire, status: code.status, meta }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (code, retry_after_s) = (self.code, self.retry_after_s);
        let mut response = (status, Json(self.into_body())).into_response();
        // For whoever counts refusals.
        response.extensions_mut().insert(code);
        if let Some(seconds) = retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(reason) | Error::Conflict(reason) => {
                tracing::warn!(%reason, "the log or a store is unavailable");
                LOG_UNAVAILABLE.plain()
            }
            Error::Corrupt(reason) => {
                tracing::error!(%reason, "stored data contradicts itself");
                INTERNAL.plain()
            }
        }
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Port(error) => error.into(),
            VaultError::KeyGone { .. } => DATA_ERASED.plain(),
            VaultError::Forged { .. } | VaultError::Apart => {
                tracing::error!(%error, "a sealed payload does not open");
                INTERNAL.plain()
            }
        }
    }
}

#[cfg(test)]
mod tests;
