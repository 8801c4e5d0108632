//! What happens at addresses: webhooks are matched, slots are lent.

use crate::id::{CredentialId, EventId, IntegrationId, ProjectId};
use crate::payload::Payload;
use crate::time::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the door found out about a webhook.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename = "Verdict", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// Signed as the integration says.
    Verified,
    /// No signature.
    Unsigned,
    /// A signature that does not fit.
    Forged,
    /// Signed too long ago, or in the future.
    Stale,
    /// Not what the integration sends.
    Malformed,
}

/// A user's account that a webhook is for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename = "Recipient")]
pub struct Recipient {
    /// `sub` of the user.
    pub user: String,
    /// The connected account.
    pub credential: CredentialId,
}

/// A webhook came in, was kept, and goes to its recipients.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "WebhookReceived")]
pub struct WebhookReceived {
    /// The integration it came for.
    pub integration: IntegrationId,
    /// What the door found out.
    pub verdict: Verdict,
    /// The delivery's id, as the provider sent it; empty if none.
    pub delivery: String,
    /// What happened, as `kind` or `kind.action`.
    pub name: String,
    /// The account it is about, at the provider; empty if unknown.
    pub provider_id: String,
    /// Whether the same delivery had come before; a repeat is told to no one.
    pub repeated: bool,
    /// Who is told. Empty: unmatched, kept, can be replayed.
    pub recipients: Vec<Recipient>,
    /// Bytes of the body.
    pub size: i32,
    /// `{headers, body, params}` as JSON, under the address's key.
    pub sealed: Payload,
}

/// One decision tells at most so many recipients; the rest follows in others.
pub const RECIPIENTS_MAX: usize = 1_000;

/// A webhook goes to further recipients.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "WebhookSpread")]
pub struct WebhookSpread {
    /// The record of the webhook.
    pub webhook: EventId,
    /// When it came.
    pub received_at: Timestamp,
    /// The integration it came for.
    pub integration: IntegrationId,
    /// What happened, as `kind` or `kind.action`.
    pub name: String,
    /// The account it is about, at the provider.
    pub provider_id: String,
    /// Who is told.
    pub recipients: Vec<Recipient>,
    /// Bytes of the body.
    pub size: i32,
    /// `{headers, body, params}` as JSON, under the address's key.
    pub sealed: Payload,
}

/// The address knows (or forgets) which user an account at the provider belongs to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "CredentialLinked")]
pub struct CredentialLinked {
    /// The integration.
    pub integration: IntegrationId,
    /// The account's id at the provider.
    pub provider_id: String,
    /// Whose it is.
    pub recipient: Recipient,
    /// Whether the link holds from now on.
    pub linked: bool,
}

/// A lane wants to run steps of a project.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "SlotsAsked")]
pub struct SlotsAsked {
    /// The project.
    pub project: ProjectId,
    /// The lane's partition.
    pub lane: i32,
    /// Slots that it could use now; 0 gives all back.
    pub wanted: i32,
    /// Slots that it keeps busy and cannot give back yet.
    pub busy: i32,
}

/// The project's budget lends slots to a lane; `held` replaces what it was lent before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "SlotsGranted")]
pub struct SlotsGranted {
    /// The project.
    pub project: ProjectId,
    /// The lane's partition.
    pub lane: i32,
    /// Slots that it may use from now on.
    pub held: i32,
    /// Counts grants of this project; a lane ignores an older one.
    pub serial: i64,
}

/// A lane heard what it may use.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "SlotsHeld")]
pub struct SlotsHeld {
    /// The project.
    pub project: ProjectId,
    /// The lane's partition.
    pub lane: i32,
    /// Slots that it may use from now on.
    pub held: i32,
    /// The grant that said so.
    pub serial: i64,
}
