//! A schedule as its owner knows it.

use super::{Row, RowKey, Rows};
use crate::event::ScheduleSet;
use crate::id::{CredentialId, EventId, ExecutionId, ProjectId, WorkflowId, hash16_of, routed};
use crate::key::Key;
use crate::meta::Meta;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A schedule that waits for a moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Schedule {
    /// The project.
    pub project: ProjectId,
    /// The user.
    pub user: String,
    /// The workflow.
    pub workflow: WorkflowId,
    /// The connected account that it runs for.
    pub credential: CredentialId,
    /// The version whose schedule it is.
    pub version: i32,
    /// The moment.
    pub due: Timestamp,
    /// When it comes for this account.
    pub at: Timestamp,
    /// The record that set it.
    pub since: EventId,
    /// The correlation of what switched it on.
    pub correlation_id: Uuid,
}

/// What names the schedule of a workflow for an account; timers know it as they know executions.
pub fn schedule_id(workflow: WorkflowId, credential: CredentialId) -> ExecutionId {
    let mut text = [0u8; 32];
    text[..16].copy_from_slice(workflow.bytes());
    text[16..].copy_from_slice(credential.bytes());
    let hash = xxhash_rust::xxh3::xxh3_128(&text);
    ExecutionId(routed(hash16_of(&credential.0), hash.to_be_bytes()))
}

impl Rows {
    /// The schedule of a workflow for an account.
    pub fn schedule(&self, id: ExecutionId) -> Option<&Schedule> {
        match self.get(&RowKey::Schedule(id)) {
            Some(Row::Schedule(schedule)) => Some(schedule),
            _ => None,
        }
    }
}

pub(super) fn set(rows: &mut Rows, meta: &Meta, e: &ScheduleSet) {
    let Some(Key::User(project, user)) = meta.parsed_key() else { return };
    let id = schedule_id(e.workflow, e.credential);
    let key = RowKey::Schedule(id);
    if let Some(old) = rows.schedule(id).map(|old| old.at) {
        rows.remove(&RowKey::Timer(old, id));
    }
    let (Some(due), Some(at)) = (e.due, e.at) else {
        rows.remove(&key);
        return;
    };
    let schedule = Schedule {
        project,
        user,
        workflow: e.workflow,
        credential: e.credential,
        version: e.version,
        due,
        at,
        since: meta.event_id,
        correlation_id: meta.correlation_id,
    };
    rows.put(RowKey::Timer(at, id), Row::Waits);
    rows.put(key, Row::Schedule(schedule));
}
