//! What happens to a connected user.

use crate::id::{CredentialId, IntegrationId, WorkflowId};
use crate::payload::Payload;
use serde::{Deserialize, Serialize};

/// An app event came in; the executions it started follow in the same decision.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "EventReceived")]
pub struct EventReceived {
    /// The name of the app event.
    pub name: String,
    /// Executions started by it.
    pub executions: i32,
    /// Bytes of the payload.
    pub size: i32,
}

/// More starts than one decision holds: the rest follows in another.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "StartsDeferred")]
pub struct StartsDeferred {
    /// The app event, or what the webhook said happened; empty: the integration was enabled.
    pub name: String,
    /// The integration that was enabled, or that the webhook came for; `None` for an app event.
    pub integration: Option<IntegrationId>,
    /// The only account that it is for; `None`: every account.
    pub credential: Option<CredentialId>,
    /// The last workflow that was started.
    pub after_workflow: WorkflowId,
    /// The account that it was last started for.
    pub after_credential: CredentialId,
    /// Bytes of the payload.
    pub size: i32,
    /// The trigger's output as JSON, under the user's key.
    pub sealed: Payload,
}

/// A connected account exists, or was connected again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "CredentialConnected")]
pub struct CredentialConnected {
    /// The connected account.
    pub credential: CredentialId,
    /// Its default configuration (a UUIDv4 of its own).
    pub configuration: CredentialId,
    /// The provider.
    pub integration: IntegrationId,
    /// The account's id at the provider, empty if unknown.
    pub provider_id: String,
    /// The customer's own name for the account, empty if none.
    pub external_id: String,
    /// `{"payload": …}`: what the user gave (tokens).
    pub sealed: Payload,
}

/// A connected account is gone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "CredentialRemoved")]
pub struct CredentialRemoved {
    /// The connected account.
    pub credential: CredentialId,
    /// The provider.
    pub integration: IntegrationId,
    /// The account's id at the provider, empty if unknown.
    pub provider_id: String,
}

/// A workflow was switched on or off for a connected account.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "WorkflowSwitched")]
pub struct WorkflowSwitched {
    /// The workflow.
    pub workflow: WorkflowId,
    /// The connected account.
    pub credential: CredentialId,
    /// On or off from now on.
    pub enabled: bool,
}

/// The user saved settings of a connected account.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "SettingsSaved")]
pub struct SettingsSaved {
    /// The connected account.
    pub credential: CredentialId,
    /// The only workflow that reads them; null: every one of the integration.
    pub workflow: Option<WorkflowId>,
    /// The ids of those that have a value now.
    pub filled: Vec<String>,
    /// All of them: ids and values, as a JSON object.
    pub sealed: Payload,
}

/// An account is connected, and everything that its integration requires is set, for the first time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "IntegrationEnabled")]
pub struct IntegrationEnabled {
    /// The connected account.
    pub credential: CredentialId,
    /// The provider.
    pub integration: IntegrationId,
    /// Workflows that wait for it, and start next.
    pub workflows: i32,
}

/// The user's metadata changed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "UserDescribed")]
pub struct UserDescribed {
    /// The whole metadata object after the change, as JSON.
    pub sealed: Payload,
}

/// The user was disabled (starts nothing) or enabled again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "UserSwitched")]
pub struct UserSwitched {
    /// Whether the user may start anything from now on.
    pub enabled: bool,
}

/// The user was forgotten, after the accounts were removed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "UserDeleted")]
pub struct UserDeleted {}
