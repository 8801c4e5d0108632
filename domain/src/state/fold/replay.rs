//! Replays of many webhooks, into the row of their address.

use crate::event::{ReplayContinued, ReplayRequested};
use crate::meta::Meta;
use crate::state::{Replaying, Row, RowKey, Rows};

pub(super) fn requested(rows: &mut Rows, meta: &Meta, e: &ReplayRequested) {
    let key = RowKey::Replays(meta.project, e.integration);
    let mut replays = rows.replays(&key).cloned().unwrap_or_default();
    replays.insert(e.replay, Replaying::new(e, meta.occurred_at));
    rows.put(key, Row::Replays(replays));
}

pub(super) fn continued(rows: &mut Rows, meta: &Meta, e: &ReplayContinued) {
    let key = RowKey::Replays(meta.project, e.integration);
    let Some(replays) = rows.replays_mut(&key) else { return };
    if e.done {
        replays.remove(&e.replay);
    } else if let Some(replaying) = replays.get_mut(&e.replay) {
        replaying.went_on(e, meta.occurred_at);
    }
    if replays.is_empty() {
        rows.remove(&key);
    }
}
