//! The lanes of every partition that somebody follows.

use super::lane::Lane;
use ports::{Offset, Partition, Record, Stored};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

type Map = HashMap<Partition, Arc<Lane>>;

/// The lanes of every partition that somebody follows.
#[derive(Default)]
pub(crate) struct Lanes(RwLock<Map>);

/// A partition, and its lane.
pub(super) type Placed = (Partition, Arc<Lane>);

impl Lanes {
    /// Takes in what this process has appended. `offsets`: of each record.
    pub(crate) fn appended(&self, records: &[(Partition, Record)], offsets: &[Offset]) {
        let lanes = self.read();
        let mut records = records.iter().zip(offsets).peekable();
        while let Some(((partition, record), offset)) = records.next() {
            let Some(lane) = lanes.get(partition) else { continue };
            lane.append(Stored { offset: *offset, record: record.clone() });
            // Who waits is woken once for records that follow each other.
            if records.peek().is_none_or(|((next, _), _)| next != partition) {
                lane.wake();
            }
        }
    }

    /// The lane of a partition, if somebody has asked for it before.
    pub(super) fn known(&self, partition: Partition) -> Option<Arc<Lane>> {
        self.read().get(&partition).cloned()
    }

    /// Some of the lanes.
    pub(super) fn those(&self, is_wanted: impl Fn(&Lane) -> bool) -> Vec<Placed> {
        let lanes = self.read();
        let wanted = lanes.iter().filter(|(_, lane)| is_wanted(lane));
        wanted.map(|(partition, lane)| (*partition, lane.clone())).collect()
    }

    pub(super) fn add(&self, partition: Partition, lane: Arc<Lane>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(partition, lane);
    }

    pub(super) fn remove(&self, partition: Partition) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&partition);
    }

    fn read(&self) -> RwLockReadGuard<'_, Map> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}
