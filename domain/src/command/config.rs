//! What is asked of the configuration.

use crate::id::WorkflowId;
use crate::payload::Payload;
use serde::{Deserialize, Serialize};

/// A secret value that comes with a project.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "SecretValue")]
pub struct SecretValue {
    /// What the secret is for: `secret/<name>`, `webhook/<integration>`.
    pub name: String,
    /// A keyed hash of the value, so that an unchanged one is recognised.
    pub fingerprint: String,
    /// The value, under the project's key.
    pub sealed: Payload,
}

/// Makes a project what the document says.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "ApplyProject")]
pub struct ApplyProject {
    /// [`crate::config::Desired`] as JSON: validated, without secret values.
    pub document: String,
    /// The secret values of the document.
    pub secrets: Vec<SecretValue>,
}

/// Records that somebody is about to look into sealed payloads.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "RecordUnsealing")]
pub struct RecordUnsealing {
    /// Who looks: the name of an account of the system, or what the caller says.
    pub who: String,
    /// What they used, such as `log grep`.
    pub command: String,
    /// Which records they asked for.
    pub filter: String,
}

/// Says what people call a version of a workflow.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "NameVersion")]
pub struct NameVersion {
    /// The workflow.
    pub workflow: WorkflowId,
    /// The version.
    pub version: i32,
    /// The name; empty takes it away.
    pub name: String,
}

/// Makes an earlier version of a workflow the newest once more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "RestoreVersion")]
pub struct RestoreVersion {
    /// The workflow.
    pub workflow: WorkflowId,
    /// The version.
    pub version: i32,
    /// Whether new executions run it.
    pub deploy: bool,
}
