//! The rows of one table in memory.

use crate::store::Range;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Rows in key order.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows(BTreeMap<Bytes, Bytes>);

impl Rows {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, key: &Bytes) -> Option<Bytes> {
        self.0.get(key).cloned()
    }

    pub(super) fn put(&mut self, key: Bytes, value: Bytes) -> Option<Bytes> {
        self.0.insert(key, value)
    }

    pub(super) fn remove(&mut self, key: &Bytes) -> Option<Bytes> {
        self.0.remove(key)
    }

    pub(super) fn scan(&self, range: &Range) -> Vec<(Bytes, Bytes)> {
        if !range.until.is_empty() && range.from >= range.until {
            return Vec::new();
        }
        let until = match range.until.is_empty() {
            true => Bound::Unbounded,
            false => Bound::Excluded(&range.until),
        };
        let found = self.0.range::<Bytes, _>((Bound::Included(&range.from), until));
        let pair = |(key, value): (&Bytes, &Bytes)| (key.clone(), value.clone());
        match range.backwards {
            true => found.rev().take(range.limit).map(pair).collect(),
            false => found.take(range.limit).map(pair).collect(),
        }
    }
}
