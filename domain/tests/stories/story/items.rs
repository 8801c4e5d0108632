//! The runs of items.

use super::Story;
use domain::id::ExecutionId;
use domain::state::RowKey;

impl Story {
    /// The runs of items, in the order of their arrays.
    pub(crate) fn items(&self) -> Vec<ExecutionId> {
        let mut items: Vec<_> = self
            .all()
            .keys()
            .filter_map(|key| match key {
                RowKey::Execution(id) => Some((self.rows.item_of(*id)?.number, *id)),
                _ => None,
            })
            .collect();
        items.sort();
        items.into_iter().map(|(_, id)| id).collect()
    }

    /// Whether a run waits for an outcome.
    pub(crate) fn waits(&self, id: ExecutionId) -> bool {
        self.pending_of(id).is_some_and(|pending| pending.due.is_up())
    }
}
