//! Accounts, workflow switches, metadata.

use super::permission::{Permissions, switched_off, unpermitted};
use super::settings::{enabled, incomplete};
use super::{Given, Halt, Open, Rejected, project_of, user_key};
use crate::command::{
    Command, ConnectCredential, DescribeUser, RemoveCredential, SwitchUser, SwitchWorkflow,
};
use crate::config::missing;
use crate::event::{
    CredentialConnected, CredentialRemoved, Event, UserDeleted, UserDescribed, UserSwitched,
    WorkflowSwitched,
};
use crate::id::{CommandId, CredentialId, IntegrationId, routed};
use crate::key::Key;
use crate::meta::Recorded;
use crate::metadata::{self, METADATA_BYTES_MAX};
use crate::payload::Payload;
use crate::state::{RowKey, User};
use crate::workflow::Workflow;
use bytes::Bytes;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

pub(super) fn user_row<'a>(given: &Given<'a>, key: &Key) -> Option<&'a User> {
    let Key::User(project, user) = key else { return None };
    given.rows.user(&RowKey::User(*project, user.clone()))
}

pub(super) fn connect(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    c: &ConnectCredential,
) -> Result<Vec<Event>, Halt> {
    let (key, _) = user_key(command)?;
    let project = project_of(given, command)?;
    let Some(integration) = project.integrations.get(&c.integration) else {
        return Err(unknown_integration(c.integration).into());
    };
    if !integration.active {
        let reason = format!("The integration {} is not active.", integration.name);
        return Err(Rejected::new("INTEGRATION_INACTIVE", reason).into());
    }
    let row = user_row(given, &key);
    let existing = row.and_then(|user| match c.credential {
        Some(credential) => user.credentials.get_key_value(&credential),
        None if c.another => None,
        None => user.accounts_at(c.integration).next(),
    });
    if let (Some(credential), None) = (c.credential, existing) {
        return Err(unknown_credential(credential).into());
    }
    if row.is_some_and(|user| existing.is_none() && user.credentials.len() >= CREDENTIALS_MAX) {
        let reason = format!("A user can connect at most {CREDENTIALS_MAX} accounts.");
        return Err(Rejected::new("CREDENTIALS_TOO_MANY", reason).into());
    }
    let fresh = |position| made_id(&key, command.meta.command_id, position);
    let id = existing.map_or_else(|| fresh(MADE_ACCOUNT), |(id, _)| *id);
    let configuration =
        existing.map_or_else(|| fresh(MADE_CONFIGURATION), |(_, c)| c.configuration);
    let mut events = vec![Event::CredentialConnected(CredentialConnected {
        credential: id,
        configuration,
        integration: c.integration,
        provider_id: c.provider_id.clone(),
        external_id: c.external_id.clone(),
        sealed: c.sealed.clone(),
    })];
    if existing.is_none() {
        // "Default to enabled" applies when an account is connected, and only then (34).
        let mut permissions = Permissions::of(given, &key);
        for (workflow, definition) in project.enabled_by_default(c.integration) {
            if !permissions.permit(open, definition)? {
                continue;
            }
            events.push(Event::WorkflowSwitched(WorkflowSwitched {
                workflow,
                credential: id,
                enabled: true,
            }));
        }
        events.extend(enabled(project, integration, (id, &BTreeSet::new())));
    }
    Ok(events)
}

/// Accounts of one user over all integrations.
const CREDENTIALS_MAX: usize = 1_000;

/// Of the ids that a connecting command makes, the account's.
const MADE_ACCOUNT: u32 = 0;
/// Of the ids that a connecting command makes, the configuration's.
pub const MADE_CONFIGURATION: u32 = 1;

/// An id that a connecting command makes, if it connects an account that was not there before.
pub fn made_id(key: &Key, cause: CommandId, position: u32) -> CredentialId {
    CredentialId(routed(key.hash16(), *CommandId::derived(&cause.0, key, position).bytes()))
}

pub(super) fn remove(
    given: &Given<'_>,
    command: &Recorded<Command>,
    c: &RemoveCredential,
) -> Result<Vec<Event>, Halt> {
    let (key, _) = user_key(command)?;
    let row = user_row(given, &key);
    let found = row.and_then(|user| match c.credential {
        Some(credential) => user.credentials.get_key_value(&credential),
        None => user.accounts_at(c.integration).next(),
    });
    let Some((id, credential)) = found else {
        return Err(Rejected::new(
            "CREDENTIAL_UNKNOWN",
            "The integration is not connected for this user.",
        )
        .into());
    };
    Ok(vec![Event::CredentialRemoved(CredentialRemoved {
        credential: *id,
        integration: credential.integration,
        provider_id: credential.provider_id.clone(),
    })])
}

/// Accounts are removed one by one, so that whoever follows them follows this too.
pub(super) fn delete(given: &Given<'_>, command: &Recorded<Command>) -> Result<Vec<Event>, Halt> {
    let (key, _) = user_key(command)?;
    let Some(user) = user_row(given, &key) else {
        let reason = "Nothing is known of the user.";
        return Err(Rejected::new("USER_UNKNOWN", reason).into());
    };
    let removed = user.credentials.iter().map(|(id, credential)| {
        Event::CredentialRemoved(CredentialRemoved {
            credential: *id,
            integration: credential.integration,
            provider_id: credential.provider_id.clone(),
        })
    });
    Ok(removed.chain([Event::UserDeleted(UserDeleted {})]).collect())
}

pub(super) fn switch_workflow(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    c: &SwitchWorkflow,
) -> Result<Vec<Event>, Halt> {
    let (key, _) = user_key(command)?;
    let project = project_of(given, command)?;
    let Some((_, workflow)) = project.released(c.workflow) else {
        let reason = format!("No deployed workflow {}.", c.workflow);
        return Err(Rejected::new("WORKFLOW_UNKNOWN", reason).into());
    };
    let row = user_row(given, &key);
    let found = row.and_then(|user| match c.credential {
        Some(credential) => user.credentials.get_key_value(&credential),
        None => user.accounts_at(workflow.integration).next(),
    });
    let Some((id, credential)) = found else {
        let reason = "Connect the integration before switching its workflows.";
        return Err(Rejected::new("CREDENTIAL_UNKNOWN", reason).into());
    };
    if c.enabled && !Permissions::of(given, &key).permit(open, workflow)? {
        return Err(unpermitted(workflow).into());
    }
    let saved = credential.settings.workflows.get(&c.workflow);
    let filled = saved.map(|saved| saved.filled.clone()).unwrap_or_default();
    Ok(vec![switched(workflow, *id, c.enabled, &filled)?])
}

/// A workflow whose required settings have no values cannot be switched on (behaviours.md 35).
pub(super) fn switched(
    workflow: &Workflow,
    credential: CredentialId,
    enabled: bool,
    filled: &BTreeSet<String>,
) -> Result<Event, Rejected> {
    let missing = missing(&workflow.inputs, filled);
    if enabled && !missing.is_empty() {
        return Err(incomplete(workflow, &missing));
    }
    Ok(Event::WorkflowSwitched(WorkflowSwitched { workflow: workflow.id, credential, enabled }))
}

/// The command says what changes, so that of two at once neither undoes the other.
pub(super) fn describe(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    c: &DescribeUser,
) -> Result<Vec<Event>, Halt> {
    let (key, _) = user_key(command)?;
    let Value::Object(change) = open.json(&key, &c.sealed)? else {
        return Err(Rejected::new("BODY_MALFORMED", "Metadata is a JSON object.").into());
    };
    let known = match user_row(given, &key).and_then(|user| user.metadata.as_ref()) {
        Some(sealed) => open.json(&key, sealed)?,
        None => Value::Null,
    };
    let known = if let Value::Object(known) = known { known } else { Map::new() };
    let metadata = Value::Object(metadata::merged(known, change));
    let whole = metadata.to_string();
    if whole.len() > METADATA_BYTES_MAX {
        let reason = format!("A user's metadata may have {METADATA_BYTES_MAX} bytes.");
        return Err(Rejected::new("BODY_TOO_LARGE", reason).into());
    }
    let sealed = Payload::Open(Bytes::from(whole));
    let mut events = vec![Event::UserDescribed(UserDescribed { sealed })];
    events.extend(switched_off(given, (&key, user_row(given, &key)), &metadata));
    Ok(events)
}

pub(super) fn switch(c: &SwitchUser) -> Vec<Event> {
    vec![Event::UserSwitched(UserSwitched { enabled: c.enabled })]
}

fn unknown_integration(id: IntegrationId) -> Rejected {
    Rejected::new("INTEGRATION_UNKNOWN", format!("No integration {id} in this project."))
}

fn unknown_credential(id: CredentialId) -> Rejected {
    Rejected::new("CREDENTIAL_UNKNOWN", format!("No credential {id} of this user."))
}
