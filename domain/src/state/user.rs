//! A connected user as its owner knows it.

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
