//! `POST …/sdk/triggers/{workflow}`: runs a workflow that has a request trigger.

mod file;
mod form;
mod input;
mod triggered;

pub(crate) use form::fields;
pub(crate) use input::headers_map;

use crate::auth::Caller;
use crate::body::Sent;
use crate::command::{Identity, Wish};
use crate::door::{Door, Shared};
use crate::idempotency::{IdempotencyKey, Within};
use crate::path::Address;
use crate::problem::{DECISION_LATE, INTERNAL, Outcome, TRIGGER_MISMATCH, WORKFLOW_UNKNOWN};
use crate::selector::Selection;
use crate::time::Iso;
use axum::extract::State;
use axum::http::HeaderMap;
use domain::answer::Answer;
use domain::command::ReceiveRequest;
use domain::id::{ExecutionId, ProjectId, WorkflowId};
use domain::key::Key;
use domain::meta::Actor;
use domain::time::Timestamp;
use domain::workflow::{Action, Trigger};
use input::Input;
use serde_json::Value;
use triggered::{Accepted, Triggered};

/// Runs the workflow: 202 at once if it has no response step, else what its response step says.
pub(crate) async fn trigger(
    State(door): State<Shared>,
    caller: Caller,
    address: Address,
    headers: HeaderMap,
    (key, selection): (IdempotencyKey, Selection),
    body: Sent<Value>,
) -> Outcome<Triggered> {
    let workflow: WorkflowId = address.id("workflow", &WORKFLOW_UNKNOWN)?;
    let released = caller.project.released(workflow);
    let (_, definition) = released.ok_or_else(|| WORKFLOW_UNKNOWN.plain())?;
    let Trigger::Request(rules) = &definition.trigger else {
        return Err(TRIGGER_MISMATCH.plain());
    };
    let input = Input::read(&headers, address.query(), &body.bytes).await?;
    input.admit(rules)?;
    let route = format!("triggers/{workflow}");
    let within = Within { project: caller.id, user: &caller.user, route: &route };
    let parts = [&body.bytes[..], address.query().as_bytes()];
    let identity = door.identity(&key, &within, &parts)?;
    let selector = selection.read()?;
    let credential = door.selected(selector.as_ref(), &caller, identity).await?;
    let key = caller.key();
    let sealed = door.seal(&key, input.output().as_bytes()).await?;
    let size = i32::try_from(body.bytes.len()).unwrap_or(i32::MAX);
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

    fn accepted(&self) -> Triggered {
        Triggered::Accepted(self.told("Workflow has been enqueued.", None))
    }

    fn not_completed(&self, submitted_at: Timestamp) -> Triggered {
        let message = "Workflow has been enqueued but has not completed.";
        Triggered::NotCompleted(self.told(message, Some(submitted_at)))
    }

    fn told(&self, message: &'static str, submitted_at: Option<Timestamp>) -> Accepted {
        Accepted {
            message,
            date_submitted: submitted_at.map(Iso),
            project_id: self.project,
            workflow_id: self.workflow,
            execution_id: self.execution(),
        }
    }
}

impl Door {
    async fn call(&self, call: Call, wish: Wish) -> Outcome<Triggered> {
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

    async fn responded(&self, call: &Call, answer: Answer) -> Outcome<Triggered> {
        let (status, content_type, sealed) = match answer {
            Answer::Responded { status, content_type, sealed } => (status, content_type, sealed),
            Answer::Started { .. } => return Ok(call.accepted()),
            Answer::Done | Answer::Connected { .. } | Answer::Rejected { .. } => {
                return Err(INTERNAL.because("The workflow was not started."));
            }
        };
        let body = self.open(&call.key, &sealed).await?;
        Ok(Triggered::Responded { status, content_type, body })
    }
}
