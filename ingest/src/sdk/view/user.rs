//! The connected user.

use super::credential::{credential, workflow_settings};
use crate::auth::Caller;
use domain::config::IntegrationSettings;
use domain::id::ProjectId;
use domain::state::User;
use serde_json::{Map, Value, json};

/// Features of which clients ask whether the project has them. Nothing is held back.
const FEATURES: [&str; 9] = [
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
pub(in crate::sdk) fn project(id: ProjectId) -> Value {
    json!({ "id": id, "billingPlan": "connect_enterprise", "accessibleFeatures": FEATURES })
}

/// The user with what is connected. Every integration is there, also where nothing is connected.
pub(in crate::sdk) fn user(caller: &Caller, user: &User, metadata: &Map<String, Value>) -> Value {
    let integrations = caller.project.integrations.values();
    let integrations = integrations.map(|i| (i.kind.clone(), state(caller, user, i)));
    json!({
        "authenticated": true,
        "userId": &*caller.user,
        "meta": metadata,
        "resources": [],
        "project": project(caller.id),
        "integrations": integrations.collect::<Map<_, _>>(),
    })
}

fn state(caller: &Caller, user: &User, integration: &IntegrationSettings) -> Value {
    let accounts: Vec<_> = user.accounts_at(integration.id).collect();
    let all = accounts.iter().map(|(id, account)| credential(caller, **id, account));
    let all: Vec<Value> = all.collect();
    let Some((id, active)) = accounts.first() else {
        return json!({ "enabled": false, "configuredWorkflows": {}, "allCredentials": all });
    };
    let settings = workflow_settings(&caller.project, active);
    json!({
        "enabled": true,
        "credentialId": id,
        "credentialStatus": "VALID",
        "credentialConfigId": active.configuration,
        "providerId": active.provider_id,
        "providerData": {},
        "configuredWorkflows": settings,
        "workflowSettings": settings,
        "sharedSettings": {},
        "allCredentials": all,
    })
}
