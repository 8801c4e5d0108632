//! What happens to webhooks, into the rows of the inbox.

use super::{DELIVERIES, PLACES, REPLAYS, key, place, replay_key};
use crate::runner::Loaded;
use domain::event::{Event, Recipient, WebhookReplayed};
use domain::id::ProjectId;
use domain::meta::Recorded;
use domain::view::{Delivery, Replay};
use ports::{Error, Offset};

pub(super) fn keep(
    partition: u16,
    rows: &mut Loaded,
    (offset, event): (Offset, &Recorded<Event>),
) -> Result<(), Error> {
    let e = match &event.body {
        Event::WebhookReceived(e) => e,
        Event::WebhookSpread(e) => {
            let key = key(partition, event.meta.project, e.received_at, e.webhook);
            let Some(mut row) = rows.get::<Delivery>(DELIVERIES, &key)? else { return Ok(()) };
            row.recipient_count += count(&e.recipients);
            return rows.put(DELIVERIES, key, &row);
        }
        Event::WebhookReplayed(e) => return replayed(partition, rows, (offset, event), e),
        Event::ReplayRequested(_) | Event::ReplayContinued(_) => {
            return replay(partition, rows, event);
        }
        _ => return Ok(()),
    };
    let (at, id) = (event.meta.occurred_at, event.meta.event_id);
    let row = Delivery {
        id,
        received_at: at,
        integration: e.integration,
        verdict: e.verdict,
        delivery: e.delivery.clone(),
        name: e.name.clone(),
        provider_id: e.provider_id.clone(),
        repeated: e.repeated,
        recipient_count: count(&e.recipients),
        size: i64::from(e.size),
        replay_of: None,
    };
    put(partition, rows, (event.meta.project, offset), &row)
}

fn count(recipients: &[Recipient]) -> u32 {
    u32::try_from(recipients.len()).unwrap_or(u32::MAX)
}

fn put(
    partition: u16,
    rows: &mut Loaded,
    (project, offset): (ProjectId, Offset),
    row: &Delivery,
) -> Result<(), Error> {
    let (at, id) = (row.received_at, row.id);
    rows.put(PLACES, place(partition, project, id), &(at, offset))?;
    rows.put(DELIVERIES, key(partition, project, at, id), row)
}

fn replayed(
    partition: u16,
    rows: &mut Loaded,
    (offset, event): (Offset, &Recorded<Event>),
    e: &WebhookReplayed,
) -> Result<(), Error> {
    let row = Delivery {
        id: event.meta.event_id,
        received_at: event.meta.occurred_at,
        integration: e.integration,
        verdict: e.verdict,
        delivery: String::new(),
        name: e.name.clone(),
        provider_id: e.provider_id.clone(),
        repeated: false,
        recipient_count: count(&e.recipients),
        size: i64::from(e.size),
        replay_of: Some(e.webhook),
    };
    put(partition, rows, (event.meta.project, offset), &row)
}

/// How far a replay of many has come.
fn replay(partition: u16, rows: &mut Loaded, event: &Recorded<Event>) -> Result<(), Error> {
    let (project, at) = (event.meta.project, event.meta.occurred_at);
    match &event.body {
        Event::ReplayRequested(e) => {
            let key = replay_key(partition, project, e.replay);
            let (replayed, skipped, is_done) = (0, 0, false);
            let asked = e.clone();
            rows.put(REPLAYS, key, &Replay { asked, requested_at: at, replayed, skipped, is_done })
        }
        Event::ReplayContinued(e) => {
            let key = replay_key(partition, project, e.replay);
            let Some(mut row) = rows.get::<Replay>(REPLAYS, &key)? else { return Ok(()) };
            row.replayed += u64::try_from(e.replayed).unwrap_or_default();
            row.skipped += u64::try_from(e.skipped).unwrap_or_default();
            row.is_done = e.done;
            rows.put(REPLAYS, key, &row)
        }
        _ => Ok(()),
    }
}
