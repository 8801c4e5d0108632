//! One difference between what stands and what a project file asks for.

use super::{IntegrationSettings, ProjectSettings};
use crate::id::{IntegrationId, WorkflowId};
use crate::workflow::Workflow;
use serde_json::Value;

/// What happens to a part of the project.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sign {
    /// It is new.
    Added,
    /// It is different.
    Changed,
    /// It goes.
    Removed,
}

impl Sign {
    /// The sign of a change; `None` where there is nothing before or after.
    pub(super) fn of(before: bool, after: bool) -> Option<Self> {
        match (before, after) {
            (false, true) => Some(Sign::Added),
            (true, true) => Some(Sign::Changed),
            (true, false) => Some(Sign::Removed),
            (false, false) => None,
        }
    }

    /// `+`, `~` or `-`.
    pub fn as_str(self) -> &'static str {
        match self {
            Sign::Added => "+",
            Sign::Changed => "~",
            Sign::Removed => "-",
        }
    }
}

/// One difference. Shown as a line: `~ workflow announce-issues: version 3, deployed`.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// What happens.
    pub sign: Sign,
    /// To what: `integration github`.
    pub subject: String,
    /// More about it; may be empty. It never holds a secret.
    pub detail: String,
    pub(super) wanted: Wanted,
}

/// What a change writes.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Wanted {
    Project(ProjectSettings),
    Integration(IntegrationSettings),
    NoIntegration(IntegrationId),
    Workflow { id: WorkflowId, saved: Option<(i32, Workflow)>, released: Option<i32> },
    AppEvent { name: String, example: Value },
    NoAppEvent { name: String },
    Secret { name: String },
    NoSecret { name: String },
    ApiKey { name: String, hash: String },
    NoApiKey { name: String },
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.sign.as_str(), self.subject)?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}
