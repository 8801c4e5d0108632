//! `POST …/sdk/triggers/{workflow}`: runs a workflow that has a request trigger.

mod file;
mod form;
mod input;

pub(crate) use form::fields;
pub(crate) use input::headers_map;

use crate::auth::Caller;
use crate::body::Received;
use crate::command::{Identity, Wish};
use crate::door::{Door, Shared};
use crate::idempotency::Within;
use crate::path::Address;
use crate::problem::{DECISION_LATE, INTERNAL, Outcome, TRIGGER_MISMATCH, WORKFLOW_UNKNOWN};
use crate::time::iso;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::answer::Answer;
use domain::command::ReceiveRequest;
use domain::id::{ExecutionId, ProjectId, WorkflowId};
use domain::key::Key;
use domain::meta::Actor;
use domain::time::Timestamp;
use domain::workflow::{Action, Trigger};
use input::Input;
use serde_json::json;

/// The status of a response that does not come in time.
const NOT_COMPLETED: u16 = 542;

/// Runs the workflow: 202 at once if it has no response step, else what its response step says.
pub(crate) async fn trigger(
    State(door): State<Shared>,
    caller: Caller,
    address: Address,
    headers: HeaderMap,
    Received(body): Received,
) -> Outcome<Response> {
    let workflow: WorkflowId = address.id("workflow", &WORKFLOW_UNKNOWN)?;
    let released = caller.project.released(workflow);
    let (_, definition) = released.ok_or_else(|| WORKFLOW_UNKNOWN.plain())?;
    let Trigger::Request(rules) = &definition.trigger else {
        return Err(TRIGGER_MISMATCH.plain());
    };
    let input = Input::read(&headers, address.query(), &body).await?;
    input.admit(rules)?;
    let route = format!("triggers/{workflow}");
    let within = Within { project: caller.id, user: &caller.user, route: &route };
    let identity = door.identity(&headers, &within, &[&body, address.query().as_bytes()])?;
    let credential = door.selected(&headers, caller.id, &caller.user).await?;
    let key = caller.key();
    let sealed = door.seal(&key, input.output().as_bytes()).await?;
    let size = i32::try_from(body.len()).unwrap_or(i32::MAX);
    let command = ReceiveRequest { workflow, credential, size, sealed }.into();
    let responds = definition.steps.iter().any(|s| matches!(s.action, Action::Response(_)));
    let call = Call { project: caller.id, workflow, key: key.clone(), identity, responds };
    door.call(call, Wish { key, actor: Actor::User, identity, command }).await
}

/// What is known of a call before it is decided.
struct Call {
    project: ProjectId,
    workflow: WorkflowId,
    key: Key,
    identity: Identity,
    /// Whether the workflow has a response step.
    responds: bool,
}

impl Call {
    /// The run that the call leads to: its id is derived, so it can be named beforehand.
    fn execution(&self) -> ExecutionId {
        ExecutionId::derived(self.identity.id, &self.key, 0)
    }

    fn accepted(&self) -> Response {
        let body = json!({
            "message": "Workflow has been enqueued.",
            "projectId": self.project,
            "workflowId": self.workflow,
            "executionId": self.execution(),
        });
        (StatusCode::ACCEPTED, Json(body)).into_response()
    }

    fn not_completed(&self, submitted_at: Timestamp) -> Response {
        let body = json!({
            "message": "Workflow has been enqueued but has not completed.",
            "dateSubmitted": iso(submitted_at),
            "projectId": self.project,
            "workflowId": self.workflow,
            "executionId": self.execution(),
        });
        let status = StatusCode::from_u16(NOT_COMPLETED).unwrap_or(StatusCode::GATEWAY_TIMEOUT);
        (status, Json(body)).into_response()
    }
}

impl Door {
    async fn call(&self, call: Call, wish: Wish) -> Outcome<Response> {
        let submitted_at = self.now();
        let waiting = self.app.answers.wait(call.identity.asked());
        self.append(wish).await?;
        let limits = &self.app.limits;
        let wait_ms =
            if call.responds { limits.response_timeout_ms } else { limits.decision_timeout_ms };
        match self.answer(waiting, wait_ms).await {
            Some(answer) => self.responded(&call, answer?).await,
            None if call.responds => Ok(call.not_completed(submitted_at)),
            None if call.identity.is_keyed() => Err(DECISION_LATE.plain()),
            // It is durable, and that is what 202 says.
            None => Ok(call.accepted()),
        }
    }

    async fn responded(&self, call: &Call, answer: Answer) -> Outcome<Response> {
        let (status, content_type, sealed) = match answer {
            Answer::Responded { status, content_type, sealed } => (status, content_type, sealed),
            Answer::Started { .. } => return Ok(call.accepted()),
            Answer::Done | Answer::Connected { .. } | Answer::Rejected { .. } => {
                return Err(INTERNAL.because("The workflow was not started."));
            }
        };
        let body = self.open(&call.key, &sealed).await?;
        let status = u16::try_from(status).ok().and_then(|s| StatusCode::from_u16(s).ok());
        let status = status.unwrap_or(StatusCode::OK);
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_TYPE);
        if let Ok(value) = HeaderValue::from_str(&content_type)
            && !content_type.is_empty()
        {
            headers.insert(header::CONTENT_TYPE, value);
        }
        Ok(response)
    }
}
