//! One project as it stands, and what the door and the engine look up in it.

use super::starts::Starts;
use super::{IntegrationSettings, ProjectSettings};
use crate::id::{IntegrationId, WorkflowId};
use crate::payload::Payload;
use crate::time::Timestamp;
use crate::workflow::Workflow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A workflow with all its versions.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Versions {
    /// The versions, from 1.
    pub saved: BTreeMap<i32, Arc<Workflow>>,
    /// The version that new executions run.
    pub released: Option<i32>,
    /// How each came about.
    pub notes: BTreeMap<i32, Note>,
}

/// How a version came about.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Note {
    /// When it was saved.
    pub saved_at: Timestamp,
    /// When it was last deployed, if ever.
    pub deployed_at: Option<Timestamp>,
    /// What people call it; empty if nothing.
    pub name: String,
}

impl Versions {
    /// The newest version, deployed or not.
    pub fn newest(&self) -> Option<(i32, &Arc<Workflow>)> {
        self.saved.last_key_value().map(|(version, workflow)| (*version, workflow))
    }

    /// The version that new executions run.
    pub fn deployed(&self) -> Option<(i32, &Arc<Workflow>)> {
        let version = self.released?;
        self.saved.get(&version).map(|workflow| (version, workflow))
    }
}

/// One project as folded.
#[derive(Clone, PartialEq, Debug)]
pub struct Project {
    /// Its own settings.
    pub settings: ProjectSettings,
    /// Integrations by id.
    pub integrations: BTreeMap<IntegrationId, Arc<IntegrationSettings>>,
    /// Workflows by id, removed ones too: runs of their versions may still be on their way.
    pub workflows: BTreeMap<WorkflowId, Versions>,
    /// App events and their example payloads (JSON).
    pub app_events: BTreeMap<String, String>,
    /// API keys: name → SHA-256, hex.
    pub api_keys: BTreeMap<String, String>,
    /// Sealed secrets: name → (fingerprint, sealed value).
    pub secrets: BTreeMap<String, (String, Payload)>,
    pub(super) kinds: BTreeMap<String, IntegrationId>,
    pub(super) starts: Starts,
}

impl Project {
    /// A project with nothing in it.
    pub fn new(settings: ProjectSettings) -> Self {
        Self {
            settings,
            integrations: BTreeMap::new(),
            workflows: BTreeMap::new(),
            app_events: BTreeMap::new(),
            api_keys: BTreeMap::new(),
            secrets: BTreeMap::new(),
            kinds: BTreeMap::new(),
            starts: Starts::default(),
        }
    }

    /// Whether an integration is active; `None`: the project has no such integration.
    pub fn is_active(&self, integration: IntegrationId) -> Option<bool> {
        self.integrations.get(&integration).map(|integration| integration.active)
    }

    /// The integration of a kind: `slack`, `custom.tasklab`.
    pub fn integration_of_kind(&self, kind: &str) -> Option<&Arc<IntegrationSettings>> {
        self.integrations.get(self.kinds.get(kind)?)
    }

    /// The integration that a caller names, by kind or by id.
    pub fn integration_named(&self, name: &str) -> Option<&Arc<IntegrationSettings>> {
        let by_id = || self.integrations.get(&name.parse::<IntegrationId>().ok()?);
        self.integration_of_kind(name).or_else(by_id)
    }

    /// A version of a workflow, deployed or not.
    pub fn workflow(&self, id: WorkflowId, version: i32) -> Option<&Arc<Workflow>> {
        self.workflows.get(&id)?.saved.get(&version)
    }

    /// The deployed version of a workflow, and its number.
    pub fn released(&self, id: WorkflowId) -> Option<(i32, &Arc<Workflow>)> {
        self.workflows.get(&id)?.deployed()
    }

    /// Every deployed workflow, by id.
    pub fn deployed(&self) -> impl Iterator<Item = (WorkflowId, i32, &Arc<Workflow>)> {
        self.workflows.iter().filter_map(|(id, versions)| {
            versions.deployed().map(|(version, workflow)| (*id, version, workflow))
        })
    }

    /// The deployed workflows that an app event starts, in the order of their ids.
    pub fn started_by_event(
        &self,
        name: &str,
    ) -> impl Iterator<Item = (WorkflowId, i32, &Arc<Workflow>)> {
        self.resolved(self.starts.of_event(name))
    }

    /// The deployed workflows that a webhook starts. A trigger `issues` takes every
    /// `issues.<action>`, a trigger `issues.opened` only that one.
    pub fn started_by_webhook(
        &self,
        integration: IntegrationId,
        name: &str,
    ) -> impl Iterator<Item = (WorkflowId, i32, &Arc<Workflow>)> {
        self.resolved(self.starts.of_webhook(integration, name))
    }

    /// The deployed workflows that run by themselves, in the order of their ids.
    pub fn scheduled(&self) -> impl Iterator<Item = (WorkflowId, i32, &Arc<Workflow>)> {
        self.resolved(self.starts.by_schedule().iter().copied())
    }

    /// The deployed workflows that wait for an account of the integration to be connected.
    pub fn started_by_enabling(
        &self,
        integration: IntegrationId,
    ) -> impl Iterator<Item = (WorkflowId, i32, &Arc<Workflow>)> {
        self.resolved(self.starts.of_enabling(integration))
    }

    /// The deployed workflows of an integration that are switched on when an account is connected.
    pub fn enabled_by_default(
        &self,
        integration: IntegrationId,
    ) -> impl Iterator<Item = (WorkflowId, &Arc<Workflow>)> {
        self.deployed()
            .filter(move |(_, _, w)| w.integration == integration && w.default_enabled)
            .map(|(id, _, workflow)| (id, workflow))
    }

    /// The name of the API key with this SHA-256 (hex).
    pub fn api_key(&self, hash: &str) -> Option<&str> {
        self.api_keys.iter().find(|(_, known)| *known == hash).map(|(name, _)| name.as_str())
    }

    fn resolved(
        &self,
        ids: impl Iterator<Item = WorkflowId>,
    ) -> impl Iterator<Item = (WorkflowId, i32, &Arc<Workflow>)> {
        ids.filter_map(|id| self.released(id).map(|(version, workflow)| (id, version, workflow)))
    }
}
