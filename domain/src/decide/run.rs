//! What starts executions.

use super::advance::{Walk, advance};
use super::user::user_row;
use super::{Given, Halt, Open, Rejected, project_of, user_key};
use crate::command::{Command, DeliverWebhook, ReceiveEvent, ReceiveRequest};
use crate::config::Project;
use crate::event::{Event, EventReceived, ExecutionStarted, TriggerKind};
use crate::id::{CredentialId, ExecutionId, WorkflowId};
use crate::key::Key;
use crate::meta::Recorded;
use crate::payload::Payload;
use crate::state::{Execution, User};
use crate::workflow::{Action, Trigger, Workflow};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One start: which version, for which account, and why.
struct Start<'a> {
    workflow: &'a Arc<Workflow>,
    version: i32,
    credential: CredentialId,
    trigger: TriggerKind,
    detail: &'a str,
    wants_response: bool,
    size: i32,
    sealed: &'a Payload,
}

pub(super) fn receive_event(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    c: &ReceiveEvent,
) -> Result<Vec<Event>, Halt> {
    let (key, _) = user_key(command)?;
    let project = project_of(given, command)?;
    let mut starts = Vec::new();
    for (id, version, workflow) in project.started_by_event(&c.name) {
        for credential in enabled_accounts(given, &key, project, id, c.credential) {
            starts.push(Start {
                workflow,
                version,
                credential,
                trigger: TriggerKind::AppEvent,
                detail: &c.name,
                wants_response: false,
                size: c.size,
                sealed: &c.sealed,
            });
        }
    }
    let received =
        EventReceived { name: c.name.clone(), executions: starts.len() as i32, size: c.size };
    let mut events = vec![Event::EventReceived(received)];
    start_all(given, open, command, &starts, &mut events)?;
    Ok(events)
}

pub(super) fn deliver_webhook(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    c: &DeliverWebhook,
) -> Result<Vec<Event>, Halt> {
    let (key, _) = user_key(command)?;
    let project = project_of(given, command)?;
    let mut starts = Vec::new();
    for (id, version, workflow) in project.started_by_webhook(c.integration, &c.name) {
        // A workflow of the webhook's own integration runs for the account the delivery is for;
        // one of another integration for each of its accounts.
        let only = (workflow.integration == c.integration).then_some(c.credential);
        for credential in enabled_accounts(given, &key, project, id, only) {
            starts.push(Start {
                workflow,
                version,
                credential,
                trigger: TriggerKind::Webhook,
                detail: &c.name,
                wants_response: false,
                size: c.size,
                sealed: &c.sealed,
            });
        }
    }
    let received =
        EventReceived { name: c.name.clone(), executions: starts.len() as i32, size: c.size };
    let mut events = vec![Event::EventReceived(received)];
    start_all(given, open, command, &starts, &mut events)?;
    Ok(events)
}

pub(super) fn receive_request(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    c: &ReceiveRequest,
) -> Result<Vec<Event>, Halt> {
    let (key, _) = user_key(command)?;
    let project = project_of(given, command)?;
    let Some((version, workflow)) = project.released(c.workflow) else {
        let reason = format!("No deployed workflow {}.", c.workflow);
        return Err(Rejected::new("WORKFLOW_UNKNOWN", reason).into());
    };
    if !matches!(workflow.trigger, Trigger::Request(_)) {
        let reason = "The workflow is not triggered by requests.";
        return Err(Rejected::new("TRIGGER_MISMATCH", reason).into());
    }
    if user_row(given, &key).is_some_and(|user| user.disabled) {
        return Err(Rejected::new("USER_DISABLED", "The user is disabled.").into());
    }
    let accounts = enabled_accounts(given, &key, project, c.workflow, c.credential);
    let Some(credential) = accounts.first() else {
        let reason = "The workflow is not enabled for this user.";
        return Err(Rejected::new("WORKFLOW_DISABLED", reason).into());
    };
    let start = Start {
        workflow,
        version,
        credential: *credential,
        trigger: TriggerKind::Request,
        detail: &workflow.name,
        wants_response: workflow.steps.iter().any(|s| matches!(s.action, Action::Response(_))),
        size: c.size,
        sealed: &c.sealed,
    };
    let mut events = Vec::new();
    start_all(given, open, command, &[start], &mut events)?;
    Ok(events)
}

/// The user's accounts for which the workflow is switched on; none for a disabled user or an
/// inactive integration.
fn enabled_accounts(
    given: &Given<'_>,
    key: &Key,
    project: &Project,
    workflow: WorkflowId,
    only: Option<CredentialId>,
) -> Vec<CredentialId> {
    let Some(user) = user_row(given, key).filter(|user| !user.disabled) else {
        return Vec::new();
    };
    let active = |user: &User, id: &CredentialId| {
        let integration = user.credentials.get(id).map(|credential| credential.integration);
        integration.and_then(|id| project.integrations.get(&id)).is_some_and(|i| i.active)
    };
    user.credentials
        .iter()
        .filter(|(id, _)| only.is_none_or(|only| **id == only))
        .filter(|(_, credential)| credential.enabled.contains(&workflow))
        .map(|(id, _)| *id)
        .filter(|id| active(user, id))
        .collect()
}

fn start_all(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    starts: &[Start<'_>],
    events: &mut Vec<Event>,
) -> Result<(), Halt> {
    let (key, user) = user_key(command)?;
    for (position, start) in starts.iter().enumerate() {
        let id = ExecutionId::derived(command.meta.command_id, &key, position as u32);
        events.push(Event::ExecutionStarted(ExecutionStarted {
            execution: id,
            workflow: start.workflow.id,
            version: start.version,
            integration: start.workflow.integration,
            credential: start.credential,
            trigger: start.trigger,
            trigger_detail: start.detail.to_owned(),
            wants_response: start.wants_response,
            size: start.size,
            sealed: start.sealed.clone(),
        }));
        let run = Execution {
            project: command.meta.project,
            user: user.clone(),
            workflow: start.workflow.id,
            version: start.version,
            integration: start.workflow.integration,
            credential: start.credential,
            trigger: start.trigger,
            started_at: given.now,
            trigger_output: start.sealed.clone(),
            command: command.meta.command_id,
            body_hash: command.meta.body_hash,
            correlation_id: command.meta.correlation_id,
            wants_response: start.wants_response,
            outputs: BTreeMap::new(),
            pending: None,
            task_count: 0,
        };
        let first = (!start.workflow.steps.is_empty()).then_some(0);
        let walk = Walk { id, run: &run, workflow: start.workflow, now: given.now };
        advance(&walk, open, first, events)?;
    }
    Ok(())
}
