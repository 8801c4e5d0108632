//! What users set for their accounts, and which of it a workflow needs before it may run.

use super::permission::{Permissions, unpermitted};
use super::user::{switched, user_row};
use super::{DECISION_EVENTS_MAX, Given, Halt, Open, Rejected, project_of, user_key};
use crate::command::{Command, SaveSettings};
use crate::config::{Input, IntegrationSettings, Project, is_empty, missing};
use crate::event::{Event, IntegrationEnabled, SettingsSaved};
use crate::id::{CredentialId, WorkflowId};
use crate::key::Key;
use crate::meta::Recorded;
use crate::payload::Payload;
use crate::state::{Credential, Saved};
use crate::workflow::Workflow;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of what is set for an integration, or for one workflow, as JSON.
const SETTINGS_BYTES_MAX: usize = 64 * 1024;

/// What is to be saved; what is not named stays as it is.
#[derive(Deserialize)]
struct Wanted {
    /// Takes the place of what was set for the integration.
    shared: Option<Map<String, Value>>,
    #[serde(default)]
    workflows: BTreeMap<WorkflowId, WantedWorkflow>,
}

#[derive(Deserialize)]
struct WantedWorkflow {
    enabled: Option<bool>,
    /// Takes the place of what was set for the workflow.
    settings: Option<Map<String, Value>>,
}

/// Clients send what they know of all workflows: only what differs becomes an event.
pub(super) fn save(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    c: &SaveSettings,
) -> Result<Vec<Event>, Halt> {
    let (key, _) = user_key(command)?;
    let project = project_of(given, command)?;
    let row = user_row(given, &key).and_then(|user| user.credentials.get(&c.credential));
    let Some(row) = row else {
        let reason = format!("No credential {} of this user.", c.credential);
        return Err(Rejected::new("CREDENTIAL_UNKNOWN", reason).into());
    };
    let wanted: Wanted = serde_json::from_value(open.json(&key, &c.sealed)?)
        .map_err(|_| Rejected::new("BODY_MALFORMED", "The settings cannot be read."))?;
    let (id, permissions) = (c.credential, Permissions::of(given, &key));
    let (wrong, events) = (Vec::new(), Vec::new());
    let mut saving = Saving { open, key: &key, id, row, permissions, wrong, events };
    let integration = project.integrations.get(&row.integration);
    if let Some(shared) = wanted.shared {
        let inputs = integration.map_or(&[][..], |integration| &integration.inputs[..]);
        saving.settings(None, (inputs, shared), &row.settings.shared)?;
    }
    for (id, wanted) in wanted.workflows {
        saving.workflow(project, id, wanted)?;
    }
    let mut events = saving.events()?;
    let filled = events.iter().find_map(|event| match event {
        Event::SettingsSaved(e) if e.workflow.is_none() => Some(e.filled.iter().cloned().collect()),
        _ => None,
    });
    if let Some((integration, filled)) = integration.zip(filled)
        && !row.settings.announced
        && !missing(&integration.inputs, &row.settings.shared.filled).is_empty()
    {
        events.extend(enabled(project, integration, (c.credential, &filled)));
    }
    Ok(events)
}

/// That the account has everything that its integration requires, where it does and that means
/// anything. It is said once: whatever is taken back and set again later, the account was enabled.
pub(super) fn enabled(
    project: &Project,
    integration: &IntegrationSettings,
    (credential, filled): (CredentialId, &BTreeSet<String>),
) -> Option<Event> {
    let is_complete = missing(&integration.inputs, filled).is_empty();
    let requires = integration.inputs.iter().any(|input| input.required);
    let workflows = project.started_by_enabling(integration.id).count();
    let workflows = i32::try_from(workflows).unwrap_or(i32::MAX);
    let enabled = IntegrationEnabled { credential, integration: integration.id, workflows };
    (is_complete && (requires || workflows > 0)).then(|| enabled.into())
}

struct Saving<'a> {
    open: &'a mut dyn Open,
    key: &'a Key,
    id: CredentialId,
    row: &'a Credential,
    permissions: Permissions<'a>,
    /// What is wrong with what was sent.
    wrong: Vec<String>,
    events: Vec<Event>,
}

impl Saving<'_> {
    fn workflow(
        &mut self,
        project: &Project,
        id: WorkflowId,
        wanted: WantedWorkflow,
    ) -> Result<(), Halt> {
        let Some(versions) = project.workflows.get(&id) else {
            let reason = format!("No workflow {id} in this project.");
            return Err(Rejected::new("WORKFLOW_UNKNOWN", reason).into());
        };
        // Who read it while it was deployed sends it still.
        let Some((_, workflow)) = versions.deployed() else { return Ok(()) };
        if workflow.integration != self.row.integration {
            let reason = format!("The workflow {} belongs to another integration.", workflow.name);
            return Err(Rejected::new("WORKFLOW_UNKNOWN", reason).into());
        }
        let nothing = Saved::default();
        let known = self.row.settings.workflows.get(&id).unwrap_or(&nothing);
        let mut filled = known.filled.clone();
        if let Some(settings) = wanted.settings {
            filled = self::filled(&workflow.inputs, &settings);
            self.settings(Some(id), (&workflow.inputs, settings), known)?;
        }
        match wanted.enabled {
            Some(enabled) if enabled != self.row.enabled.contains(&id) => {
                if enabled && !self.permissions.permit(self.open, workflow)? {
                    return Err(unpermitted(workflow).into());
                }
                self.events.push(switched(workflow, self.id, enabled, &filled)?);
            }
            Some(_) | None => {}
        }
        Ok(())
    }

    fn settings(
        &mut self,
        workflow: Option<WorkflowId>,
        (inputs, wanted): (&[Input], Map<String, Value>),
        known: &Saved,
    ) -> Result<(), Halt> {
        let value = |input: &Input| wanted.get(&input.id).and_then(|value| input.refuses(value));
        self.wrong.extend(inputs.iter().filter_map(value));
        let before = match &known.sealed {
            Some(sealed) => self.open.json(self.key, sealed)?,
            None => Value::Object(Map::new()),
        };
        let filled = filled(inputs, &wanted);
        let wanted = Value::Object(wanted);
        if before == wanted && known.filled == filled {
            return Ok(());
        }
        let text = wanted.to_string();
        if text.len() > SETTINGS_BYTES_MAX {
            let reason = format!("Settings may have {SETTINGS_BYTES_MAX} bytes.");
            return Err(Rejected::new("BODY_TOO_LARGE", reason).into());
        }
        self.events.push(Event::SettingsSaved(SettingsSaved {
            credential: self.id,
            workflow,
            filled: filled.into_iter().collect(),
            sealed: Payload::Open(Bytes::from(text)),
        }));
        Ok(())
    }

    fn events(self) -> Result<Vec<Event>, Halt> {
        let Self { wrong, mut events, .. } = self;
        if !wrong.is_empty() {
            return Err(Rejected::new("SETTINGS_INVALID", wrong.join(" ")).into());
        }
        if events.len() > DECISION_EVENTS_MAX {
            let reason = "Save the settings of fewer workflows at once.";
            return Err(Rejected::new("DECISION_TOO_LARGE", reason).into());
        }
        if events.is_empty() {
            // Nothing differs: what is there, once more, for no command stays without an event.
            let Saved { filled, sealed } = self.row.settings.shared.clone();
            events.push(Event::SettingsSaved(SettingsSaved {
                credential: self.id,
                workflow: None,
                filled: filled.into_iter().collect(),
                sealed: sealed.unwrap_or_else(|| Payload::Open(Bytes::from_static(b"{}"))),
            }));
        }
        Ok(events)
    }
}

/// The declared settings that have a value. Others are kept, so that one that a project file leaves
/// out for a while is not lost, but nothing reads them.
fn filled(inputs: &[Input], settings: &Map<String, Value>) -> BTreeSet<String> {
    let filled = |input: &&Input| settings.get(&input.id).is_some_and(|value| !is_empty(value));
    inputs.iter().filter(filled).map(|input| input.id.clone()).collect()
}

/// That something cannot be done before required settings have values.
pub(super) fn incomplete(workflow: &Workflow, missing: &[&str]) -> Rejected {
    let (name, missing) = (&workflow.name, missing.join(", "));
    let reason = format!("The workflow {name} needs settings that have no value: {missing}.");
    Rejected::new("SETTINGS_MISSING", reason)
}
