//! What owners say about their own work.

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
