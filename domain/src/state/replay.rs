//! Replays of many webhooks of an address that are under way.

use crate::event::{ReplayContinued, ReplayRequested};
use crate::id::EventId;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Replays of one address that are under way at the same time, at most.
pub const REPLAYS_MAX: usize = 16;
/// Webhooks of one replay that are looked at in one go, at most.
pub const REPLAYED_MAX: usize = 25;
/// Webhooks of one replay in a second, at most.
pub const REPLAYED_PER_SECOND_MAX: i32 = 1_000;

/// A replay of many that is under way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Replaying {
    /// What was asked for.
    pub asked: ReplayRequested,
    /// The last webhook that was looked at, and when it came; `None`: none yet.
    pub until: Option<(Timestamp, EventId)>,
    /// When it goes on.
    pub due: Timestamp,
}

impl Replaying {
    pub(super) fn new(asked: &ReplayRequested, now: Timestamp) -> Self {
        Self { asked: asked.clone(), until: None, due: now }
    }

    pub(super) fn went_on(&mut self, e: &ReplayContinued, now: Timestamp) {
        self.until = Some((e.until_at, e.until));
        let pause_ms = i64::from(e.replayed) * 1_000 / i64::from(self.asked.per_second.max(1));
        self.due = now.plus_ms(pause_ms);
    }

    /// Webhooks that are replayed in one go: no more than in a second.
    pub fn page_len(&self) -> usize {
        usize::try_from(self.asked.per_second).unwrap_or(1).clamp(1, REPLAYED_MAX)
    }
}
