//! What is asked of a running execution.

use crate::id::{ExecutionId, StepId};
use crate::payload::Payload;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The world's answer to a step's effect. The first one per effect key wins.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "RecordOutcome")]
pub struct RecordOutcome {
    /// The run.
    pub execution: ExecutionId,
    /// The step.
    pub step: StepId,
    /// The attempt, from 1.
    pub attempt: i32,
    /// When the attempt began.
    pub started_at: Timestamp,
    /// Empty when it went well; else why not, as a public error code.
    pub code: String,
    /// Whether trying again could help (a retry also needs the step to ask for it).
    pub retryable: bool,
    /// HTTP status, where there was one.
    pub status: Option<i32>,
    /// The provider's own word on when to come back, in milliseconds.
    pub retry_after_ms: Option<i64>,
    /// Bytes of the input.
    pub input_size: i32,
    /// Bytes of the output.
    pub output_size: i32,
    /// Input and output, see [`crate::exchange`].
    pub sealed: Payload,
}

/// A timer is due. Keyed by (execution, step, attempt): firing it twice changes nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "FireTimer")]
pub struct FireTimer {
    /// The run.
    pub execution: ExecutionId,
    /// The step that waits.
    pub step: StepId,
    /// The attempt that waits, from 1.
    pub attempt: i32,
    /// The moment it waited for.
    pub due: Timestamp,
}

/// The step came up while its integration is inactive. Pausing it twice changes nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "PauseStep")]
pub struct PauseStep {
    /// The run.
    pub execution: ExecutionId,
    /// The step that is due.
    pub step: StepId,
    /// The attempt that is due, from 1.
    pub attempt: i32,
}

/// What a step was paused for is over. Resuming it twice changes nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "ResumeStep")]
pub struct ResumeStep {
    /// The run.
    pub execution: ExecutionId,
    /// The step that waits.
    pub step: StepId,
    /// The attempt that waits, from 1.
    pub attempt: i32,
}

/// The node that performed the attempt is gone, and nobody knows how far it came. Losing it twice
/// changes nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "LoseStep")]
pub struct LoseStep {
    /// The run.
    pub execution: ExecutionId,
    /// The step that was under way.
    pub step: StepId,
    /// The attempt that was under way, from 1.
    pub attempt: i32,
    /// The node that performed it.
    pub node: String,
    /// When the attempt began.
    pub started_at: Timestamp,
}

/// Ends a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "CancelExecution")]
pub struct CancelExecution {
    /// The run.
    pub execution: ExecutionId,
}
