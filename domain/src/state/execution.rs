//! A live execution as its owner knows it. A finished one leaves the owner's rows.

use crate::event::{StepKind, TriggerKind};
use crate::id::{CommandId, CredentialId, EventId, IntegrationId, ProjectId, StepId, WorkflowId};
use crate::payload::Payload;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A live execution.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Execution {
    /// The project.
    pub project: ProjectId,
    /// The user.
    pub user: String,
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
    /// When it began.
    pub started_at: Timestamp,
    /// The trigger's output, sealed.
    pub trigger_output: Payload,
    /// The command that started it; who waits for a response waits for this.
    pub command: CommandId,
    /// Hash of the body that came with an `Idempotency-Key`.
    pub body_hash: Option<i64>,
    /// The record at the start of the chain of causes.
    pub correlation_id: Uuid,
    /// Whether a caller waits for a response that has not been given.
    pub wants_response: bool,
    /// Input and output of each finished step by index, sealed (see [`crate::exchange`]).
    pub outputs: BTreeMap<u16, Payload>,
    /// The step that is due.
    pub pending: Option<Pending>,
    /// Metered tasks so far.
    pub task_count: i32,
}

/// A step that is due.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Pending {
    /// The step.
    pub step: StepId,
    /// Position of the step in its version, from 0.
    pub index: u16,
    /// What kind of step it is.
    pub kind: StepKind,
    /// The attempt that is due, from 1.
    pub attempt: i32,
    /// When to begin.
    pub due: Due,
    /// The record that made it due: its place in the user's queue.
    pub since: EventId,
}

/// When a step begins. Stored rows hold `Now` and `At` as they held an optional moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Due {
    /// When its turn comes.
    Now,
    /// At a moment.
    At(Timestamp),
    /// When it is resumed.
    Resumed,
    /// It has begun, on the node that [`RowKey::Started`](super::RowKey::Started) names.
    Begun,
}

impl Due {
    /// At once, unless there is a moment.
    pub fn of(moment: Option<Timestamp>) -> Self {
        moment.map_or(Self::Now, Self::At)
    }

    /// The moment, if that is what it waits for.
    pub fn moment(self) -> Option<Timestamp> {
        match self {
            Self::At(moment) => Some(moment),
            Self::Now | Self::Resumed | Self::Begun => None,
        }
    }

    /// Whether its turn has come, or it waits for nothing else.
    pub fn is_up(self) -> bool {
        matches!(self, Self::Now | Self::Begun)
    }
}
