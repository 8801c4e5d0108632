//! What happens to webhooks that are replayed.

use super::{Recipient, Verdict};
use crate::id::{CommandId, EventId, IntegrationId};
use crate::payload::Payload;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A webhook that was kept goes to whom it is for now.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "WebhookReplayed")]
pub struct WebhookReplayed {
    /// The record of the webhook.
    pub webhook: EventId,
    /// The integration it came for.
    pub integration: IntegrationId,
    /// What the door had found out.
    pub verdict: Verdict,
    /// What happened, as the integration's settings read it now.
    pub name: String,
    /// The account it is about; empty if unknown.
    pub provider_id: String,
    /// The replay of many that it is part of.
    pub replay: Option<CommandId>,
    /// Who is told.
    pub recipients: Vec<Recipient>,
    /// Bytes of the body.
    pub size: i32,
    /// `{headers, body, params}` as JSON, under the address's key.
    pub sealed: Payload,
}

/// The webhooks of an address that a filter lets pass are replayed from now on, oldest first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "ReplayRequested")]
pub struct ReplayRequested {
    /// The replay.
    pub replay: CommandId,
    /// The integration they came for.
    pub integration: IntegrationId,
    /// Only those with this verdict.
    pub verdict: Option<Verdict>,
    /// Only those that nobody was told of, or that somebody was.
    pub unmatched: Option<bool>,
    /// Only those of this name; empty: any.
    pub name: String,
    /// Only those that came after it.
    pub after: Option<Timestamp>,
    /// Only those that came before it.
    pub before: Timestamp,
    /// Whether refused ones are replayed too.
    pub despite: bool,
    /// At most so many in a second.
    pub per_second: i32,
}

/// A replay of many has come so far.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "ReplayContinued")]
pub struct ReplayContinued {
    /// The replay.
    pub replay: CommandId,
    /// The integration they came for.
    pub integration: IntegrationId,
    /// When the last webhook that was looked at came.
    pub until_at: Timestamp,
    /// The last webhook that was looked at.
    pub until: EventId,
    /// Webhooks that were replayed by this.
    pub replayed: i32,
    /// Webhooks that cannot be replayed.
    pub skipped: i32,
    /// Whether there are no more.
    pub done: bool,
}
