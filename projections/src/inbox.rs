//! Every webhook that came, also refused and unmatched ones.

mod fold;
mod page;

pub(crate) use page::Span;

use crate::runner::{Loaded, Projection, Standing};
use bytes::{BufMut, Bytes, BytesMut};
use domain::event::Event;
use domain::id::{CommandId, EventId, ProjectId};
use domain::payload::Payload;
use domain::time::Timestamp;
use domain::view::{Deliveries, Delivery, DeliveryFilter};
use ports::{Error, Log, Offset, Range, Store, Table};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use uuid::Uuid;

/// Deliveries by project and moment.
pub const DELIVERIES: Table = Table("inbox.delivery");

/// Where a delivery lies, by its id: when it came, and the offset of its event.
pub const PLACES: Table = Table("inbox.place");

/// Replays of many, by project and id.
pub const REPLAYS: Table = Table("inbox.replay");

/// Rows read in one go.
const SCAN_ROWS_MAX: usize = 4_096;

/// The projection.
pub struct Inbox;

impl Projection for Inbox {
    fn name(&self) -> &'static str {
        "inbox"
    }

    fn version(&self) -> u32 {
        // 2: places by id. 3: replays.
        3
    }

    fn tables(&self) -> &'static [Table] {
        &[DELIVERIES, PLACES, REPLAYS]
    }

    fn touches(&self, partition: u16, events: &[Standing]) -> Vec<(Table, Bytes)> {
        let spread = events.iter().filter_map(|(_, event)| match &event.body {
            Event::WebhookSpread(e) => Some((event.meta.project, e.received_at, e.webhook)),
            _ => None,
        });
        let spread = spread.map(|(project, at, id)| (DELIVERIES, key(partition, project, at, id)));
        let replays = events.iter().filter_map(|(_, event)| match &event.body {
            Event::ReplayContinued(e) => {
                Some((REPLAYS, replay_key(partition, event.meta.project, e.replay)))
            }
            _ => None,
        });
        spread.chain(replays).collect()
    }

    fn fold(&self, partition: u16, rows: &mut Loaded, events: &[Standing]) -> Result<(), Error> {
        events.iter().try_for_each(|(offset, event)| fold::keep(partition, rows, (*offset, event)))
    }
}

fn place(partition: u16, project: ProjectId, id: EventId) -> Bytes {
    let mut key = BytesMut::with_capacity(34);
    key.put_u16(partition);
    key.put_slice(project.bytes());
    key.put_slice(id.bytes());
    key.freeze()
}

fn replay_key(partition: u16, project: ProjectId, id: CommandId) -> Bytes {
    let mut key = BytesMut::with_capacity(34);
    key.put_u16(partition);
    key.put_slice(project.bytes());
    key.put_slice(id.bytes());
    key.freeze()
}

fn key(partition: u16, project: ProjectId, at: Timestamp, id: EventId) -> Bytes {
    let mut key = BytesMut::with_capacity(42);
    key.put_u16(partition);
    key.put_slice(project.bytes());
    key.put_i64(at.0);
    key.put_slice(id.bytes());
    key.freeze()
}

/// Reads the inbox.
pub struct InboxReader {
    log: Arc<dyn Log>,
    store: Arc<dyn Store>,
}

impl InboxReader {
    /// A reader of a node's own rows, and of the events that they point to.
    pub fn new(log: Arc<dyn Log>, store: Arc<dyn Store>) -> Self {
        Self { log, store }
    }

    /// One delivery, with what was sent, sealed; `None` if the project has no such delivery.
    ///
    /// # Errors
    /// As [`InboxReader::list`].
    pub async fn read(
        &self,
        project: ProjectId,
        id: EventId,
    ) -> Result<Option<(Delivery, Payload)>, Error> {
        for partition in 0..self.log.partitions() {
            let Some(bytes) = self.row(PLACES, place(partition, project, id)).await? else {
                continue;
            };
            let (at, offset): (Timestamp, Offset) = decode(&bytes)?;
            let row = self.row(DELIVERIES, key(partition, project, at, id)).await?;
            let Some(row) = row else { return Ok(None) };
            let sealed = crate::runner::sealed(self.log.as_ref(), partition, offset).await?;
            return Ok(Some((decode(&row)?, sealed)));
        }
        Ok(None)
    }

    async fn row(&self, table: Table, key: Bytes) -> Result<Option<Bytes>, Error> {
        Ok(self.store.get(table, &[key]).await?.into_iter().next().flatten())
    }

    /// A page of deliveries, newest first.
    ///
    /// # Errors
    /// `Unavailable`: the rows cannot be read now.
    pub async fn list(
        &self,
        project: ProjectId,
        filter: &DeliveryFilter,
    ) -> Result<Deliveries, Error> {
        let offset = usize::try_from(filter.offset).unwrap_or(usize::MAX);
        let wanted = offset.saturating_add(filter.limit);
        let mut found = Vec::new();
        let mut total = 0;
        for partition in 0..self.log.partitions() {
            total += self.scan(partition, project, filter, (wanted, &mut found)).await?;
        }
        found.sort_by_key(|row: &Delivery| std::cmp::Reverse((row.received_at, row.id)));
        let rows = found.into_iter().skip(offset).take(filter.limit).collect();
        Ok(Deliveries { rows, total })
    }

    async fn scan(
        &self,
        partition: u16,
        project: ProjectId,
        filter: &DeliveryFilter,
        (wanted, found): (usize, &mut Vec<Delivery>),
    ) -> Result<u64, Error> {
        let none = EventId(Uuid::nil());
        let after = filter.after.map_or(Timestamp(0), |at| at.plus_ms(1).max(Timestamp(0)));
        let before = filter.before.unwrap_or(Timestamp(i64::MAX)).max(Timestamp(0));
        let from = key(partition, project, after, none);
        let mut until = key(partition, project, before, none);
        let (mut total, mut kept) = (0, 0);
        loop {
            let (first, last) = (from.clone(), until.clone());
            let range = Range { from: first, until: last, limit: SCAN_ROWS_MAX, backwards: true };
            let rows = self.store.scan(DELIVERIES, range).await?;
            for (_, value) in &rows {
                let row: Delivery = decode(value)?;
                if passes(filter, &row) {
                    total += 1;
                    if kept < wanted {
                        kept += 1;
                        found.push(row);
                    }
                }
            }
            match rows.last() {
                Some((key, _)) if rows.len() == SCAN_ROWS_MAX => until = key.clone(),
                _ => return Ok(total),
            }
        }
    }
}

fn decode<R: DeserializeOwned>(bytes: &[u8]) -> Result<R, Error> {
    postcard::from_bytes(bytes)
        .map_err(|error| Error::Corrupt(format!("a row of the inbox does not decode: {error}")))
}

fn passes(filter: &DeliveryFilter, row: &Delivery) -> bool {
    filter.integration.is_none_or(|integration| integration == row.integration)
        && filter.verdict.is_none_or(|verdict| verdict == row.verdict)
        && filter.name.as_ref().is_none_or(|name| *name == row.name)
        && filter.delivery.as_ref().is_none_or(|delivery| *delivery == row.delivery)
        && filter.unmatched.is_none_or(|unmatched| unmatched == (row.recipient_count == 0))
}
