//! What is asked of addresses.

use crate::event::{Recipient, Verdict};
use crate::id::{CredentialId, EventId, IntegrationId, ProjectId};
use crate::payload::Payload;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Takes in a webhook, also a refused one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "ReceiveWebhook")]
pub struct ReceiveWebhook {
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
    /// The connected account named by the URL (`?id=`).
    pub credential: Option<CredentialId>,
    /// Bytes of the body.
    pub size: i32,
    /// `{headers, body, params}` as JSON, under the address's key.
    pub sealed: Payload,
}

/// Hands a webhook on to the recipients that one decision could not tell. Sent by the address to
/// itself.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "SpreadWebhook")]
pub struct SpreadWebhook {
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
    /// The last recipient that was told.
    pub after: Recipient,
    /// Bytes of the body.
    pub size: i32,
    /// `{headers, body, params}` as JSON, under the address's key.
    pub sealed: Payload,
}

/// Asks the project's budget for slots. Sent by a lane.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "AskSlots")]
pub struct AskSlots {
    /// The project.
    pub project: ProjectId,
    /// The lane's partition.
    pub lane: i32,
    /// Slots that it could use now; 0 gives all back.
    pub wanted: i32,
    /// Slots that it keeps busy and cannot give back yet.
    pub busy: i32,
}

/// Tells a lane what it may use. Sent by the project's budget.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "HoldSlots")]
pub struct HoldSlots {
    /// The project.
    pub project: ProjectId,
    /// The lane's partition.
    pub lane: i32,
    /// Slots that it may use from now on.
    pub held: i32,
    /// The grant.
    pub serial: i64,
}
