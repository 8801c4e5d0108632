//! What is asked of a schedule.

use crate::id::{CredentialId, WorkflowId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Sets the schedule of a workflow that is switched on, as the configuration has it now. Setting it
/// twice changes nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "SetSchedule")]
pub struct SetSchedule {
    /// The workflow.
    pub workflow: WorkflowId,
    /// The connected account.
    pub credential: CredentialId,
}

/// A moment of a schedule came. Firing it twice changes nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "FireSchedule")]
pub struct FireSchedule {
    /// The workflow.
    pub workflow: WorkflowId,
    /// The connected account.
    pub credential: CredentialId,
    /// The moment that it waited for, as it comes for this account.
    pub at: Timestamp,
}
