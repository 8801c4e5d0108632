//! One run of a workflow version.

use crate::codec::Renewed;
use crate::id::{CredentialId, ExecutionId, IntegrationId, StepId, WorkflowId};
use crate::payload::Payload;
use crate::time::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How an execution began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "TriggerKind", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TriggerKind {
    /// The customer's application sent a named event.
    AppEvent,
    /// The customer's application called the workflow.
    Request,
    /// A provider sent a webhook.
    Webhook,
    /// A moment of its schedule came.
    Schedule,
    /// The account was connected.
    IntegrationEnabled,
    /// Something that a later build knows.
    Other,
}

impl TriggerKind {
    /// Whether the first builds had no word for it.
    fn is_renewed(self) -> bool {
        !matches!(self, TriggerKind::AppEvent | TriggerKind::Request | TriggerKind::Webhook)
    }
}

/// A run of a workflow version began.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "ExecutionStarted")]
pub struct ExecutionStarted {
    /// This run.
    pub execution: ExecutionId,
    /// The workflow.
    pub workflow: WorkflowId,
    /// The version it stays on.
    pub version: i32,
    /// The integration that the workflow belongs to.
    pub integration: IntegrationId,
    /// The connected account it works for.
    pub credential: CredentialId,
    /// How it began.
    pub trigger: TriggerKind,
    /// The name of the app event or webhook trigger.
    pub trigger_detail: String,
    /// Whether a caller waits for a `Responded`.
    pub wants_response: bool,
    /// Bytes of the trigger's output.
    pub size: i32,
    /// The trigger's output as JSON.
    pub sealed: Payload,
}

/// What a step waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "StepKind", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StepKind {
    /// An HTTP request to anywhere.
    Request,
    /// An HTTP request to the integration, with the user's account.
    IntegrationRequest,
    /// A JavaScript function.
    Function,
    /// A choice between two branches.
    Conditional,
    /// A pause.
    Delay,
    /// The answer to the request that started the run.
    Response,
    /// The same steps for each item of an array.
    FanOut,
    /// Something that a later build knows.
    Other,
}

impl StepKind {
    /// Tasks that a success of this kind is metered as (behaviours.md 27).
    pub fn tasks(self) -> i32 {
        match self {
            StepKind::Request | StepKind::IntegrationRequest | StepKind::Function => 1,
            StepKind::Conditional
            | StepKind::Delay
            | StepKind::Response
            | StepKind::FanOut
            | StepKind::Other => 0,
        }
    }

    /// Whether the first builds had no word for it.
    fn is_renewed(self) -> bool {
        matches!(self, StepKind::FanOut | StepKind::Other)
    }
}

/// A step is due: now, or at `due` when it waits (delay, retry).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "StepReady")]
pub struct StepReady {
    /// The run.
    pub execution: ExecutionId,
    /// The step.
    pub step: StepId,
    /// Position of the step in its version, from 0.
    pub index: i32,
    /// What kind of step it is.
    pub kind: StepKind,
    /// The attempt that is due, from 1.
    pub attempt: i32,
    /// When to begin; null is at once.
    pub due: Option<Timestamp>,
}

/// A step that was due waits until it is resumed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "StepPaused")]
pub struct StepPaused {
    /// The run.
    pub execution: ExecutionId,
    /// The step.
    pub step: StepId,
    /// Position of the step in its version, from 0.
    pub index: i32,
    /// What kind of step it is.
    pub kind: StepKind,
    /// The attempt that waits, from 1.
    pub attempt: i32,
    /// Why, as a public error code.
    pub code: String,
}

/// A step ended well.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "StepSucceeded")]
pub struct StepSucceeded {
    /// The run.
    pub execution: ExecutionId,
    /// The step.
    pub step: StepId,
    /// Position of the step in its version, from 0.
    pub index: i32,
    /// What kind of step it is.
    pub kind: StepKind,
    /// The attempt that succeeded, from 1.
    pub attempt: i32,
    /// When the attempt began.
    pub started_at: Timestamp,
    /// HTTP status, where there was one.
    pub status: Option<i32>,
    /// The branch taken by a conditional.
    pub chosen: Option<bool>,
    /// Bytes of the input.
    pub input_size: i32,
    /// Bytes of the output.
    pub output_size: i32,
    /// Input and output, see [`crate::exchange`].
    pub sealed: Payload,
}

/// An attempt of a step failed. With `retry_at` it will be tried again; with `continued` the run
/// goes on with the error as output; else the run fails.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "StepFailed")]
pub struct StepFailed {
    /// The run.
    pub execution: ExecutionId,
    /// The step.
    pub step: StepId,
    /// Position of the step in its version, from 0.
    pub index: i32,
    /// What kind of step it is.
    pub kind: StepKind,
    /// The attempt that failed, from 1.
    pub attempt: i32,
    /// When the attempt began.
    pub started_at: Timestamp,
    /// Why, as a public error code.
    pub code: String,
    /// HTTP status, where there was one.
    pub status: Option<i32>,
    /// When it is tried again.
    pub retry_at: Option<Timestamp>,
    /// Whether the run goes on in spite of it.
    pub continued: bool,
    /// Bytes of the input.
    pub input_size: i32,
    /// Bytes of the output.
    pub output_size: i32,
    /// Input and output, see [`crate::exchange`].
    pub sealed: Payload,
}

/// The run answered the request that started it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "Responded")]
pub struct Responded {
    /// The run.
    pub execution: ExecutionId,
    /// HTTP status.
    pub status: i32,
    /// `Content-Type` of the body.
    pub content_type: String,
    /// The body.
    pub sealed: Payload,
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename = "Ending", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Ending {
    /// Every step on its way ended well, or was told to go on.
    Succeeded,
    /// A step failed for good.
    Failed,
    /// Somebody ended it.
    Cancelled,
}

/// A run ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "ExecutionFinished")]
pub struct ExecutionFinished {
    /// The run.
    pub execution: ExecutionId,
    /// How.
    pub ending: Ending,
    /// Why, as a public error code; empty when it succeeded.
    pub code: String,
    /// Metered tasks (behaviours.md 27).
    pub task_count: i32,
}

impl Renewed for ExecutionStarted {
    fn is_renewed(&self) -> bool {
        self.trigger.is_renewed()
    }
}

macro_rules! renewed_by_kind {
    ($($body:ident)*) => { $(
        impl Renewed for $body {
            fn is_renewed(&self) -> bool {
                self.kind.is_renewed()
            }
        }
    )* };
}
renewed_by_kind! { StepReady StepPaused StepSucceeded StepFailed }
