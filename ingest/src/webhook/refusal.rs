//! How many refused webhooks are kept: anyone can send them.

use domain::id::IntegrationId;
use domain::time::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

const MINUTE_MS: i64 = 60_000;
const INTEGRATIONS_MAX: usize = 10_000;

/// Counts refused webhooks per integration and minute. It bounds what strangers can write; no
/// decision depends on it.
pub(crate) struct Refusals {
    per_minute_max: u32,
    counts: Mutex<HashMap<IntegrationId, Count>>,
}

#[derive(Default)]
struct Count {
    minute: i64,
    kept: u32,
    /// Not kept since the last one that was.
    missed: u64,
}

impl Refusals {
    pub(crate) fn new(per_minute_max: u32) -> Self {
        Self { per_minute_max, counts: Mutex::new(HashMap::new()) }
    }

    /// Whether one more may be kept, and how many were not since the last one.
    pub(super) fn admit(&self, integration: IntegrationId, now: Timestamp) -> Option<u64> {
        let minute = now.0.div_euclid(MINUTE_MS);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= INTEGRATIONS_MAX {
            counts.retain(|_, count| count.minute == minute);
        }
        let count = counts.entry(integration).or_default();
        if count.minute != minute {
            (count.minute, count.kept) = (minute, 0);
        }
        if count.kept >= self.per_minute_max {
            count.missed = count.missed.saturating_add(1);
            return None;
        }
        count.kept += 1;
        Some(std::mem::take(&mut count.missed))
    }
}
