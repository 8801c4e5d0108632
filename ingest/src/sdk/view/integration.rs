//! Integrations, as the portal and clients show them.

use super::UNDATED;
use super::credential::is_listed;
use crate::auth::Caller;
use crate::layer::origin;
use crate::reply::Nothing;
use crate::time::Iso;
use axum::http::HeaderMap;
use domain::config::IntegrationSettings;
use domain::id::{IntegrationId, ProjectId, WorkflowId};
use domain::state::User;
use domain::workflow::{Authorization, Workflow};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const BRAND_COLOR: &str = "#1F2937";
/// The input by which a user names the account that webhooks are about.
const ACCOUNT_INPUT: &str = "providerId";

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
    no_permission_workflows: [Nothing; 0],
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
    inputs: [UserInput; 0],
}

/// What a portal shows of a workflow.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct WorkflowMeta {
    id: WorkflowId,
    inputs: [UserInput; 0],
    info_text: &'static str,
    default_enabled: bool,
    hidden: bool,
    order: usize,
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
    data_sources: Nothing,
}

/// A field that the user fills in.
#[derive(Clone, Serialize, JsonSchema)]
struct UserInput {
    id: String,
    title: String,
    r#type: &'static str,
    required: bool,
}

impl Integration {
    pub(in crate::sdk) fn of(caller: &Caller, user: &User, settings: &IntegrationSettings) -> Self {
        let workflows = caller.project.deployed().map(|(_, _, workflow)| workflow);
        let workflows: Vec<_> = workflows.filter(|w| w.integration == settings.id).collect();
        let inputs = inputs(settings);
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
            workflows: workflows.iter().map(|w| BriefWorkflow::of(caller, w)).collect(),
            no_permission_workflows: [],
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
                data_sources: Nothing {},
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
                inputs: [],
                info_text: "",
                default_enabled: workflow.default_enabled,
                hidden: !is_listed(workflow),
                order,
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
                shared_meta: SharedMeta { inputs: [] },
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

/// What a user is asked for: every `{{settings.…}}` that the integration's own requests need, and
/// the account, where webhooks name one. Clients skip the form when there is nothing to ask, so
/// there always is.
fn inputs(settings: &IntegrationSettings) -> Vec<UserInput> {
    let mut names = BTreeSet::new();
    let texts: Vec<&str> = match &settings.authorization {
        Authorization::None => Vec::new(),
        Authorization::Bearer { token } => vec![token],
        Authorization::Basic { username, password } => vec![username, password],
        Authorization::Header { name, value } | Authorization::Query { name, value } => {
            vec![name, value]
        }
        Authorization::OauthClientCredentials(credentials) => credentials.texts().collect(),
    };
    for text in texts.into_iter().chain([settings.base_url.as_str()]) {
        names.extend(settings_in(text));
    }
    for text in settings.headers.values() {
        names.extend(settings_in(text));
    }
    let mut inputs: Vec<UserInput> = names
        .iter()
        .filter(|name| **name != ACCOUNT_INPUT)
        .map(|name| input(name, name, "PASSWORD"))
        .collect();
    if settings.webhook.is_some() || names.contains(ACCOUNT_INPUT) || inputs.is_empty() {
        inputs.push(input(ACCOUNT_INPUT, "Account ID", "TEXT_NO_VARS"));
    }
    inputs
}

fn input(id: &str, title: &str, kind: &'static str) -> UserInput {
    let required = id != ACCOUNT_INPUT;
    UserInput { id: id.to_owned(), title: title.to_owned(), r#type: kind, required }
}

/// The names after `{{settings.` in a text.
fn settings_in(text: &str) -> impl Iterator<Item = &str> {
    let variables = text.split("{{").skip(1).filter_map(|rest| rest.split_once("}}"));
    variables.filter_map(|(variable, _)| {
        let name = variable.trim().strip_prefix("settings.")?;
        let end = name.find(['.', '[', ' ']).unwrap_or(name.len());
        (end > 0).then_some(&name[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::settings_in;

    #[test]
    fn settings_are_found_in_templates() {
        let text = "https://{{ settings.shop }}.x/{{settings.a.b}}?k={{secrets.k}}{{settings.}}{{";
        assert_eq!(settings_in(text).collect::<Vec<_>>(), ["shop", "a"]);
    }
}
