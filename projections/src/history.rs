//! Task History: every execution and what its steps took in and gave.

mod fold;
mod read;

pub use read::HistoryReader;

use crate::runner::{Loaded, Projection, Standing};
use bytes::{BufMut, Bytes, BytesMut};
use domain::event::Event;
use domain::id::{ExecutionId, IntegrationId, ProjectId, WorkflowId};
use domain::time::Timestamp;
use domain::view::Status;
use ports::{Error, Table};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Executions with their steps.
pub const RUNS: Table = Table("history.run");
/// Which events hold what the attempts of steps took in and gave, by their offsets.
pub const CONTENTS: Table = Table("history.contents");
/// Executions by project and moment of their start.
pub const STARTS: Table = Table("history.start");

/// The name of the projection.
const NAME: &str = "history";

/// The projection.
pub struct History;

impl Projection for History {
    fn name(&self) -> &'static str {
        NAME
    }

    fn tables(&self) -> &'static [Table] {
        &[RUNS, CONTENTS, STARTS]
    }

    fn touches(&self, partition: u16, events: &[Standing]) -> Vec<(Table, Bytes)> {
        let mut begun = BTreeSet::new();
        let mut wanted = BTreeSet::new();
        for (_, event) in events {
            let Some(id) = event.body.execution() else { continue };
            match &event.body {
                Event::ExecutionStarted(_) => begun.insert(id),
                // Nothing is there of what begins in these events.
                _ => !begun.contains(&id) && wanted.insert(id),
            };
        }
        wanted.into_iter().map(|id| (RUNS, run_key(partition, id))).collect()
    }

    fn fold(&self, partition: u16, rows: &mut Loaded, events: &[Standing]) -> Result<(), Error> {
        fold::Folding::new(partition, rows).fold(events)
    }
}

/// A row of [`STARTS`]: what lists filter by, so that they need not read whole executions.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Start {
    user: String,
    workflow: WorkflowId,
    integration: IntegrationId,
    status: Status,
}

fn run_key(partition: u16, id: ExecutionId) -> Bytes {
    let mut key = BytesMut::with_capacity(18);
    key.put_u16(partition);
    key.put_slice(id.bytes());
    key.freeze()
}

/// An attempt counts from 1.
fn contents_key(partition: u16, id: ExecutionId, step: &Uuid, attempt: i32) -> Bytes {
    let mut key = BytesMut::with_capacity(38);
    key.put_u16(partition);
    key.put_slice(id.bytes());
    key.put_slice(step.as_bytes());
    key.put_i32(attempt);
    key.freeze()
}

fn start_key(partition: u16, project: ProjectId, at: Timestamp, id: ExecutionId) -> Bytes {
    let mut key = BytesMut::with_capacity(42);
    key.put_u16(partition);
    key.put_slice(project.bytes());
    key.put_i64(at.0);
    key.put_slice(id.bytes());
    key.freeze()
}
