//! Integrations, as the portal and clients show them.

use super::UNDATED;
use super::credential::is_listed;
use crate::auth::Caller;
use crate::layer::origin;
use crate::time::iso;
use axum::http::HeaderMap;
use domain::config::IntegrationSettings;
use domain::state::User;
use domain::workflow::{Authorization, Workflow};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

const BRAND_COLOR: &str = "#1F2937";
/// The input by which a user names the account that webhooks are about.
const ACCOUNT_INPUT: &str = "providerId";

/// One integration with its portal configuration and workflows.
pub(in crate::sdk) fn integration(
    caller: &Caller,
    user: &User,
    settings: &IntegrationSettings,
) -> Value {
    let workflows = caller.project.deployed().map(|(_, _, workflow)| workflow);
    let workflows: Vec<_> = workflows.filter(|w| w.integration == settings.id).collect();
    let inputs = inputs(settings);
    let is_custom = settings.kind.starts_with("custom.");
    let custom = json!({
        "slug": settings.kind,
        "name": settings.name,
        "icon": null,
        "inputFields": inputs,
    });
    json!({
        "id": settings.id,
        "projectId": caller.id,
        "type": if is_custom { "custom" } else { &settings.kind },
        "name": settings.name,
        "brandColor": BRAND_COLOR,
        "isActive": settings.active,
        "customIntegrationId": is_custom.then_some(settings.id),
        "customIntegration": is_custom.then_some(custom),
        "configs": [config(settings, &workflows)],
        "workflows": workflows.iter().map(|w| brief_workflow(caller, w)).collect::<Vec<_>>(),
        "noPermissionWorkflows": [],
        "authenticationType": "basic",
        "providerType": settings.kind,
        // False would make clients open an OAuth popup.
        "needPreOauthInputs": true,
        "hasCredential": user.accounts_at(settings.id).next().is_some(),
        "connectedUserLimitOnDevCred": 0,
        "connectedUserLimitReached": false,
        "sdkIntegrationConfig": {
            "oauthInputs": [],
            "accountTypes": [],
            "authConfigInputs": inputs,
            "postOauthInputs": [],
            "dataSources": {},
        },
        "dateCreated": iso(UNDATED),
        "dateUpdated": iso(UNDATED),
    })
}

/// Type, name, icon and colour.
pub(in crate::sdk) fn brief(headers: &HeaderMap, settings: &IntegrationSettings) -> Value {
    let icon =
        format!("{}/latest/dashboard/public/integrations/{}.svg", origin(headers), settings.kind);
    json!({
        "type": settings.kind,
        "name": settings.name,
        "brandColor": BRAND_COLOR,
        "icon": icon,
    })
}

fn config(settings: &IntegrationSettings, workflows: &[&Arc<Workflow>]) -> Value {
    let meta = workflows.iter().enumerate().map(|(order, workflow)| {
        let meta = json!({
            "id": workflow.id,
            "inputs": [],
            "infoText": "",
            "defaultEnabled": workflow.default_enabled,
            "hidden": !is_listed(workflow),
            "order": order,
        });
        (workflow.id.to_string(), meta)
    });
    json!({
        "id": settings.id,
        "integrationId": settings.id,
        "dateCreated": iso(UNDATED),
        "dateUpdated": iso(UNDATED),
        "values": {
            "description": "",
            "overview": "",
            "accentColor": BRAND_COLOR,
            "paragonLink": false,
            "sharedMeta": { "inputs": [] },
            "workflowMeta": meta.collect::<Map<_, _>>(),
        },
    })
}

fn brief_workflow(caller: &Caller, workflow: &Workflow) -> Value {
    json!({
        "id": workflow.id,
        "description": workflow.name,
        "projectId": caller.id,
        "integrationId": workflow.integration,
        "teamId": null,
        "isOnboardingWorkflow": false,
        "steps": [],
        "dateCreated": iso(UNDATED),
        "dateUpdated": iso(UNDATED),
    })
}

/// What a user is asked for: every `{{settings.…}}` that the integration's own requests need, and
/// the account, where webhooks name one. Clients skip the form when there is nothing to ask, so
/// there always is.
fn inputs(settings: &IntegrationSettings) -> Vec<Value> {
    let mut names = BTreeSet::new();
    let (first, second) = match &settings.authorization {
        Authorization::None => ("", ""),
        Authorization::Bearer { token } => (token.as_str(), ""),
        Authorization::Basic { username, password } => (username.as_str(), password.as_str()),
        Authorization::Header { name, value } | Authorization::Query { name, value } => {
            (name.as_str(), value.as_str())
        }
    };
    for text in [first, second, &settings.base_url]
        .into_iter()
        .chain(settings.headers.values().map(String::as_str))
    {
        names.extend(settings_in(text));
    }
    let mut inputs: Vec<Value> = names
        .iter()
        .filter(|name| **name != ACCOUNT_INPUT)
        .map(|name| input(name, name, "PASSWORD"))
        .collect();
    if settings.webhook.is_some() || names.contains(ACCOUNT_INPUT) || inputs.is_empty() {
        inputs.push(input(ACCOUNT_INPUT, "Account ID", "TEXT_NO_VARS"));
    }
    inputs
}

fn input(id: &str, title: &str, kind: &str) -> Value {
    json!({ "id": id, "title": title, "type": kind, "required": id != ACCOUNT_INPUT })
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
