//! Rows that have expired leave the store.

use super::Owner;
use super::table::{self, EXPIRIES};
use bytes::{BufMut, Bytes, BytesMut};
use domain::state::{RowKey, expires_at, second_of};
use domain::time::Timestamp;
use ports::{Error, Range, Write};

/// Seconds that are cleaned up in one go; the rest comes with the next save.
const SECONDS_MAX: usize = 16;

impl Owner {
    /// Drops rows that have expired when the last event happened. The moment is the log's, so that
    /// a rebuild drops the same.
    pub(super) async fn expire(&mut self, latest: Timestamp) -> Result<(), Error> {
        let now = second_of(latest);
        if self.expired_before.is_some_and(|before| before >= now) {
            return Ok(());
        }
        let over = self.over(now).await?;
        let is_all = over.len() < SECONDS_MAX;
        let mut writes = Vec::new();
        for (place, second, named) in over {
            self.drop_expired(second, named, &mut writes).await?;
            writes.push(Write::Remove { table: EXPIRIES, key: place });
            self.rows.evict(&RowKey::Expiry(second));
        }
        self.expired_before = is_all.then_some(now);
        match writes.is_empty() {
            true => Ok(()),
            false => self.world.store.commit(writes).await,
        }
    }

    /// Whether more has expired than [`Owner::expire`] dropped.
    pub(super) fn may_expire_more(&self) -> bool {
        self.expired_before.is_none()
    }

    /// The oldest seconds that are over, and what expired in them.
    async fn over(&self, now: i64) -> Result<Vec<(Bytes, i64, Vec<RowKey>)>, Error> {
        let number = self.seat.number();
        let from = Bytes::copy_from_slice(&number.to_be_bytes());
        let mut until = BytesMut::with_capacity(10);
        until.put_u16(number);
        until.put_i64(now);
        let until = until.freeze();
        let range = Range { from, until, limit: SECONDS_MAX, backwards: false };
        let mut over = Vec::new();
        for (place, value) in self.world.store.scan(EXPIRIES, range).await? {
            let Some(second) = table::parse_expiry(&place) else { continue };
            over.push((place, second, table::decode_expiring(&value)?));
        }
        Ok(over)
    }

    /// What was written again since expires later.
    async fn drop_expired(
        &mut self,
        second: i64,
        named: Vec<RowKey>,
        writes: &mut Vec<Write>,
    ) -> Result<(), Error> {
        self.load(named.clone()).await?;
        for key in named {
            let at = self.rows.get(&key).and_then(expires_at);
            if at.is_some_and(|at| second_of(at) <= second) {
                let (table, place) = table::place(self.seat.number(), &key);
                writes.push(Write::Remove { table, key: place });
                self.rows.evict(&key);
            }
        }
        Ok(())
    }
}
