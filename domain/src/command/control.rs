//! What people ask of executions: to wait, to go on, to be repeated.

use crate::event::{Ending, Settlement, StepKind, TriggerKind};
use crate::id::{CommandId, CredentialId, EventId, ExecutionId, IntegrationId, StepId, WorkflowId};
use crate::payload::Payload;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Lets no further step of an execution begin. One that is at work ends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "PauseExecution")]
pub struct PauseExecution {
    /// The run.
    pub execution: ExecutionId,
}

/// Lets a paused execution go on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "ResumeExecution")]
pub struct ResumeExecution {
    /// The run.
    pub execution: ExecutionId,
}

/// What a step of an earlier run took in and gave.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "KeptStep")]
pub struct KeptStep {
    /// The step.
    pub step: StepId,
    /// What kind of step it is.
    pub kind: StepKind,
    /// Bytes of the input.
    pub input_size: i32,
    /// Bytes of the output.
    pub output_size: i32,
    /// Input and output, see [`crate::exchange`].
    pub sealed: Payload,
}

/// Runs again what an execution ran.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "ReplayExecution")]
pub struct ReplayExecution {
    /// The run that is repeated.
    pub original: ExecutionId,
    /// Its workflow.
    pub workflow: WorkflowId,
    /// The version that runs; null is the one that is deployed.
    pub version: Option<i32>,
    /// The connected account it works for.
    pub credential: CredentialId,
    /// How the original began.
    pub trigger: TriggerKind,
    /// The name of its app event or webhook trigger.
    pub trigger_detail: String,
    /// The step that it begins with; null is the first.
    pub from: Option<StepId>,
    /// What the original's steps before that gave, in their order.
    pub kept: Vec<KeptStep>,
    /// Whether the trigger's output is not that of the original.
    pub edited: bool,
    /// The replay of many that it is part of.
    pub replay: Option<CommandId>,
    /// Bytes of the trigger's output.
    pub size: i32,
    /// The trigger's output as JSON.
    pub sealed: Payload,
}

/// Replays the executions of a partition that a filter lets pass: of those that have ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "ReplayExecutions")]
pub struct ReplayExecutions {
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

/// Tries a workflow out, or one step of it, with what the project's test user connected. It need be
/// neither deployed nor switched on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "TestWorkflow")]
pub struct TestWorkflow {
    /// The workflow.
    pub workflow: WorkflowId,
    /// The version that runs.
    pub version: i32,
    /// The only step that is run; null is all.
    pub only: Option<StepId>,
    /// What other steps are taken to have given.
    pub kept: Vec<KeptStep>,
    /// Bytes of the trigger's output.
    pub size: i32,
    /// The trigger's output as JSON.
    pub sealed: Payload,
}

/// Says what becomes of a command that was parked. For a retry, the command itself stands before
/// this one in the log, as a new one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "SettleParked")]
pub struct SettleParked {
    /// The record that it was parked.
    pub parked: EventId,
    /// What becomes of it.
    pub settlement: Settlement,
}
