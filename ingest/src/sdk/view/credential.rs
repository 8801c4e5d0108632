//! Connected accounts.

use crate::auth::{Caller, sha256};
use crate::reply::Nothing;
use crate::time::Iso;
use domain::config::Project;
use domain::id::{CredentialId, IntegrationId, ProjectId, WorkflowId, routed};
use domain::state;
use domain::workflow::{Trigger, Workflow};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// One connected account.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Credential {
    id: CredentialId,
    project_id: ProjectId,
    integration_id: IntegrationId,
    /// The user, under a name that is always the same.
    persona_id: Uuid,
    status: &'static str,
    /// The account's id at the provider; empty if unknown.
    provider_id: String,
    provider_data: Nothing,
    /// The customer's own name for the account.
    #[serde(skip_serializing_if = "String::is_empty")]
    external_id: String,
    config: CredentialConfig,
    configurations: [Configuration; 1],
    is_preview_credential: bool,
    is_refreshing: bool,
    refresh_failure_count: u32,
    date_created: Iso,
    date_updated: Iso,
    date_refreshed: Iso,
    date_deleted: Option<Iso>,
}

/// What is set for an account, as older clients read it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CredentialConfig {
    configured_workflows: WorkflowStates,
    /// What is set for the whole integration, by input.
    shared_settings: Map<String, Value>,
}

/// What is set for an account.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    id: CredentialId,
    connect_credential_id: CredentialId,
    is_default: bool,
    workflow_settings: WorkflowStates,
    /// What is set for the whole integration, by input.
    shared_settings: Map<String, Value>,
    config_meta: Nothing,
    date_created: Iso,
    date_updated: Iso,
}

/// Every deployed workflow of an integration, by its id.
#[derive(Clone, Serialize, JsonSchema)]
pub(super) struct WorkflowStates(BTreeMap<WorkflowId, WorkflowState>);

/// Whether a workflow is on for an account.
#[derive(Clone, Serialize, JsonSchema)]
struct WorkflowState {
    enabled: bool,
    /// What is set for it, by input.
    settings: Map<String, Value>,
}

/// What users set for accounts, opened, and which workflows are not for them.
#[derive(Default)]
pub(crate) struct Opened {
    /// By account.
    pub(in crate::sdk) settings: BTreeMap<CredentialId, OpenedSettings>,
    /// Deployed workflows that are not for the user.
    pub(in crate::sdk) forbidden: BTreeSet<WorkflowId>,
}

/// What a user set for an account, opened.
#[derive(Default)]
pub(crate) struct OpenedSettings {
    /// For the whole integration, by input.
    pub(in crate::sdk) shared: Map<String, Value>,
    /// For one workflow each, by input.
    pub(in crate::sdk) workflows: BTreeMap<WorkflowId, Map<String, Value>>,
}

impl Opened {
    pub(super) fn shared(&self, id: CredentialId) -> Map<String, Value> {
        self.settings.get(&id).map(|settings| settings.shared.clone()).unwrap_or_default()
    }
}

impl Credential {
    pub(in crate::sdk) fn of(
        caller: &Caller,
        (id, credential): (CredentialId, &state::Credential),
        settings: &Opened,
    ) -> Self {
        let workflows = WorkflowStates::of(&caller.project, (id, credential), settings);
        let shared_settings = settings.shared(id);
        let (created, refreshed) = (Iso(credential.connected_at), Iso(credential.refreshed_at));
        let configuration = Configuration {
            id: credential.configuration,
            connect_credential_id: id,
            is_default: true,
            workflow_settings: workflows.clone(),
            shared_settings: shared_settings.clone(),
            config_meta: Nothing {},
            date_created: created,
            date_updated: refreshed,
        };
        Self {
            id,
            project_id: caller.id,
            integration_id: credential.integration,
            persona_id: persona(caller),
            status: "VALID",
            provider_id: credential.provider_id.clone(),
            provider_data: Nothing {},
            external_id: credential.external_id.clone(),
            config: CredentialConfig { configured_workflows: workflows, shared_settings },
            configurations: [configuration],
            is_preview_credential: false,
            is_refreshing: false,
            refresh_failure_count: 0,
            date_created: created,
            date_updated: refreshed,
            date_refreshed: refreshed,
            date_deleted: None,
        }
    }
}

impl WorkflowStates {
    pub(super) fn of(
        project: &Project,
        (account, credential): (CredentialId, &state::Credential),
        settings: &Opened,
    ) -> Self {
        let saved = settings.settings.get(&account);
        let saved = |id: &WorkflowId| saved.and_then(|saved| saved.workflows.get(id)).cloned();
        let deployed =
            project.deployed().filter(|(_, _, w)| w.integration == credential.integration);
        let states = deployed.map(|(id, _, _)| {
            let enabled = credential.enabled.contains(&id) && !settings.forbidden.contains(&id);
            (id, WorkflowState { enabled, settings: saved(&id).unwrap_or_default() })
        });
        Self(states.collect())
    }
}

/// Whether users see the workflow in a portal.
pub(super) fn is_listed(workflow: &Workflow) -> bool {
    match workflow.trigger {
        Trigger::AppEvent { .. }
        | Trigger::Request(_)
        | Trigger::Webhook { .. }
        | Trigger::Schedule(_) => !workflow.hidden,
        Trigger::IntegrationEnabled => false,
    }
}

/// A stable id of the user in the project.
pub(super) fn persona(caller: &Caller) -> Uuid {
    let key = caller.key();
    let hash = sha256(key.name().as_bytes());
    routed(key.hash16(), hash.first_chunk::<16>().copied().unwrap_or_default())
}
