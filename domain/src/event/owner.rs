//! What owners say about their own work.

use crate::id::{EventId, ExecutionId};
use serde::{Deserialize, Serialize};

/// An owner claims the partition from here on; the first claim of an epoch wins.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "OwnershipClaimed")]
pub struct OwnershipClaimed {
    /// The node that claims, for people.
    pub node: String,
}

/// A command changed nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "CommandRejected")]
pub struct CommandRejected {
    /// The schema name of the command.
    pub command: String,
    /// Why, as a public error code (`ops/docs/errors/`).
    pub code: String,
    /// What a caller is told; it never holds customers' data.
    pub reason: String,
}

/// A command had been decided before; its first answer stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "CommandRepeated")]
pub struct CommandRepeated {
    /// The schema name of the command.
    pub command: String,
}

/// The owner lets these steps begin, on its own node. It is in the log before any of them does, so
/// whoever owns the partition next knows what may be under way, and where.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "StepsStarted")]
pub struct StepsStarted {
    /// The node that performs them, in this life.
    pub node: String,
    /// What begins.
    pub steps: Vec<StartedStep>,
}

/// An attempt of a step that begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "StartedStep")]
pub struct StartedStep {
    /// The run.
    pub execution: ExecutionId,
    /// The record that made the attempt due.
    pub since: EventId,
}

/// From here on the owner decides on outcomes of steps that its own node performed and handed to it:
/// such a decision names no command. It also keeps builds away that take those decisions for void.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "OutcomesAdmitted")]
pub struct OutcomesAdmitted {
    /// The node that hands them over, in this life.
    pub node: String,
}
