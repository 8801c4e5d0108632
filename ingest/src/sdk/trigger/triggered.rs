//! What whoever calls a workflow is told.

use crate::openapi::{Operation, Output};
use crate::time::Iso;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::id::{ExecutionId, ProjectId, WorkflowId};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// The status of a response that does not come in time.
const NOT_COMPLETED: u16 = 542;

/// What whoever calls a workflow is told.
pub(crate) enum Triggered {
    /// There is no response step.
    Accepted(Accepted),
    /// The response step has not come in time.
    NotCompleted(Accepted),
    /// What the response step says.
    Responded {
        /// HTTP status.
        status: i32,
        /// The media type; empty if there is none.
        content_type: String,
        /// The body.
        body: Bytes,
    },
}

/// A run that was started.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Accepted {
    /// What became of it, for people.
    pub(super) message: &'static str,
    /// When it was called, if its response did not come in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) date_submitted: Option<Iso>,
    /// The project.
    pub(super) project_id: ProjectId,
    /// The workflow.
    pub(super) workflow_id: WorkflowId,
    /// The run.
    pub(super) execution_id: ExecutionId,
}

impl IntoResponse for Triggered {
    fn into_response(self) -> Response {
        match self {
            Triggered::Accepted(told) => (StatusCode::ACCEPTED, Json(told)).into_response(),
            Triggered::NotCompleted(told) => {
                let status =
                    StatusCode::from_u16(NOT_COMPLETED).unwrap_or(StatusCode::GATEWAY_TIMEOUT);
                (status, Json(told)).into_response()
            }
            Triggered::Responded { status, content_type, body } => {
                let status = u16::try_from(status).ok().and_then(|s| StatusCode::from_u16(s).ok());
                let mut response = (status.unwrap_or(StatusCode::OK), body).into_response();
                let headers = response.headers_mut();
                headers.remove(header::CONTENT_TYPE);
                if let Ok(value) = HeaderValue::from_str(&content_type)
                    && !content_type.is_empty()
                {
                    headers.insert(header::CONTENT_TYPE, value);
                }
                response
            }
        }
    }
}

impl Output for Triggered {
    fn describe(operation: &mut Operation<'_>) {
        let accepted = "The workflow has no response step; it was started.";
        let late = "The workflow has not come to its response step in time; it runs on.";
        operation.answers::<Accepted>(StatusCode::ACCEPTED.as_str(), accepted);
        operation.answers::<Value>("2XX", "What the workflow's response step says.");
        operation.answers::<Accepted>(&NOT_COMPLETED.to_string(), late);
    }
}
