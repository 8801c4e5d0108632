//! What the owner knows for a while only.
//!
//! A row that expires is named in the row of the second in which it does, so whoever keeps rows
//! finds what has expired without looking through the rest. What is written again later is named
//! again, and stays until then.

use super::{Row, RowKey, Rows, fold};
use crate::event::Event;
use crate::meta::Recorded;
use crate::time::Timestamp;
use std::collections::BTreeSet;

/// How long the first answer to a command is kept for repeats of it, in milliseconds: a day.
pub const IDEMPOTENCY_WINDOW_MS: i64 = 24 * 3_600 * 1_000;
/// How long the id of a webhook delivery is known, in milliseconds: a week. Providers repeat for up
/// to three days.
pub const DELIVERY_WINDOW_MS: i64 = 7 * 24 * 3_600 * 1_000;

/// When the row expires; `None`: never.
pub fn expires_at(row: &Row) -> Option<Timestamp> {
    match row {
        Row::Seen(seen) => Some(seen.at.plus_ms(IDEMPOTENCY_WINDOW_MS)),
        Row::Delivery(at) => Some(at.plus_ms(DELIVERY_WINDOW_MS)),
        Row::User(_)
        | Row::Execution(_)
        | Row::Link(_)
        | Row::Budget(_)
        | Row::Waits
        | Row::Heard(_)
        | Row::Started(_)
        | Row::Nested(_)
        | Row::Part(_)
        | Row::Schedule(_)
        | Row::Replays(_)
        | Row::Expiring(_) => None,
    }
}

/// The rows that name what a decision lets expire. They must be loaded to fold it.
pub(super) fn expiring(run: &[Recorded<Event>]) -> Vec<RowKey> {
    let (mut answers, mut deliveries) = (None, None);
    for Recorded { meta, body } in run {
        let after = |window_ms| Some(place(meta.occurred_at.plus_ms(window_ms)));
        let is_first = meta.i == 0 && meta.command_id.told().is_none();
        if is_first && fold::remembered(body) || fold::may_answer(body) {
            answers = after(IDEMPOTENCY_WINDOW_MS);
        }
        if matches!(body, Event::WebhookReceived(_)) {
            deliveries = after(DELIVERY_WINDOW_MS);
        }
    }
    answers.into_iter().chain(deliveries).collect()
}

/// Whether decisions of that moment, or later ones, may name something in the row.
pub fn is_open(key: &RowKey, at: Timestamp) -> bool {
    [IDEMPOTENCY_WINDOW_MS, DELIVERY_WINDOW_MS].iter().any(|ms| *key == place(at.plus_ms(*ms)))
}

/// The row that names what expires in that second.
fn place(expires_at: Timestamp) -> RowKey {
    RowKey::Expiry(second_of(expires_at))
}

/// The second of a moment, since 1970. What expires in it is gone when it is over.
pub fn second_of(at: Timestamp) -> i64 {
    at.0.div_euclid(1_000)
}

impl Rows {
    /// Sets a row that expires.
    pub(super) fn put_for_a_while(&mut self, key: RowKey, row: Row) {
        if let Some(at) = expires_at(&row) {
            let second = place(at);
            if !self.contains(&second) {
                self.put(second.clone(), Row::Expiring(BTreeSet::new()));
            }
            if let Some(named) = self.expiry_mut(&second) {
                named.insert(key.clone());
            }
        }
        self.put(key, row);
    }

    /// Forgets the rows of seconds in which no decision of that moment, or a later one, names
    /// anything, as far as they are written to the store.
    pub fn evict_closed(&mut self, at: Timestamp) {
        let seconds = RowKey::Expiry(i64::MIN)..=RowKey::Expiry(i64::MAX);
        let seconds = self.rows.range(seconds).map(|(key, _)| key);
        let closed = seconds.filter(|key| !is_open(key, at) && !self.is_dirty(key));
        for key in closed.cloned().collect::<Vec<_>>() {
            self.evict(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::CommandId;
    use crate::state::Seen;
    use uuid::Uuid;

    fn seen(at: i64) -> Row {
        Row::Seen(Seen { at: Timestamp(at), body_hash: None, answer: None })
    }

    #[test]
    fn a_row_is_named_where_it_expires_and_again_when_it_is_written_again() {
        let mut rows = Rows::default();
        let key = RowKey::Seen(CommandId(Uuid::from_u128(1)));
        rows.put_for_a_while(key.clone(), seen(1_999));
        rows.put_for_a_while(key.clone(), seen(2_000));
        let day = IDEMPOTENCY_WINDOW_MS / 1_000;
        for second in [day + 1, day + 2] {
            let named = rows.expiry(&RowKey::Expiry(second)).unwrap();
            assert_eq!(named.iter().collect::<Vec<_>>(), [&key]);
        }
        let at = rows.get(&key).and_then(expires_at).unwrap();
        assert_eq!(second_of(at), day + 2);
    }

    #[test]
    fn seconds_that_are_over_are_forgotten_once_they_are_written() {
        let mut rows = Rows::default();
        let key = RowKey::Seen(CommandId(Uuid::from_u128(1)));
        rows.put_for_a_while(key.clone(), seen(1_999));
        let second = place(Timestamp(1_999 + IDEMPOTENCY_WINDOW_MS));
        rows.evict_closed(Timestamp(5_000));
        assert!(rows.contains(&second), "it is not written yet");
        rows.take_dirty();
        rows.evict_closed(Timestamp(1_500));
        assert!(rows.contains(&second), "more may be named in it");
        rows.evict_closed(Timestamp(2_000));
        assert!(!rows.contains(&second));
        assert!(rows.contains(&key), "what it names is no matter of time");
    }
}
