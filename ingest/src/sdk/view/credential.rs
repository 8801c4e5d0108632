//! Connected accounts.

use crate::auth::{Caller, sha256};
use crate::time::iso;
use domain::config::Project;
use domain::id::{CredentialId, routed};
use domain::state::Credential;
use domain::workflow::{Trigger, Workflow};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// One connected account.
pub(in crate::sdk) fn credential(
    caller: &Caller,
    id: CredentialId,
    credential: &Credential,
) -> Value {
    let settings = workflow_settings(&caller.project, credential);
    let created = iso(credential.connected_at);
    let refreshed = iso(credential.refreshed_at);
    let mut view = json!({
        "id": id,
        "projectId": caller.id,
        "integrationId": credential.integration,
        "personaId": persona(caller),
        "status": "VALID",
        "providerId": credential.provider_id,
        "providerData": {},
        "config": { "configuredWorkflows": settings, "sharedSettings": {} },
        "configurations": [configuration(id, credential, &settings)],
        "isPreviewCredential": false,
        "isRefreshing": false,
        "refreshFailureCount": 0,
        "dateCreated": created,
        "dateUpdated": refreshed,
        "dateRefreshed": refreshed,
        "dateDeleted": null,
    });
    if !credential.external_id.is_empty()
        && let Some(fields) = view.as_object_mut()
    {
        fields.insert("externalId".into(), json!(credential.external_id));
    }
    view
}

fn configuration(id: CredentialId, credential: &Credential, settings: &Value) -> Value {
    json!({
        "id": credential.configuration,
        "connectCredentialId": id,
        "isDefault": true,
        "workflowSettings": settings,
        "sharedSettings": {},
        "configMeta": {},
        "dateCreated": iso(credential.connected_at),
        "dateUpdated": iso(credential.refreshed_at),
    })
}

/// `{<workflow>: {enabled, settings}}` for every deployed workflow of the integration.
pub(super) fn workflow_settings(project: &Project, credential: &Credential) -> Value {
    let deployed = project.deployed().filter(|(_, _, w)| w.integration == credential.integration);
    let settings = deployed.map(|(id, _, _)| {
        let enabled = credential.enabled.contains(&id);
        (id.to_string(), json!({ "enabled": enabled, "settings": {} }))
    });
    Value::Object(settings.collect::<Map<_, _>>())
}

/// Whether users see the workflow in a portal.
pub(super) fn is_listed(workflow: &Workflow) -> bool {
    match workflow.trigger {
        Trigger::AppEvent { .. } | Trigger::Request(_) | Trigger::Webhook { .. } => {
            !workflow.hidden
        }
    }
}

/// A stable id of the user in the project.
pub(super) fn persona(caller: &Caller) -> Uuid {
    let key = caller.key();
    let hash = sha256(key.name().as_bytes());
    routed(key.hash16(), hash.first_chunk::<16>().copied().unwrap_or_default())
}
