//! What an address says: its parts that are not fixed, and its query.

use crate::openapi::Input;
use crate::problem::{
    Code, INTEGRATION_UNKNOWN, Outcome, PATH_MALFORMED, PROJECT_UNKNOWN, Problem,
};
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::http::{Method, Uri};
use domain::config::{IntegrationSettings, Project};
use domain::id::ProjectId;
use std::str::FromStr;
use std::sync::Arc;

/// What an address says.
pub(crate) struct Address {
    parts: RawPathParams,
    method: Method,
    uri: Uri,
}

impl Address {
    /// The part as text; empty if the address has no such part.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.parts.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// How it was called.
    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    /// The path as it was called.
    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    /// The path and what follows it, as it was called.
    pub(crate) fn whole(&self) -> &str {
        self.uri.path_and_query().map_or_else(|| self.uri.path(), |whole| whole.as_str())
    }

    /// What follows the `?`; empty if nothing does.
    pub(crate) fn query(&self) -> &str {
        self.uri.query().unwrap_or_default()
    }

    /// The part as an id; a part that is none names nothing that exists.
    pub(crate) fn id<T: FromStr>(&self, name: &str, unknown: &'static Code) -> Outcome<T> {
        self.text(name).parse().map_err(|_| unknown.plain())
    }

    /// The project.
    pub(crate) fn project(&self) -> Outcome<ProjectId> {
        self.id("project", &PROJECT_UNKNOWN)
    }

    /// The integration, by id or kind.
    pub(crate) fn integration<'a>(
        &self,
        project: &'a Project,
    ) -> Outcome<&'a Arc<IntegrationSettings>> {
        let named = project.integration_named(self.text("integration"));
        named.ok_or_else(|| INTEGRATION_UNKNOWN.plain())
    }
}

/// The parts of a path are described where the path is.
impl Input for Address {}

impl<S: Send + Sync> FromRequestParts<S> for Address {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let (method, uri) = (parts.method.clone(), parts.uri.clone());
        let parts = RawPathParams::from_request_parts(parts, state).await;
        Ok(Self { parts: parts.map_err(|_| PATH_MALFORMED.plain())?, method, uri })
    }
}
