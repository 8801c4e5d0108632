//! A connected user as its owner knows it.

use crate::config::{self, Input};
use crate::id::{CredentialId, IntegrationId, WorkflowId};
use crate::payload::Payload;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A connected user.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct User {
    /// Whether the user may start nothing.
    pub disabled: bool,
    /// The metadata object as JSON, sealed; `None`: never set.
    pub metadata: Option<Payload>,
    /// Connected accounts.
    pub credentials: BTreeMap<CredentialId, Credential>,
}

/// A connected account.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Credential {
    /// The provider.
    pub integration: IntegrationId,
    /// Its default configuration.
    pub configuration: CredentialId,
    /// The account's id at the provider, empty if unknown.
    pub provider_id: String,
    /// The customer's own name for the account, empty if none.
    pub external_id: String,
    /// What the user gave (tokens), sealed.
    pub payload: Payload,
    /// When it was first connected.
    pub connected_at: Timestamp,
    /// When it was last connected.
    pub refreshed_at: Timestamp,
    /// The workflows that are switched on.
    pub enabled: BTreeSet<WorkflowId>,
    /// What the user has set. In a stored row it stands behind the user.
    #[serde(skip)]
    pub settings: Settings,
}

/// What a user has set for a connected account.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Settings {
    /// For all workflows of the integration.
    pub shared: Saved,
    /// For one workflow each.
    pub workflows: BTreeMap<WorkflowId, Saved>,
    /// Whether what waits for the integration to be enabled was told so.
    pub announced: bool,
}

/// Settings as they were last saved.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Saved {
    /// The ids of those that have a value.
    pub filled: BTreeSet<String>,
    /// Ids and values as a JSON object, sealed; `None`: never saved.
    pub sealed: Option<Payload>,
}

impl Credential {
    /// What is required of the account before a workflow of its integration may run for it, and is
    /// not set: `inputs` are those of the integration and those of the workflow.
    pub fn missing<'a>(
        &self,
        workflow: WorkflowId,
        (shared, own): (&'a [Input], &'a [Input]),
    ) -> Vec<&'a str> {
        let mut missing = config::missing(shared, &self.settings.shared.filled);
        let saved = self.settings.workflows.get(&workflow);
        missing.extend(config::missing(own, saved.map_or(&BTreeSet::new(), |saved| &saved.filled)));
        missing
    }
}

impl User {
    /// The user's accounts at an integration, oldest first.
    pub fn accounts_at(
        &self,
        integration: IntegrationId,
    ) -> impl Iterator<Item = (&CredentialId, &Credential)> {
        let mut found: Vec<_> =
            self.credentials.iter().filter(|(_, c)| c.integration == integration).collect();
        found.sort_by_key(|(id, credential)| (credential.connected_at, **id));
        found.into_iter()
    }
}
