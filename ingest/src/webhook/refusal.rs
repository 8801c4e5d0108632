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
    counts: Mutex<HashMap<IntegrationId, (i64, u32)>>,
}

impl Refusals {
    pub(crate) fn new(per_minute_max: u32) -> Self {
        Self { per_minute_max, counts: Mutex::new(HashMap::new()) }
    }

    /// Whether one more may be kept.
    pub(super) fn admit(&self, integration: IntegrationId, now: Timestamp) -> bool {
        let minute = now.0.div_euclid(MINUTE_MS);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= INTEGRATIONS_MAX {
            counts.retain(|_, (at, _)| *at == minute);
        }
        let (at, count) = counts.entry(integration).or_insert((minute, 0));
        if *at != minute {
            (*at, *count) = (minute, 0);
        }
        *count = count.saturating_add(1);
        *count <= self.per_minute_max
    }
}
