//! What happens to executions because people ask for it.

use super::{Ending, StepKind};
use crate::id::{CommandId, EventId, ExecutionId, IntegrationId, StepId, WorkflowId};
use crate::payload::Payload;
use crate::time::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// No further step of the run begins until it is resumed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "ExecutionPaused")]
pub struct ExecutionPaused {
    /// The run.
    pub execution: ExecutionId,
}

/// The run goes on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "ExecutionResumed")]
pub struct ExecutionResumed {
    /// The run.
    pub execution: ExecutionId,
}

/// The run that has just started repeats another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "ExecutionReplayed")]
pub struct ExecutionReplayed {
    /// The run.
    pub execution: ExecutionId,
    /// The run that it repeats.
    pub original: ExecutionId,
    /// The step that it begins with; null is the first.
    pub from: Option<StepId>,
    /// Whether the trigger's output is not that of the original.
    pub edited: bool,
    /// The replay of many that it is part of.
    pub replay: Option<CommandId>,
}

/// The run that has just started is a test.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "ExecutionTested")]
pub struct ExecutionTested {
    /// The run.
    pub execution: ExecutionId,
    /// Position of the only step that is run, from 0; null is all.
    pub only: Option<i32>,
}

/// A step was not performed: what it gave in the run that is repeated counts.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "StepKept")]
pub struct StepKept {
    /// The run.
    pub execution: ExecutionId,
    /// The step.
    pub step: StepId,
    /// Position of the step in its version, from 0.
    pub index: i32,
    /// What kind of step it is.
    pub kind: StepKind,
    /// Bytes of the input.
    pub input_size: i32,
    /// Bytes of the output.
    pub output_size: i32,
    /// Input and output, see [`crate::exchange`].
    pub sealed: Payload,
}

/// The executions of a partition that a filter lets pass are replayed from now on, oldest first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "ExecutionsReplayRequested")]
pub struct ExecutionsReplayRequested {
    /// The replay: the same in every partition.
    pub replay: CommandId,
    /// Only those of this integration.
    pub integration: IntegrationId,
    /// Only those of this workflow.
    pub workflow: Option<WorkflowId>,
    /// Only those of this user.
    pub user: Option<String>,
    /// Only those that ended so.
    pub ending: Option<Ending>,
    /// Only those that ended with this public error code; empty: any.
    pub code: String,
    /// Only those that began after it.
    pub after: Option<Timestamp>,
    /// Only those that began before it.
    pub before: Timestamp,
    /// Whether the version that is deployed runs, not that of each original.
    pub current: bool,
    /// Whether each begins with the step that failed.
    pub from_failed: bool,
    /// At most so many in a second, over all partitions.
    pub per_second: i32,
    /// The number of partitions that share in that.
    pub partitions: i32,
}

/// What becomes of a command that was parked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename = "Settlement", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Settlement {
    /// It was sent again, as a new command.
    Retried,
    /// It is left undone.
    Discarded,
}

/// Somebody has seen to a command that was parked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "ParkedSettled")]
pub struct ParkedSettled {
    /// The record that it was parked.
    pub parked: EventId,
    /// What becomes of it.
    pub settlement: Settlement,
}
