//! Schedules: workflows that run by themselves, for every account that they are switched on for.

use crate::id::{CredentialId, WorkflowId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A schedule waits for its next moment, or for none any more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "ScheduleSet")]
pub struct ScheduleSet {
    /// The workflow.
    pub workflow: WorkflowId,
    /// The connected account that it runs for.
    pub credential: CredentialId,
    /// The version whose schedule it is.
    pub version: i32,
    /// The next moment; null is never.
    pub due: Option<Timestamp>,
    /// When that moment comes for this account; null is never.
    pub at: Option<Timestamp>,
    /// Why there is none, as a public error code; empty if there is one.
    pub code: String,
}

/// A moment of a schedule came. What it started follows in the same decision.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "ScheduleFired")]
pub struct ScheduleFired {
    /// The workflow.
    pub workflow: WorkflowId,
    /// The connected account that it runs for.
    pub credential: CredentialId,
    /// The moment.
    pub due: Timestamp,
    /// Later moments that nobody was there for.
    pub missed: i32,
    /// Executions started: 1, or 0 if the moment was let go by.
    pub executions: i32,
}
