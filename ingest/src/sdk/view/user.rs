//! The connected user.

use super::credential::{Credential, Opened, WorkflowStates};
use crate::auth::Caller;
use crate::reply::Nothing;
use domain::config::IntegrationSettings;
use domain::id::{CredentialId, ProjectId};
use domain::state;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Features of which clients ask whether the project has them. Nothing is held back.
const FEATURES: &[&str] = &[
    "byo",
    "dfm",
    "headless-cp",
    "monitoring",
    "rbac",
    "th-api",
    "user-metadata",
    "whitelabel",
    "workflow-permissions",
];

/// The project, as far as clients read it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Project {
    id: ProjectId,
    billing_plan: &'static str,
    accessible_features: &'static [&'static str],
}

/// The connected user, with what is connected.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    authenticated: bool,
    /// `sub` of the token.
    user_id: Arc<str>,
    /// The metadata.
    meta: Map<String, Value>,
    resources: [Nothing; 0],
    project: Project,
    /// Every integration by its type, also where nothing is connected.
    integrations: BTreeMap<String, IntegrationState>,
}

/// What a user has at an integration.
#[derive(Serialize, JsonSchema)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum IntegrationState {
    /// At least one account; what is said beside all of them is of the first.
    Connected {
        /// True.
        enabled: bool,
        credential_id: CredentialId,
        credential_status: &'static str,
        credential_config_id: CredentialId,
        /// The account's id at the provider.
        provider_id: String,
        provider_data: Nothing,
        configured_workflows: WorkflowStates,
        workflow_settings: WorkflowStates,
        /// What is set for the whole integration, by input.
        shared_settings: Map<String, Value>,
        all_credentials: Vec<Credential>,
    },
    /// No account.
    Apart {
        /// False.
        enabled: bool,
        configured_workflows: Nothing,
        all_credentials: [Nothing; 0],
    },
}

impl Project {
    pub(in crate::sdk) fn of(id: ProjectId) -> Self {
        Self { id, billing_plan: "connect_enterprise", accessible_features: FEATURES }
    }
}

impl User {
    pub(in crate::sdk) fn of(
        caller: &Caller,
        user: &state::User,
        (metadata, settings): (Map<String, Value>, &Opened),
    ) -> Self {
        let integrations = caller.project.integrations.values();
        let integrations = integrations
            .map(|i| (i.kind.clone(), IntegrationState::of(caller, (user, settings), i)));
        Self {
            authenticated: true,
            user_id: Arc::clone(&caller.user),
            meta: metadata,
            resources: [],
            project: Project::of(caller.id),
            integrations: integrations.collect(),
        }
    }
}

impl IntegrationState {
    fn of(
        caller: &Caller,
        (user, settings): (&state::User, &Opened),
        integration: &IntegrationSettings,
    ) -> Self {
        let accounts: Vec<_> = user.accounts_at(integration.id).collect();
        let Some((id, first)) = accounts.first() else {
            let (configured_workflows, all_credentials) = (Nothing {}, []);
            return Self::Apart { enabled: false, configured_workflows, all_credentials };
        };
        let shown = |(id, account): &(&CredentialId, &state::Credential)| {
            Credential::of(caller, (**id, account), settings)
        };
        let workflows = WorkflowStates::of(&caller.project, (**id, first), settings);
        Self::Connected {
            enabled: true,
            credential_id: **id,
            credential_status: "VALID",
            credential_config_id: first.configuration,
            provider_id: first.provider_id.clone(),
            provider_data: Nothing {},
            configured_workflows: workflows.clone(),
            workflow_settings: workflows,
            shared_settings: settings.shared(**id),
            all_credentials: accounts.iter().map(shown).collect(),
        }
    }
}
