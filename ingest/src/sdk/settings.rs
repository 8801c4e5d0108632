//! What users set for their accounts.

use super::view;
use crate::auth::Caller;
use crate::body::{Read, Sent};
use crate::command::Wish;
use crate::door::{Door, Shared};
use crate::idempotency::{IdempotencyKey, Within};
use crate::path::Address;
use crate::problem::{BODY_MALFORMED, CREDENTIAL_UNKNOWN, Outcome};
use crate::reply::Reply;
use crate::selector::Selector;
use axum::extract::State;
use domain::command::SaveSettings;
use domain::id::{CredentialId, WorkflowId};
use domain::key::Key;
use domain::meta::Actor;
use domain::payload::Payload;
use domain::state::{self, User};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What is to be set for an account.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Change {
    config: Config,
}

/// What is not named stays as it is.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Config {
    /// Everything that is set for the whole integration, by input.
    shared_settings: Option<Map<String, Value>>,
    /// What is set for workflows.
    workflow_settings: Option<BTreeMap<WorkflowId, WorkflowChange>>,
    /// The older name of `workflowSettings`.
    configured_workflows: Option<BTreeMap<WorkflowId, WorkflowChange>>,
}

/// What is to be set for a workflow.
#[derive(Serialize, Deserialize, JsonSchema)]
struct WorkflowChange {
    /// Whether it is on.
    enabled: Option<bool>,
    /// Everything that is set for it, by input.
    settings: Option<Map<String, Value>>,
}

impl Read for Change {
    type From<'a> = Self;
}

/// Saves settings of an account, switches its workflows, and answers with the account.
pub(crate) async fn save(
    State(door): State<Shared>,
    caller: Caller,
    address: Address,
    key: IdempotencyKey,
    body: Sent<Change>,
) -> Outcome<Reply<view::Credential>> {
    let Config { shared_settings, workflow_settings, configured_workflows } = body.read()?.config;
    let workflows = workflow_settings.or(configured_workflows).unwrap_or_default();
    if shared_settings.is_none() && workflows.is_empty() {
        return Err(BODY_MALFORMED.because("There are no settings to save in it."));
    }
    let named = address.text("credential");
    let route = format!("credentials/{named}/settings");
    let within = Within { project: caller.id, user: &caller.user, route: &route };
    let identity = door.identity(&key, &within, &[&body.bytes])?;
    let selector = Selector::parse(named).ok_or_else(|| CREDENTIAL_UNKNOWN.plain())?;
    let credential = door.selected(Some(&selector), &caller, identity).await?;
    let credential = credential.ok_or_else(|| selector.unknown())?;
    let sent = json!({ "shared": shared_settings, "workflows": workflows });
    let sealed = door.seal(&caller.key(), sent.to_string().as_bytes()).await?;
    let command = SaveSettings { credential, sealed }.into();
    door.decide(Wish { key: caller.key(), actor: Actor::User, identity, command }).await?;
    let shows = |user: &User| {
        let account = user.credentials.get(&credential);
        let shows = |account| door.shows_settings(&caller, account, (&shared_settings, &workflows));
        identity.is_keyed() || account.is_none_or(shows)
    };
    let user = door.user_with(caller.id, &caller.user, shows).await?;
    let account = user.credentials.get(&credential).ok_or_else(|| selector.unknown())?;
    let settings = door.opened(&caller, &user, [(&credential, account)]).await?;
    Ok(Reply::unkept(view::Credential::of(&caller, (credential, account), &settings)))
}

impl Door {
    /// What a user set for these accounts, and which workflows are not for the user.
    pub(super) async fn opened<'a>(
        &self,
        caller: &Caller,
        user: &User,
        accounts: impl IntoIterator<Item = (&'a CredentialId, &'a state::Credential)>,
    ) -> Outcome<view::Opened> {
        let key = caller.key();
        let mut opened = view::Opened::default();
        for (id, account) in accounts {
            let settings = opened.settings.entry(*id).or_default();
            if let Some(sealed) = &account.settings.shared.sealed {
                settings.shared = self.object(&key, sealed).await?;
            }
            for (workflow, saved) in &account.settings.workflows {
                if let Some(sealed) = &saved.sealed {
                    settings.workflows.insert(*workflow, self.object(&key, sealed).await?);
                }
            }
        }
        let limited = caller.project.deployed().filter(|(_, _, w)| w.permissions.is_some());
        let limited: Vec<_> = limited.collect();
        if !limited.is_empty() {
            let metadata = Value::Object(self.metadata(caller, user).await?);
            let forbidden =
                limited.into_iter().filter(|(_, _, w)| !w.permits(&caller.user, &metadata));
            opened.forbidden = forbidden.map(|(id, _, _)| id).collect();
        }
        Ok(opened)
    }

    async fn object(&self, key: &Key, sealed: &Payload) -> Outcome<Map<String, Value>> {
        Ok(serde_json::from_slice(&self.open(key, sealed).await?).unwrap_or_default())
    }

    /// Whether an account has what was sent. What lies in the blob store is not looked at.
    fn shows_settings(
        &self,
        caller: &Caller,
        account: &state::Credential,
        (shared, workflows): (&Option<Map<String, Value>>, &BTreeMap<WorkflowId, WorkflowChange>),
    ) -> bool {
        let is = |saved: Option<&state::Saved>, sent: &Map<String, Value>| {
            let Some(sealed) = saved.and_then(|saved| saved.sealed.as_ref()) else {
                return sent.is_empty();
            };
            let Ok(clear) = self.app.vault.open(&caller.key(), sealed) else { return true };
            serde_json::from_slice::<Map<String, Value>>(&clear).is_ok_and(|saved| saved == *sent)
        };
        let settings = &account.settings;
        let deployed = |id: &WorkflowId| caller.project.released(*id).is_some();
        let shows = |(id, sent): (&WorkflowId, &WorkflowChange)| {
            let saved = settings.workflows.get(id);
            sent.settings.as_ref().is_none_or(|sent| is(saved, sent))
                && sent.enabled.is_none_or(|enabled| account.enabled.contains(id) == enabled)
        };
        shared.as_ref().is_none_or(|sent| is(Some(&settings.shared), sent))
            && workflows.iter().filter(|(id, _)| deployed(id)).all(shows)
    }
}
