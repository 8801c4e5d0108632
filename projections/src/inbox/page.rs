//! The inbox piece by piece, oldest first, and what is replayed of it.

use super::{DELIVERIES, InboxReader, REPLAYS, SCAN_ROWS_MAX, decode, key, passes};
use crate::replay::is_replayable;
use bytes::{BufMut, Bytes, BytesMut};
use domain::id::{EventId, ProjectId};
use domain::time::Timestamp;
use domain::view::{Delivery, DeliveryFilter, Replay};
use ports::{Error, Range};
use uuid::Uuid;

/// Replays that are shown, at most, of each partition.
const REPLAYS_SHOWN_MAX: usize = 1_000;

/// What a replay looks for.
pub(crate) struct Span {
    pub(crate) filter: DeliveryFilter,
    /// It begins behind this webhook.
    pub(crate) behind: Option<(Timestamp, EventId)>,
    /// Whether refused ones pass.
    pub(crate) despite: bool,
}

/// A piece of the inbox.
pub(crate) struct Page {
    /// What passes.
    pub(crate) rows: Vec<Delivery>,
    /// The last webhook that was looked at; `None`: there was none.
    pub(crate) until: Option<(Timestamp, EventId)>,
    /// Whether there are no more behind it.
    pub(crate) is_last: bool,
}

impl InboxReader {
    /// The next piece: at most as many as the filter's limit, found among a bounded number of rows.
    ///
    /// # Errors
    /// As [`InboxReader::list`].
    pub(crate) async fn page(
        &self,
        partition: u16,
        project: ProjectId,
        span: &Span,
    ) -> Result<Page, Error> {
        let none = EventId(Uuid::nil());
        let filter = &span.filter;
        let from = match span.behind {
            Some((at, id)) => behind(&key(partition, project, at, id)),
            None => {
                let after = filter.after.map_or(Timestamp(0), |at| at.plus_ms(1));
                key(partition, project, after.max(Timestamp(0)), none)
            }
        };
        let before = filter.before.unwrap_or(Timestamp(i64::MAX)).max(Timestamp(0));
        let until = key(partition, project, before, none);
        let range = Range { from, until, limit: SCAN_ROWS_MAX, backwards: false };
        let found = self.store.scan(DELIVERIES, range).await?;
        let mut page = Page { rows: Vec::new(), until: None, is_last: true };
        for (_, value) in &found {
            if page.rows.len() == filter.limit {
                page.is_last = false;
                return Ok(page);
            }
            let row: Delivery = decode(value)?;
            page.until = Some((row.received_at, row.id));
            if passes(filter, &row) && is_replayable(&row, span.despite) {
                page.rows.push(row);
            }
        }
        page.is_last = found.len() < SCAN_ROWS_MAX;
        Ok(page)
    }

    /// The project's replays of many, newest first.
    ///
    /// # Errors
    /// As [`InboxReader::list`].
    pub async fn replays(&self, project: ProjectId) -> Result<Vec<Replay>, Error> {
        let mut replays = Vec::new();
        for partition in 0..self.log.partitions() {
            let mut from = BytesMut::with_capacity(18);
            from.put_u16(partition);
            from.put_slice(project.bytes());
            let until = crate::queue::after(&from);
            let from = from.freeze();
            let range = Range { from, until, limit: REPLAYS_SHOWN_MAX, backwards: true };
            for (_, value) in self.store.scan(REPLAYS, range).await? {
                replays.push(decode::<Replay>(&value)?);
            }
        }
        replays.sort_by_key(|row| std::cmp::Reverse((row.requested_at, row.asked.replay)));
        replays.truncate(REPLAYS_SHOWN_MAX);
        Ok(replays)
    }
}

/// The first key behind this one.
fn behind(key: &[u8]) -> Bytes {
    let mut next = BytesMut::from(key);
    next.put_u8(0);
    next.freeze()
}
