//! What is asked of a connected user.

use crate::event::Recipient;
use crate::id::{CredentialId, IntegrationId, WorkflowId};
use crate::payload::Payload;
use serde::{Deserialize, Serialize};

/// Takes in an app event (`POST …/sdk/events/trigger`).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "ReceiveEvent")]
pub struct ReceiveEvent {
    /// The name of the app event.
    pub name: String,
    /// Only this connected account's workflows; null is every account.
    pub credential: Option<CredentialId>,
    /// Bytes of the payload.
    pub size: i32,
    /// The trigger's output, `{"event": <payload>}`, as JSON.
    pub sealed: Payload,
}

/// Runs a workflow that has a request trigger (`POST …/sdk/triggers/{workflow}`).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "ReceiveRequest")]
pub struct ReceiveRequest {
    /// The workflow.
    pub workflow: WorkflowId,
    /// Only for this connected account; null is the first with the workflow enabled.
    pub credential: Option<CredentialId>,
    /// Bytes of the body.
    pub size: i32,
    /// The trigger's output, `{"request": {headers, body, params, file}}`, as JSON.
    pub sealed: Payload,
}

/// Hands a matched webhook to a user. Sent by the address of the integration.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "DeliverWebhook")]
pub struct DeliverWebhook {
    /// The integration it came for.
    pub integration: IntegrationId,
    /// The connected account it is for.
    pub credential: CredentialId,
    /// What happened, as `kind` or `kind.action`.
    pub name: String,
    /// Bytes of the body.
    pub size: i32,
    /// The trigger's output as JSON, under the user's key.
    pub sealed: Payload,
}

/// Connects an account (`POST …/sdk/credentials`).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "ConnectCredential")]
pub struct ConnectCredential {
    /// The provider.
    pub integration: IntegrationId,
    /// Connect this account again; null: the user's only account there, or a new one.
    pub credential: Option<CredentialId>,
    /// Whether a further account may be added beside an existing one.
    pub another: bool,
    /// The account's id at the provider, empty if unknown.
    pub provider_id: String,
    /// The customer's own name for the account, empty if none.
    pub external_id: String,
    /// What the user gave (tokens), as JSON.
    pub sealed: Payload,
}

/// Disconnects an account.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "RemoveCredential")]
pub struct RemoveCredential {
    /// The provider.
    pub integration: IntegrationId,
    /// The account; null: the user's first there.
    pub credential: Option<CredentialId>,
}

/// Switches a workflow on or off (`POST|DELETE …/sdk/workflows/{workflow}`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "SwitchWorkflow")]
pub struct SwitchWorkflow {
    /// The workflow.
    pub workflow: WorkflowId,
    /// For this connected account; null: the user's first at the workflow's integration.
    pub credential: Option<CredentialId>,
    /// On or off.
    pub enabled: bool,
}

/// Saves settings of a connected account, and switches its workflows
/// (`PATCH …/sdk/credentials/{credential}`).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "SaveSettings")]
pub struct SaveSettings {
    /// The connected account.
    pub credential: CredentialId,
    /// `{"shared": {id: value}, "workflows": {workflow: {"enabled": …, "settings": {id: value}}}}`,
    /// as JSON: what is not in it stays as it is.
    pub sealed: Payload,
}

/// Starts the workflows that wait for an integration to be enabled. Sent by a user to itself, so that
/// they see the account as it is then.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "StartEnabled")]
pub struct StartEnabled {
    /// The provider.
    pub integration: IntegrationId,
    /// The connected account.
    pub credential: CredentialId,
}

/// Starts what one decision could not. Sent by a user to itself.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "ContinueStarts")]
pub struct ContinueStarts {
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

/// Changes the user's metadata (`PATCH …/sdk/me`).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "DescribeUser")]
pub struct DescribeUser {
    /// The fields that change, as a JSON object.
    pub sealed: Payload,
}

/// Disables or enables the user.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "SwitchUser")]
pub struct SwitchUser {
    /// Whether the user may start anything.
    pub enabled: bool,
}

/// Forgets the user: accounts, settings, metadata. What runs for them ends with its next step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "DeleteUser")]
pub struct DeleteUser {}

/// Tells an address whose an account at the provider is. Sent by the user's owner.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "LinkCredential")]
pub struct LinkCredential {
    /// The integration.
    pub integration: IntegrationId,
    /// The account's id at the provider.
    pub provider_id: String,
    /// Whose it is.
    pub recipient: Recipient,
    /// Whether the link holds from now on.
    pub linked: bool,
}
