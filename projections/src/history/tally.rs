//! What a batch changes in the counts.

use super::COUNTS;
use super::index::{Group, Scope};
use crate::runner::Loaded;
use bytes::Bytes;
use domain::time::Timestamp;
use ports::{Error, Table};
use std::collections::BTreeMap;

/// A row of [`COUNTS`]: how many executions there are of each group; none is 0.
type Counts = BTreeMap<Group, u64>;

/// What a batch changes in the counts: each row is read once and written once.
#[derive(Default)]
pub(super) struct Tally(BTreeMap<Bytes, BTreeMap<Group, i64>>);

impl Tally {
    /// Notes that an execution which began at `at` was in one group and is in another.
    pub(super) fn moved(
        &mut self,
        scope: &Scope,
        at: Timestamp,
        (was, is): (Option<Group>, Group),
    ) {
        for key in scope.count_keys(at) {
            let changes = self.0.entry(key).or_default();
            if let Some(was) = was {
                *changes.entry(was).or_default() -= 1;
            }
            *changes.entry(is).or_default() += 1;
        }
    }

    /// The rows that change.
    pub(super) fn rows(&self) -> Vec<(Table, Bytes)> {
        self.0.keys().map(|key| (COUNTS, key.clone())).collect()
    }

    /// Changes the rows. What comes to nothing goes, so that rows tell nothing of how they came
    /// about.
    pub(super) fn apply(self, rows: &mut Loaded) -> Result<(), Error> {
        for (key, changes) in self.0 {
            let mut counts = rows.get::<Counts>(COUNTS, &key)?.unwrap_or_default();
            for (group, change) in changes {
                let count = counts.entry(group).or_default();
                let less = || Error::Corrupt(format!("fewer than no executions of {group:?}"));
                *count = count.checked_add_signed(change).ok_or_else(less)?;
            }
            counts.retain(|_, count| *count > 0);
            match counts.is_empty() {
                true => rows.remove(COUNTS, key),
                false => rows.put(COUNTS, key, &counts)?,
            }
        }
        Ok(())
    }
}
