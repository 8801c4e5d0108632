//! The next timers of a partition.
//!
//! Every timer is a row; only the nearest ones are at hand, so parked executions cost no memory.

use crate::owner::table::{self, TIMERS};
use crate::world::World;
use bytes::{BufMut, Bytes, BytesMut};
use domain::id::ExecutionId;
use domain::time::Timestamp;
use ports::{Error, Range};
use std::collections::{BTreeMap, BTreeSet};

/// Timers at hand.
const TIMERS_MAX: usize = 4_096;

/// The next timers of a partition.
pub(crate) struct Timers {
    partition: u16,
    near: BTreeSet<(Timestamp, ExecutionId)>,
    /// Every timer up to here is in `near`; later ones are rows only.
    horizon: Timestamp,
    /// Fired, and not decided yet.
    fired: BTreeMap<ExecutionId, Timestamp>,
}

impl Timers {
    pub(crate) fn new(partition: u16) -> Self {
        let (near, fired) = (BTreeSet::new(), BTreeMap::new());
        Self { partition, near, horizon: Timestamp(i64::MIN), fired }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.partition);
    }

    /// Nothing is at hand: the next look reads the rows.
    pub(crate) fn recover(&mut self) {
        self.clear();
    }

    pub(crate) fn set(&mut self, due: Timestamp, execution: ExecutionId) {
        if due > self.horizon {
            return;
        }
        self.near.insert((due, execution));
        if self.near.len() > 2 * TIMERS_MAX {
            self.near.pop_last();
            self.horizon = self.near.last().map_or(self.horizon, |(due, _)| *due);
        }
    }

    /// The timer's firing was decided, or its execution is over.
    pub(crate) fn forget(&mut self, execution: ExecutionId) {
        self.fired.remove(&execution);
    }

    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        if self.horizon == Timestamp(i64::MIN) {
            return Some(Timestamp(i64::MIN));
        }
        let next = self.near.first().map(|(due, _)| *due);
        let beyond = (self.horizon < Timestamp(i64::MAX)).then_some(self.horizon);
        next.into_iter().chain(beyond).min()
    }

    /// Whether the rows are read to know what is due at `now`.
    pub(crate) fn wants_rows(&self, now: Timestamp) -> bool {
        self.horizon < now || (self.near.is_empty() && self.horizon < Timestamp(i64::MAX))
    }

    /// Takes the timers that are due at `now`.
    pub(crate) async fn due(
        &mut self,
        world: &World,
        now: Timestamp,
    ) -> Result<Vec<(Timestamp, ExecutionId)>, Error> {
        if self.wants_rows(now) {
            self.load(world).await?;
        }
        let mut due = Vec::new();
        while let Some(first) = self.near.first().copied().filter(|(due, _)| *due <= now) {
            self.near.remove(&first);
            if self.fired.insert(first.1, first.0) != Some(first.0) {
                due.push(first);
            }
        }
        Ok(due)
    }

    async fn load(&mut self, world: &World) -> Result<(), Error> {
        let mut from = BytesMut::with_capacity(2);
        from.put_u16(self.partition);
        let until = match self.partition.checked_add(1) {
            Some(next) => Bytes::copy_from_slice(&next.to_be_bytes()),
            None => Bytes::new(),
        };
        let from = from.freeze();
        let range = Range { from, until, limit: TIMERS_MAX, backwards: false };
        let rows = world.store.scan(TIMERS, range).await?;
        let full = rows.len() == TIMERS_MAX;
        let found: Vec<_> = rows.iter().filter_map(|(key, _)| table::parse_timer(key)).collect();
        // A fired timer whose row is gone has been decided.
        let rows: BTreeSet<_> = found.iter().copied().collect();
        self.fired.retain(|id, due| rows.contains(&(*due, *id)));
        self.horizon = match found.last() {
            Some((due, _)) if full => *due,
            _ => Timestamp(i64::MAX),
        };
        let fresh = |(due, id): &(Timestamp, ExecutionId)| self.fired.get(id) != Some(due);
        self.near = found.into_iter().filter(fresh).collect();
        Ok(())
    }
}
