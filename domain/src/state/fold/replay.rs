//! Replays of many, into the row of their integration.

use crate::event::{Event, ReplayContinued};
use crate::id::{CommandId, IntegrationId};
use crate::meta::Meta;
use crate::state::{Replaying, Row, RowKey, Rows, Wanted};

pub(super) fn fold(rows: &mut Rows, meta: &Meta, event: &Event) {
    match event {
        Event::ReplayRequested(e) => {
            requested(rows, meta, (e.replay, e.integration), Wanted::Webhooks(e.clone()));
        }
        Event::ExecutionsReplayRequested(e) => {
            requested(rows, meta, (e.replay, e.integration), Wanted::Executions(e.clone()));
        }
        Event::ReplayContinued(e) => continued(rows, meta, e),
        _ => {}
    }
}

fn requested(
    rows: &mut Rows,
    meta: &Meta,
    (replay, integration): (CommandId, IntegrationId),
    wanted: Wanted,
) {
    let key = RowKey::Replays(meta.project, integration);
    let mut replays = rows.replays(&key).cloned().unwrap_or_default();
    replays.insert(replay, Replaying::new(wanted, meta.occurred_at));
    rows.put(key, Row::Replays(replays));
}

fn continued(rows: &mut Rows, meta: &Meta, e: &ReplayContinued) {
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
