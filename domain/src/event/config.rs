//! What a project is made of. Definitions are kept as the JSON that was applied, validated.

use crate::id::{IntegrationId, ProjectId, WorkflowId};
use crate::payload::Payload;
use serde::{Deserialize, Serialize};

/// The project's own settings changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "ProjectConfigured")]
pub struct ProjectConfigured {
    /// The project.
    pub project: ProjectId,
    /// [`crate::config::ProjectSettings`] as JSON.
    pub settings: String,
}

/// An integration was added, changed or removed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "IntegrationConfigured")]
pub struct IntegrationConfigured {
    /// The integration.
    pub integration: IntegrationId,
    /// Whether it is gone from now on.
    pub removed: bool,
    /// [`crate::config::IntegrationSettings`] as JSON; empty when removed.
    pub settings: String,
}

/// A version of a workflow was saved. Saving never changes what runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "WorkflowSaved")]
pub struct WorkflowSaved {
    /// The workflow.
    pub workflow: WorkflowId,
    /// The version, from 1.
    pub version: i32,
    /// [`crate::workflow::Workflow`] as JSON.
    pub definition: String,
}

/// A version of a workflow was deployed, or (0) the workflow was undeployed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "WorkflowReleased")]
pub struct WorkflowReleased {
    /// The workflow.
    pub workflow: WorkflowId,
    /// The version that new executions run; 0: none.
    pub version: i32,
}

/// An app event was defined, changed or removed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "AppEventDefined")]
pub struct AppEventDefined {
    /// Its name.
    pub name: String,
    /// Whether it is gone from now on.
    pub removed: bool,
    /// The example payload as JSON.
    pub example: String,
}

/// A secret was set, changed or removed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "SecretSet")]
pub struct SecretSet {
    /// What the secret is for: `secret/<name>`, `webhook/<integration>`.
    pub name: String,
    /// Whether it is gone from now on.
    pub removed: bool,
    /// A keyed hash of the value, so that an unchanged one is recognised.
    pub fingerprint: String,
    /// The value, under the project's key.
    pub sealed: Payload,
}

/// An API key was made or removed. Only its hash is kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "ApiKeySet")]
pub struct ApiKeySet {
    /// Its name.
    pub name: String,
    /// Whether it is gone from now on.
    pub removed: bool,
    /// SHA-256 of the key, hex.
    pub hash: String,
}

/// Somebody looked into sealed payloads.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "PayloadsUnsealed")]
pub struct PayloadsUnsealed {
    /// Who looks: the name of an account of the system, or what the caller says.
    pub who: String,
    /// What they used, such as `log grep`.
    pub command: String,
    /// Which records they asked for.
    pub filter: String,
}

/// A version of a workflow has another name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "VersionNamed")]
pub struct VersionNamed {
    /// The workflow.
    pub workflow: WorkflowId,
    /// The version.
    pub version: i32,
    /// The name; empty if it has none any more.
    pub name: String,
}
