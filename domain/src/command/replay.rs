//! What is asked of addresses about webhooks that they kept.

use crate::event::Verdict;
use crate::id::{CommandId, CredentialId, EventId, IntegrationId};
use crate::payload::Payload;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Hands a webhook that was kept to whom it is for now.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "ReplayWebhook")]
pub struct ReplayWebhook {
    /// The record of the webhook.
    pub webhook: EventId,
    /// The integration it came for.
    pub integration: IntegrationId,
    /// What the door had found out.
    pub verdict: Verdict,
    /// Whether it may be one that was refused.
    pub despite: bool,
    /// What happened, as the integration's settings read it now.
    pub name: String,
    /// The account it is about, as the integration's settings read it now; empty if unknown.
    pub provider_id: String,
    /// The connected account named by the URL (`?id=`).
    pub credential: Option<CredentialId>,
    /// The replay of many that it is part of.
    pub replay: Option<CommandId>,
    /// Bytes of the body.
    pub size: i32,
    /// `{headers, body, params}` as JSON, under the address's key.
    pub sealed: Payload,
}

/// Replays the webhooks of an address that a filter lets pass.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "ReplayWebhooks")]
pub struct ReplayWebhooks {
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

/// Goes on with a replay of many. Sent by the owner of the address to itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "ContinueReplay")]
pub struct ContinueReplay {
    /// The integration they came for.
    pub integration: IntegrationId,
    /// The replay.
    pub replay: CommandId,
    /// When the last webhook that was looked at came.
    pub until_at: Timestamp,
    /// The last webhook that was looked at.
    pub until: EventId,
    /// Webhooks that are replayed by this.
    pub replayed: i32,
    /// Webhooks that cannot be replayed.
    pub skipped: i32,
    /// Whether there are no more.
    pub done: bool,
}
