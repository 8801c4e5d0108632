//! The configuration as a fold over the events of the `config` stream.

use super::{IntegrationSettings, Note, Project, ProjectSettings};
use crate::event::{
    AppEventDefined, Event, IntegrationConfigured, SecretSet, WorkflowReleased, WorkflowSaved,
};
use crate::id::{IntegrationId, ProjectId};
use crate::meta::Recorded;
use crate::time::Timestamp;
use crate::workflow::Workflow;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Every project, folded from `config`. A clone shares the projects, so a snapshot is cheap.
#[derive(Clone, PartialEq, Debug)]
pub struct Config {
    /// The offset of the last event folded; -1: none.
    pub offset: i64,
    /// The projects.
    pub projects: BTreeMap<ProjectId, Arc<Project>>,
    pub(super) integrations: BTreeMap<IntegrationId, ProjectId>,
}

impl Default for Config {
    fn default() -> Self {
        Self { offset: -1, projects: BTreeMap::new(), integrations: BTreeMap::new() }
    }
}

/// A definition in the log that this build cannot read. A reader that meets one stops (`Corrupt`).
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the {what} in the event at offset {offset} of config cannot be read: {reason}")]
pub struct Unreadable {
    /// Where.
    pub offset: i64,
    /// What it should have been.
    pub what: &'static str,
    /// Why it cannot be read.
    pub reason: String,
}

impl Config {
    /// Takes in an event that stands. An event at or before [`Config::offset`] changes nothing.
    ///
    /// # Errors
    /// [`Unreadable`]: the definition in it cannot be read; nothing has changed.
    pub fn fold(&mut self, offset: i64, recorded: &Recorded<Event>) -> Result<(), Unreadable> {
        if offset <= self.offset {
            return Ok(());
        }
        let (project, at) = (recorded.meta.project, recorded.meta.occurred_at);
        match &recorded.body {
            Event::ProjectConfigured(e) => {
                let settings: ProjectSettings = read(offset, "project", &e.settings)?;
                match self.projects.get_mut(&project) {
                    Some(known) => Arc::make_mut(known).settings = settings,
                    None => {
                        self.projects.insert(project, Arc::new(Project::new(settings)));
                    }
                }
            }
            Event::IntegrationConfigured(e) => self.configured(offset, project, e)?,
            Event::WorkflowSaved(e) => self.saved(offset, (project, at), e)?,
            Event::WorkflowReleased(e) => self.change(project, |known| known.release(e, at)),
            Event::VersionNamed(e) => self.change(project, |known| {
                let versions = known.workflows.entry(e.workflow).or_default();
                versions.notes.entry(e.version).or_default().name.clone_from(&e.name);
            }),
            Event::AppEventDefined(e) => self.change(project, |known| known.define(e)),
            Event::SecretSet(e) => self.change(project, |known| known.keep_secret(e)),
            Event::ApiKeySet(e) => self.change(project, |known| {
                if e.removed {
                    known.api_keys.remove(&e.name);
                } else {
                    known.api_keys.insert(e.name.clone(), e.hash.clone());
                }
            }),
            // Ownership, refusals and repeats: nothing of the configuration.
            _ => {}
        }
        self.offset = offset;
        Ok(())
    }

    /// A project.
    pub fn project(&self, id: ProjectId) -> Option<&Project> {
        self.projects.get(&id).map(Arc::as_ref)
    }

    /// The project and the settings of an integration, which has one id over all projects.
    pub fn integration(&self, id: IntegrationId) -> Option<(&Project, &Arc<IntegrationSettings>)> {
        let project = self.project(*self.integrations.get(&id)?)?;
        Some((project, project.integrations.get(&id)?))
    }

    fn change(&mut self, project: ProjectId, apply: impl FnOnce(&mut Project)) {
        // A decision begins with the project, so one that is not there never stood.
        if let Some(known) = self.projects.get_mut(&project) {
            apply(Arc::make_mut(known));
        }
    }

    fn configured(
        &mut self,
        offset: i64,
        project: ProjectId,
        e: &IntegrationConfigured,
    ) -> Result<(), Unreadable> {
        if e.removed {
            self.change(project, |known| known.set_integration(e.integration, None));
            self.integrations.remove(&e.integration);
            return Ok(());
        }
        let settings: IntegrationSettings = read(offset, "integration", &e.settings)?;
        self.change(project, |known| known.set_integration(e.integration, Some(settings)));
        self.integrations.insert(e.integration, project);
        Ok(())
    }

    fn saved(
        &mut self,
        offset: i64,
        (project, saved_at): (ProjectId, Timestamp),
        e: &WorkflowSaved,
    ) -> Result<(), Unreadable> {
        let workflow: Workflow = read(offset, "workflow", &e.definition)?;
        self.change(project, |known| {
            let versions = known.workflows.entry(e.workflow).or_default();
            versions.saved.insert(e.version, Arc::new(workflow));
            versions.notes.insert(e.version, Note { saved_at, ..Note::default() });
        });
        Ok(())
    }
}

impl Project {
    fn set_integration(&mut self, id: IntegrationId, settings: Option<IntegrationSettings>) {
        if let Some(before) = self.integrations.remove(&id) {
            // The kind may have gone over to another id already.
            if self.kinds.get(&before.kind) == Some(&id) {
                self.kinds.remove(&before.kind);
            }
        }
        if let Some(settings) = settings {
            self.kinds.insert(settings.kind.clone(), id);
            self.integrations.insert(id, Arc::new(settings));
        }
    }

    fn release(&mut self, e: &WorkflowReleased, at: Timestamp) {
        let versions = self.workflows.entry(e.workflow).or_default();
        if let Some((_, before)) = versions.deployed() {
            self.starts.remove(before);
        }
        versions.released = (e.version > 0).then_some(e.version);
        if let Some((version, after)) = versions.deployed() {
            self.starts.add(after);
            versions.notes.entry(version).or_default().deployed_at = Some(at);
        }
    }

    fn define(&mut self, e: &AppEventDefined) {
        if e.removed {
            self.app_events.remove(&e.name);
        } else {
            self.app_events.insert(e.name.clone(), e.example.clone());
        }
    }

    fn keep_secret(&mut self, e: &SecretSet) {
        if e.removed {
            self.secrets.remove(&e.name);
        } else {
            self.secrets.insert(e.name.clone(), (e.fingerprint.clone(), e.sealed.clone()));
        }
    }
}

fn read<T: DeserializeOwned>(offset: i64, what: &'static str, text: &str) -> Result<T, Unreadable> {
    // The parser's message names a place, never a value: definitions hold no secrets, but may
    // hold customers' words.
    serde_json::from_str(text).map_err(|error| Unreadable {
        offset,
        what,
        reason: format!("line {}, column {}", error.line(), error.column()),
    })
}
