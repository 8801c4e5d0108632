//! Replays of many that are under way: of webhooks of an address, of executions of a partition.

use crate::event::{ExecutionsReplayRequested, ReplayContinued, ReplayRequested};
use crate::id::EventId;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Replays of one integration that are under way in one place at the same time, at most.
pub const REPLAYS_MAX: usize = 16;
/// What is looked at of one replay in one go, at most.
pub const REPLAYED_MAX: usize = 25;
/// What is replayed of one replay in a second, at most.
pub const REPLAYED_PER_SECOND_MAX: i32 = 1_000;

/// A replay of many that is under way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Replaying {
    /// What was asked for.
    pub wanted: Wanted,
    /// The last one that was looked at, and when it came or began; `None`: none yet.
    pub until: Option<(Timestamp, EventId)>,
    /// When it goes on.
    pub due: Timestamp,
}

/// What is replayed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Wanted {
    /// Webhooks of an address.
    Webhooks(ReplayRequested),
    /// Executions of a partition.
    Executions(ExecutionsReplayRequested),
}

impl Wanted {
    /// How many are replayed in how many seconds.
    fn pace(&self) -> (i64, i64) {
        match self {
            Self::Webhooks(asked) => (i64::from(asked.per_second.max(1)), 1),
            // Every partition does its share.
            Self::Executions(asked) => {
                (i64::from(asked.per_second.max(1)), i64::from(asked.partitions.max(1)))
            }
        }
    }
}

impl Replaying {
    pub(super) fn new(wanted: Wanted, now: Timestamp) -> Self {
        Self { wanted, until: None, due: now }
    }

    pub(super) fn went_on(&mut self, e: &ReplayContinued, now: Timestamp) {
        self.until = Some((e.until_at, e.until));
        let (count, seconds) = self.wanted.pace();
        self.due = now.plus_ms(i64::from(e.replayed) * seconds * 1_000 / count);
    }

    /// How many are replayed in one go: no more than in a second.
    pub fn page_len(&self) -> usize {
        let (count, seconds) = self.wanted.pace();
        usize::try_from(count / seconds).unwrap_or(1).clamp(1, REPLAYED_MAX)
    }
}
