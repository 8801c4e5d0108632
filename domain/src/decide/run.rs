//! What starts executions.

use super::advance::{Walk, advance};
use super::permission::{Permissions, unpermitted};
use super::settings::incomplete;
use super::user::user_row;
use super::{Given, Halt, Missing, Open, Rejected, project_of, user_key};
use crate::command::{
    Command, ContinueStarts, DeliverWebhook, ReceiveEvent, ReceiveRequest, StartEnabled,
};
use crate::config::Project;
use crate::event::{Event, EventReceived, ExecutionStarted, StartsDeferred, TriggerKind};
use crate::id::{CredentialId, ExecutionId, IntegrationId, WorkflowId};
use crate::key::Key;
use crate::meta::Recorded;
use crate::payload::Payload;
use crate::state::{Execution, Lineage};
use crate::workflow::mapping::mapped;
use crate::workflow::{Action, Trigger, Workflow};
use bytes::Bytes;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A decision begins no further start after so many events; the rest is deferred.
const STARTS_EVENTS_MAX: usize = 400;

/// Instead of the name of a webhook: the integration was enabled. No delivery is called nothing, for
/// no trigger is.
const ENABLED: &str = "";

/// What wants to start workflows.
struct Cause<'a> {
    /// The app event, what the webhook said happened, or [`ENABLED`].
    name: &'a str,
    /// The integration of a webhook, or the one that was enabled.
    webhook_of: Option<IntegrationId>,
    /// The only account that it is for.
    only: Option<CredentialId>,
    size: i32,
    sealed: &'a Payload,
}

/// One start: which version, for which account, and why.
pub(super) struct Start<'a> {
    pub(super) workflow: &'a Arc<Workflow>,
    pub(super) version: i32,
    pub(super) credential: CredentialId,
    pub(super) trigger: TriggerKind,
    pub(super) detail: &'a str,
    pub(super) wants_response: bool,
    pub(super) size: i32,
    pub(super) sealed: &'a Payload,
}

impl Start<'_> {
    /// Its place among the starts of one cause.
    fn place(&self) -> (WorkflowId, CredentialId) {
        (self.workflow.id, self.credential)
    }
}

pub(super) fn receive_event(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    c: &ReceiveEvent,
) -> Result<Vec<Event>, Halt> {
    let (only, size, sealed) = (c.credential, c.size, &c.sealed);
    receive(given, open, command, &Cause { name: &c.name, webhook_of: None, only, size, sealed })
}

pub(super) fn deliver_webhook(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    c: &DeliverWebhook,
) -> Result<Vec<Event>, Halt> {
    let (only, size, sealed) = (Some(c.credential), c.size, &c.sealed);
    let webhook_of = Some(c.integration);
    receive(given, open, command, &Cause { name: &c.name, webhook_of, only, size, sealed })
}

fn receive(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    cause: &Cause<'_>,
) -> Result<Vec<Event>, Halt> {
    let starts = starts(given, open, command, cause)?;
    let executions = i32::try_from(starts.len()).unwrap_or(i32::MAX);
    let received = EventReceived { name: cause.name.to_owned(), executions, size: cause.size };
    let mut events = vec![Event::EventReceived(received)];
    start_some(given, open, command, (cause, &starts), &mut events)?;
    Ok(events)
}

/// Goes on behind the last start, with what is switched on now.
pub(super) fn continue_starts(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    c: &ContinueStarts,
) -> Result<Vec<Event>, Halt> {
    let (webhook_of, only, size, sealed) = (c.integration, c.credential, c.size, &c.sealed);
    let cause = Cause { name: &c.name, webhook_of, only, size, sealed };
    let mut starts = starts(given, open, command, &cause)?;
    starts.retain(|start| start.place() > (c.after_workflow, c.after_credential));
    if starts.is_empty() {
        let reason = "What was left to start has been switched off.";
        return Err(Rejected::new("WORKFLOW_DISABLED", reason).into());
    }
    let mut events = Vec::new();
    start_some(given, open, command, (&cause, &starts), &mut events)?;
    Ok(events)
}

/// The account is connected, and everything that its integration requires is set.
pub(super) fn start_enabled(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    c: &StartEnabled,
) -> Result<Vec<Event>, Halt> {
    let (webhook_of, only) = (Some(c.integration), Some(c.credential));
    let sealed = &Payload::Open(Bytes::from_static(b"{}"));
    let cause = Cause { name: ENABLED, webhook_of, only, size: 0, sealed };
    let starts = starts(given, open, command, &cause)?;
    if starts.is_empty() {
        let reason = "No workflow waits for the integration to be enabled.";
        return Err(Rejected::new("WORKFLOW_DISABLED", reason).into());
    }
    let mut events = Vec::new();
    start_some(given, open, command, (&cause, &starts), &mut events)?;
    Ok(events)
}

/// Everything that the cause starts, in a fixed order.
fn starts<'a>(
    given: &Given<'a>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    cause: &Cause<'a>,
) -> Result<Vec<Start<'a>>, Halt> {
    let (key, _) = user_key(command)?;
    let project = project_of(given, command)?;
    let started: Vec<_> = match cause.webhook_of {
        None => project.started_by_event(cause.name).collect(),
        Some(integration) if cause.name == ENABLED => {
            project.started_by_enabling(integration).collect()
        }
        Some(integration) => project.started_by_webhook(integration, cause.name).collect(),
    };
    let mut starts = Vec::new();
    let mut permissions = Permissions::of(given, &key);
    for (_, version, workflow) in started {
        if !permissions.permit(open, workflow)? {
            continue;
        }
        // A workflow of the webhook's own integration runs for the account the delivery is for;
        // one of another integration for each of its accounts.
        let only = match cause.webhook_of {
            Some(integration) if workflow.integration != integration => None,
            Some(_) | None => cause.only,
        };
        let trigger = match cause.webhook_of {
            Some(_) if cause.name == ENABLED => TriggerKind::IntegrationEnabled,
            Some(_) => TriggerKind::Webhook,
            None => TriggerKind::AppEvent,
        };
        let detail = match trigger {
            TriggerKind::IntegrationEnabled => &workflow.name,
            _ => cause.name,
        };
        for credential in enabled_accounts(given, &key, project, workflow, only).0 {
            starts.push(Start {
                workflow,
                version,
                credential,
                trigger,
                detail,
                wants_response: false,
                size: cause.size,
                sealed: cause.sealed,
            });
        }
    }
    starts.sort_by_key(Start::place);
    Ok(starts)
}

/// Starts as much as one decision may hold, and says where the rest begins.
fn start_some(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    (cause, starts): (&Cause<'_>, &[Start<'_>]),
    events: &mut Vec<Event>,
) -> Result<(), Halt> {
    for (position, one) in starts.iter().enumerate() {
        if events.len() >= STARTS_EVENTS_MAX
            && let Some(last) = position.checked_sub(1).and_then(|last| starts.get(last))
        {
            let (after_workflow, after_credential) = last.place();
            events.push(Event::StartsDeferred(StartsDeferred {
                name: cause.name.to_owned(),
                integration: cause.webhook_of,
                credential: cause.only,
                after_workflow,
                after_credential,
                size: cause.size,
                sealed: cause.sealed.clone(),
            }));
            return Ok(());
        }
        start(given, open, command, (position as u32, one), events)?;
    }
    Ok(())
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
    let credential = ready_account(given, open, (&key, project), workflow, c.credential)?;
    let start = Start {
        workflow,
        version,
        credential,
        trigger: TriggerKind::Request,
        detail: &workflow.name,
        wants_response: workflow.steps.iter().any(|s| matches!(s.action, Action::Response(_))),
        size: c.size,
        sealed: &c.sealed,
    };
    let mut events = Vec::new();
    self::start(given, open, command, (0, &start), &mut events)?;
    Ok(events)
}

/// The account that one start of the workflow is for, the first that fits.
pub(super) fn ready_account(
    given: &Given<'_>,
    open: &mut dyn Open,
    (key, project): (&Key, &Project),
    workflow: &Workflow,
    only: Option<CredentialId>,
) -> Result<CredentialId, Halt> {
    if user_row(given, key).is_some_and(|user| user.disabled) {
        return Err(Rejected::new("USER_DISABLED", "The user is disabled.").into());
    }
    if !Permissions::of(given, key).permit(open, workflow)? {
        return Err(unpermitted(workflow).into());
    }
    let (accounts, missing) = enabled_accounts(given, key, project, workflow, only);
    if let Some(first) = accounts.first() {
        return Ok(*first);
    }
    if !missing.is_empty() {
        return Err(incomplete(workflow, &missing).into());
    }
    let reason = "The workflow is not enabled for this user.";
    Err(Rejected::new("WORKFLOW_DISABLED", reason).into())
}

/// The user's accounts for which the workflow is switched on and everything that it requires is
/// set; none for a disabled user or an inactive integration. Then what else it requires, by id.
fn enabled_accounts<'a>(
    given: &Given<'a>,
    key: &Key,
    project: &'a Project,
    workflow: &'a Workflow,
    only: Option<CredentialId>,
) -> (Vec<CredentialId>, Vec<&'a str>) {
    let (mut ready, mut missing) = (Vec::new(), Vec::new());
    // It comes once: while the integration is inactive, its first step waits.
    let is_once = workflow.trigger == Trigger::IntegrationEnabled;
    let user = user_row(given, key).filter(|user| !user.disabled);
    let accounts = user.into_iter().flat_map(|user| &user.credentials);
    for (id, credential) in accounts.filter(|(id, _)| only.is_none_or(|only| **id == only)) {
        let integration = project.integrations.get(&credential.integration);
        let Some(integration) = integration.filter(|found| found.active || is_once) else {
            continue;
        };
        // Users do not switch it on either.
        if !is_once && !credential.enabled.contains(&workflow.id) {
            continue;
        }
        match credential.missing(workflow.id, (&integration.inputs, &workflow.inputs)) {
            none if none.is_empty() => ready.push(*id),
            some => missing.extend(some),
        }
    }
    (ready, missing)
}

/// What the trigger gives: where the workflow says so, with the payload as the user mapped it.
fn output(
    given: &Given<'_>,
    open: &mut dyn Open,
    key: &Key,
    start: &Start<'_>,
) -> Result<Payload, Missing> {
    let Some(id) = &start.workflow.field_mapping else { return Ok(start.sealed.clone()) };
    let user = user_row(given, key);
    let settings = user.and_then(|user| Some(&user.credentials.get(&start.credential)?.settings));
    let is_own = start.workflow.inputs.iter().any(|input| input.id == *id);
    let saved = settings.and_then(|settings| match is_own {
        true => settings.workflows.get(&start.workflow.id),
        false => Some(&settings.shared),
    });
    let mapping = match saved.and_then(|saved| saved.sealed.as_ref()) {
        Some(sealed) => open.json(key, sealed)?.get(id).cloned().unwrap_or_default(),
        None => Value::Null,
    };
    let output = open.json(key, start.sealed)?;
    Ok(Payload::json(&mapped(&start.workflow.trigger, output, &mapping)))
}

pub(super) fn start(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    (position, start): (u32, &Start<'_>),
    events: &mut Vec<Event>,
) -> Result<(), Halt> {
    let (key, _) = user_key(command)?;
    let id = ExecutionId::derived(command.meta.command_id, &key, position);
    let sealed = output(given, open, &key, start)?;
    let (started, run) = begun(given, command, id, start, sealed)?;
    events.push(Event::ExecutionStarted(started));
    let first = (!start.workflow.steps.is_empty()).then_some(0);
    let lineage = Lineage { id, run: &run, nest: None, within: Vec::new() };
    let (workflow, now, rows) = (start.workflow, given.now, given.rows);
    let walk = Walk { lineage, workflow, now, config: given.config, rows, wakes: true };
    advance(&walk, open, first, events)?;
    Ok(())
}

/// A run that begins with `sealed` as what its trigger gave, and the record of that.
pub(super) fn begun(
    given: &Given<'_>,
    command: &Recorded<Command>,
    id: ExecutionId,
    start: &Start<'_>,
    sealed: Payload,
) -> Result<(ExecutionStarted, Execution), Rejected> {
    let (_, user) = user_key(command)?;
    let started = ExecutionStarted {
        execution: id,
        workflow: start.workflow.id,
        version: start.version,
        integration: start.workflow.integration,
        credential: start.credential,
        trigger: start.trigger,
        trigger_detail: start.detail.to_owned(),
        wants_response: start.wants_response,
        size: start.size,
        sealed: sealed.clone(),
    };
    let run = Execution {
        project: command.meta.project,
        user,
        workflow: start.workflow.id,
        version: start.version,
        integration: start.workflow.integration,
        credential: start.credential,
        trigger: start.trigger,
        started_at: given.now,
        trigger_output: sealed,
        command: command.meta.command_id,
        body_hash: command.meta.body_hash,
        correlation_id: command.meta.correlation_id,
        wants_response: start.wants_response,
        outputs: BTreeMap::new(),
        pending: None,
        task_count: 0,
    };
    Ok((started, run))
}
