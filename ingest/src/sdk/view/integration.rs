//! Integrations, as the portal and clients show them.

use super::UNDATED;
use super::credential::{Opened, is_listed};
use super::input::{DataSource, UserInput, of_account};
use crate::auth::Caller;
use crate::layer::origin;
use crate::reply::Nothing;
use crate::time::Iso;
use axum::http::HeaderMap;
use domain::config::IntegrationSettings;
use domain::id::{IntegrationId, ProjectId, WorkflowId};
use domain::state::User;
use domain::workflow::Workflow;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

const BRAND_COLOR: &str = "#1F2937";

/// One integration with its portal configuration and workflows.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Integration {
    id: IntegrationId,
    project_id: ProjectId,
    /// `custom` for one of the project's own.
    r#type: String,
    name: String,
    brand_color: &'static str,
    is_active: bool,
    custom_integration_id: Option<IntegrationId>,
    custom_integration: Option<CustomIntegration>,
    configs: [PortalConfig; 1],
    workflows: Vec<BriefWorkflow>,
    /// Workflows that are not for the user.
    no_permission_workflows: Vec<WorkflowId>,
    authentication_type: &'static str,
    provider_type: String,
    need_pre_oauth_inputs: bool,
    has_credential: bool,
    connected_user_limit_on_dev_cred: u32,
    connected_user_limit_reached: bool,
    sdk_integration_config: SdkConfig,
    date_created: Iso,
    date_updated: Iso,
}

/// Type, name, icon and colour of an integration.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    r#type: String,
    name: String,
    brand_color: &'static str,
    icon: String,
}

/// An integration of the project's own.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CustomIntegration {
    slug: String,
    name: String,
    icon: Option<String>,
    input_fields: Vec<UserInput>,
}

/// What a portal shows of an integration.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PortalConfig {
    id: IntegrationId,
    integration_id: IntegrationId,
    date_created: Iso,
    date_updated: Iso,
    values: PortalValues,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PortalValues {
    description: &'static str,
    overview: &'static str,
    accent_color: &'static str,
    paragon_link: bool,
    shared_meta: SharedMeta,
    /// Every deployed workflow of the integration, also hidden ones.
    workflow_meta: BTreeMap<WorkflowId, WorkflowMeta>,
}

#[derive(Serialize, JsonSchema)]
struct SharedMeta {
    inputs: Vec<UserInput>,
}

/// What a portal shows of a workflow.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct WorkflowMeta {
    id: WorkflowId,
    inputs: Vec<UserInput>,
    info_text: &'static str,
    default_enabled: bool,
    hidden: bool,
    order: usize,
    /// Where it is not for everyone. What the conditions are is nobody's business here.
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<[Nothing; 0]>,
}

/// A workflow, as far as clients read it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct BriefWorkflow {
    id: WorkflowId,
    description: String,
    project_id: ProjectId,
    integration_id: IntegrationId,
    team_id: Option<String>,
    is_onboarding_workflow: bool,
    steps: [Nothing; 0],
    date_created: Iso,
    date_updated: Iso,
}

/// What a client asks the user for.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SdkConfig {
    oauth_inputs: [UserInput; 0],
    account_types: [Nothing; 0],
    auth_config_inputs: Vec<UserInput>,
    post_oauth_inputs: [UserInput; 0],
    /// Where the options of inputs come from, by `sourceType`.
    data_sources: BTreeMap<String, DataSource>,
}

impl Integration {
    pub(in crate::sdk) fn of(
        caller: &Caller,
        (user, opened): (&User, &Opened),
        settings: &IntegrationSettings,
    ) -> Self {
        let workflows = caller.project.deployed().map(|(_, _, workflow)| workflow);
        let workflows: Vec<_> = workflows.filter(|w| w.integration == settings.id).collect();
        let inputs = of_account(settings);
        let own = workflows.iter().flat_map(|w| DataSource::all(Some(w.id), &w.inputs));
        let sources = DataSource::all(None, &settings.inputs).chain(own);
        let is_custom = settings.kind.starts_with("custom.");
        let custom = || CustomIntegration {
            slug: settings.kind.clone(),
            name: settings.name.clone(),
            icon: None,
            input_fields: inputs.clone(),
        };
        Self {
            id: settings.id,
            project_id: caller.id,
            r#type: if is_custom { "custom".to_owned() } else { settings.kind.clone() },
            name: settings.name.clone(),
            brand_color: BRAND_COLOR,
            is_active: settings.active,
            custom_integration_id: is_custom.then_some(settings.id),
            custom_integration: is_custom.then(custom),
            configs: [PortalConfig::of(settings, &workflows)],
            workflows: workflows
                .iter()
                .filter(|w| !opened.forbidden.contains(&w.id))
                .map(|w| BriefWorkflow::of(caller, w))
                .collect(),
            no_permission_workflows: workflows
                .iter()
                .map(|w| w.id)
                .filter(|id| opened.forbidden.contains(id))
                .collect(),
            authentication_type: "basic",
            provider_type: settings.kind.clone(),
            // False would make clients open an OAuth popup.
            need_pre_oauth_inputs: true,
            has_credential: user.accounts_at(settings.id).next().is_some(),
            connected_user_limit_on_dev_cred: 0,
            connected_user_limit_reached: false,
            sdk_integration_config: SdkConfig {
                oauth_inputs: [],
                account_types: [],
                auth_config_inputs: inputs,
                post_oauth_inputs: [],
                data_sources: sources.collect(),
            },
            date_created: UNDATED,
            date_updated: UNDATED,
        }
    }
}

impl Metadata {
    pub(in crate::sdk) fn of(headers: &HeaderMap, settings: &IntegrationSettings) -> Self {
        let (origin, kind) = (origin(headers), &settings.kind);
        Self {
            r#type: kind.clone(),
            name: settings.name.clone(),
            brand_color: BRAND_COLOR,
            icon: format!("{origin}/latest/dashboard/public/integrations/{kind}.svg"),
        }
    }
}

impl PortalConfig {
    fn of(settings: &IntegrationSettings, workflows: &[&Arc<Workflow>]) -> Self {
        let meta = workflows.iter().enumerate().map(|(order, workflow)| {
            let meta = WorkflowMeta {
                id: workflow.id,
                inputs: UserInput::all(Some(workflow.id), &workflow.inputs),
                info_text: "",
                default_enabled: workflow.default_enabled,
                hidden: !is_listed(workflow),
                order,
                permissions: workflow.permissions.as_ref().map(|_| []),
            };
            (workflow.id, meta)
        });
        Self {
            id: settings.id,
            integration_id: settings.id,
            date_created: UNDATED,
            date_updated: UNDATED,
            values: PortalValues {
                description: "",
                overview: "",
                accent_color: BRAND_COLOR,
                paragon_link: false,
                shared_meta: SharedMeta { inputs: UserInput::all(None, &settings.inputs) },
                workflow_meta: meta.collect(),
            },
        }
    }
}

impl BriefWorkflow {
    fn of(caller: &Caller, workflow: &Workflow) -> Self {
        Self {
            id: workflow.id,
            description: workflow.name.clone(),
            project_id: caller.id,
            integration_id: workflow.integration,
            team_id: None,
            is_onboarding_workflow: false,
            steps: [],
            date_created: UNDATED,
            date_updated: UNDATED,
        }
    }
}
