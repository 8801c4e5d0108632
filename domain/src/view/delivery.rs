//! The inbox: every webhook that came, also refused and unmatched ones.

use crate::event::{ReplayRequested, Verdict};
use crate::id::{EventId, IntegrationId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A webhook that came in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Delivery {
    /// Its record.
    pub id: EventId,
    /// When it came.
    pub received_at: Timestamp,
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
    /// Whether the same delivery had come before.
    pub repeated: bool,
    /// How many accounts were told.
    pub recipient_count: u32,
    /// Bytes of the body.
    pub size: i64,
    /// The webhook that it is a replay of.
    pub replay_of: Option<EventId>,
}

/// Which deliveries to list; a field that is not set lets all pass.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DeliveryFilter {
    /// For one integration.
    pub integration: Option<IntegrationId>,
    /// With this verdict.
    pub verdict: Option<Verdict>,
    /// With this id, as the provider sent it.
    pub delivery: Option<String>,
    /// Of this name.
    pub name: Option<String>,
    /// Only those that no account was told of.
    pub unmatched: Option<bool>,
    /// Come before.
    pub before: Option<Timestamp>,
    /// Come after.
    pub after: Option<Timestamp>,
    /// Skip so many.
    pub offset: u64,
    /// At most so many.
    pub limit: usize,
}

/// A page of deliveries, newest first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Deliveries {
    /// The page.
    pub rows: Vec<Delivery>,
    /// How many the filter lets pass, over all pages.
    pub total: u64,
}

/// A replay of many webhooks of an integration.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Replay {
    /// What was asked for.
    pub asked: ReplayRequested,
    /// When.
    pub requested_at: Timestamp,
    /// Webhooks that were replayed so far.
    pub replayed: u64,
    /// Webhooks that could not be: only their beginning was kept, or their keys are gone.
    pub skipped: u64,
    /// Whether there are no more.
    pub is_done: bool,
}
