//! Commands that were parked.

use crate::event::Settlement;
use crate::id::{EventId, ExecutionId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A command that was set aside, because the node crashed when it decided it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Parked {
    /// The record that says so.
    pub id: EventId,
    /// When it was.
    pub parked_at: Timestamp,
    /// The schema name of the command.
    pub command: String,
    /// The key it belongs to, as `Key::name` writes it.
    pub key: String,
    /// The execution it belongs to.
    pub execution: Option<ExecutionId>,
    /// Why, for people.
    pub reason: String,
    /// The partition that it stands in.
    pub partition: u16,
    /// Where it stands there.
    pub offset: i64,
    /// What became of it, and when.
    pub settled: Option<(Settlement, Timestamp)>,
}
