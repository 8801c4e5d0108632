//! Wishes to act on the world, read from events that stand.

use crate::id::{ExecutionId, ProjectId, StepId};
use serde::{Deserialize, Serialize};

/// What makes asking twice harmless: attempts share it, and a provider that can deduplicate gets it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct EffectKey {
    /// The run.
    pub execution: ExecutionId,
    /// The step.
    pub step: StepId,
}

/// A step that wants to be performed: request, integration request or function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// What makes asking twice harmless.
    pub key: EffectKey,
    /// The project.
    pub project: ProjectId,
    /// The user.
    pub user: String,
    /// Position of the step in its version, from 0.
    pub index: u16,
    /// The attempt, from 1.
    pub attempt: i32,
}
