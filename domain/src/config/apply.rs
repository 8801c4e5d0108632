//! The decision of `ApplyProject`: the difference, as events.

use super::change::Wanted;
use super::{Config, Desired, IntegrationSettings, difference};
use crate::command::{ApplyProject, SecretValue};
use crate::decide::{DECISION_EVENTS_MAX, Rejected};
use crate::event::{
    ApiKeySet, AppEventDefined, Event, IntegrationConfigured, ProjectConfigured, SecretSet,
    WorkflowReleased, WorkflowSaved,
};
use crate::payload::Payload;
use crate::workflow::{Action, Pagination, Step, Trigger, Workflow};
use serde::Serialize;
use std::collections::BTreeMap;

/// Decides an apply: what differs, as events; where nothing does, the project as it is once more,
/// because no command stays without an event.
///
/// # Errors
/// `PROJECT_INVALID`: the document cannot be read. `INTEGRATION_TAKEN`: an integration has the id
/// of another project's. `SECRET_MISSING`: a secret is named and its value is nowhere.
/// `APPLY_TOO_LARGE`: more than [`DECISION_EVENTS_MAX`] events. `LEVEL_TOO_LOW`: a workflow needs
/// records above `schema_max`, the highest schema that may be written.
pub fn decide_apply(
    config: &Config,
    command: &ApplyProject,
    schema_max: u32,
) -> Result<Vec<Event>, Rejected> {
    let desired: Desired = serde_json::from_str(&command.document).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        Rejected::new("PROJECT_INVALID", format!("The document cannot be read at {place}."))
    })?;
    for integration in &desired.integrations {
        let owner = config.integrations.get(&integration.id);
        if owner.is_some_and(|owner| *owner != desired.project.id) {
            let reason = format!("Integration id {} belongs to another project.", integration.id);
            return Err(Rejected::new("INTEGRATION_TAKEN", reason));
        }
    }
    if let Some(beyond) = desired.workflows.iter().find(|w| schema_of(&w.workflow) > schema_max) {
        return Err(too_low(&format!("The workflow {}", beyond.workflow.name)));
    }
    let mut integrations = desired.integrations.iter();
    if let Some(beyond) = integrations.find(|i| schema_of_integration(i) > schema_max) {
        return Err(too_low(&format!("The integration {}", beyond.name)));
    }
    let values: BTreeMap<&str, &SecretValue> =
        command.secrets.iter().map(|secret| (secret.name.as_str(), secret)).collect();
    let fingerprints = command.secrets.iter().map(|s| (s.name.clone(), s.fingerprint.clone()));
    let mut events = Vec::new();
    for change in difference(config, &desired, &fingerprints.collect()) {
        write(change.wanted, &values, &mut events)?;
    }
    if events.is_empty() {
        write(Wanted::Project(desired.project), &values, &mut events)?;
    }
    if events.len() > DECISION_EVENTS_MAX {
        let count = events.len();
        let reason = format!(
            "The file changes {count} things at once, more than {DECISION_EVENTS_MAX}. \
             Add a part of its workflows first."
        );
        return Err(Rejected::new("APPLY_TOO_LARGE", reason));
    }
    Ok(events)
}

pub(super) fn too_low(what: &str) -> Rejected {
    let reason = format!(
        "{what} needs what nodes of an older build cannot read. Run `millrace migrate` when every \
         node runs this build."
    );
    Rejected::new("LEVEL_TOO_LOW", reason)
}

/// The newest schema of an event.
fn id_of(name: &str) -> u32 {
    let schemas = Event::schemas().iter().filter(|schema| schema.name == name);
    schemas.map(|schema| schema.id).max().unwrap_or_default()
}

/// The same of an integration.
fn schema_of_integration(integration: &IntegrationSettings) -> u32 {
    let scheme = integration.webhook.as_ref().and_then(|webhook| webhook.own.as_ref());
    let inputs = (!integration.inputs.is_empty()).then(|| id_of("IntegrationEnabled"));
    // Builds before this schema read no scheme with a function.
    let function = scheme.and_then(|scheme| scheme.function.as_ref());
    inputs.max(function.map(|_| id_of("ParkedSettled"))).unwrap_or_default()
}

/// The highest schema of the records that runs of a workflow may need; 0: what every build reads.
pub(super) fn schema_of(workflow: &Workflow) -> u32 {
    let id = |name: &str| Some(id_of(name));
    let inputs = (!workflow.inputs.is_empty()).then(|| id_of("IntegrationEnabled"));
    let trigger = match &workflow.trigger {
        Trigger::Schedule(_) => id("ScheduleFired"),
        Trigger::IntegrationEnabled => id("IntegrationEnabled"),
        Trigger::AppEvent { .. } | Trigger::Request(_) | Trigger::Webhook { .. } => None,
    };
    let step = |step: &Step| match &step.action {
        Action::FanOut(_) => id("ItemFinished"),
        Action::Request(request) | Action::IntegrationRequest(request) => {
            match &request.pagination {
                None => None,
                Some(Pagination::Custom(_)) => id("PageFetched"),
                // Builds before this schema take no pagination without a token.
                Some(Pagination::Preconfigured(_)) => id("ParkedSettled"),
            }
        }
        Action::Function(_) | Action::Conditional(_) | Action::Delay(_) | Action::Response(_) => {
            None
        }
    };
    let steps = workflow.steps.iter().filter_map(step);
    trigger.into_iter().chain(inputs).chain(steps).max().unwrap_or_default()
}

fn write(
    wanted: Wanted,
    values: &BTreeMap<&str, &SecretValue>,
    events: &mut Vec<Event>,
) -> Result<(), Rejected> {
    let event = match wanted {
        Wanted::Project(settings) => {
            ProjectConfigured { project: settings.id, settings: json(&settings)? }.into()
        }
        Wanted::Integration(settings) => IntegrationConfigured {
            integration: settings.id,
            removed: false,
            settings: json(&settings)?,
        }
        .into(),
        Wanted::NoIntegration(integration) => {
            IntegrationConfigured { integration, removed: true, settings: String::new() }.into()
        }
        Wanted::Workflow { id: workflow, saved, released } => {
            if let Some((version, definition)) = saved {
                let definition = json(&definition)?;
                events.push(WorkflowSaved { workflow, version, definition }.into());
            }
            if let Some(version) = released {
                events.push(WorkflowReleased { workflow, version }.into());
            }
            return Ok(());
        }
        Wanted::AppEvent { name, example } => {
            AppEventDefined { name, removed: false, example: example.to_string() }.into()
        }
        Wanted::NoAppEvent { name } => {
            AppEventDefined { name, removed: true, example: String::new() }.into()
        }
        Wanted::Secret { name } => {
            let Some(value) = values.get(name.as_str()) else {
                let reason = format!("The value of {name} is missing.");
                return Err(Rejected::new("SECRET_MISSING", reason));
            };
            let (fingerprint, sealed) = (value.fingerprint.clone(), value.sealed.clone());
            SecretSet { name, removed: false, fingerprint, sealed }.into()
        }
        Wanted::NoSecret { name } => {
            SecretSet { name, removed: true, fingerprint: String::new(), sealed: Payload::empty() }
                .into()
        }
        Wanted::ApiKey { name, hash } => ApiKeySet { name, removed: false, hash }.into(),
        Wanted::NoApiKey { name } => ApiKeySet { name, removed: true, hash: String::new() }.into(),
    };
    events.push(event);
    Ok(())
}

fn json(value: &impl Serialize) -> Result<String, Rejected> {
    serde_json::to_string(value).map_err(|_| Rejected::internal("A definition cannot be written."))
}
