//! Versions of workflows: named, and restored (seeds: version-history).

use super::Project;
use super::apply::{schema_of, too_low};
use crate::command::{NameVersion, RestoreVersion};
use crate::decide::Rejected;
use crate::event::{Event, VersionNamed, WorkflowReleased, WorkflowSaved};
use crate::id::WorkflowId;
use crate::workflow::Workflow;
use std::sync::Arc;

fn known(
    project: &Project,
    workflow: WorkflowId,
    version: i32,
) -> Result<&Arc<Workflow>, Rejected> {
    project.workflow(workflow, version).ok_or_else(|| {
        let reason = format!("The workflow has no version {version}.");
        Rejected::new("VERSION_UNKNOWN", reason)
    })
}

pub(crate) fn name_version(project: &Project, c: &NameVersion) -> Result<Vec<Event>, Rejected> {
    known(project, c.workflow, c.version)?;
    let (workflow, version, name) = (c.workflow, c.version, c.name.clone());
    Ok(vec![Event::VersionNamed(VersionNamed { workflow, version, name })])
}

/// It becomes the newest version, under a number of its own. What runs stays as it is, unless it is
/// to be deployed as well.
pub(crate) fn restore_version(
    project: &Project,
    c: &RestoreVersion,
    schema_max: u32,
) -> Result<Vec<Event>, Rejected> {
    let wanted = known(project, c.workflow, c.version)?;
    if !project.integrations.contains_key(&wanted.integration) {
        let reason = "The integration of that version is gone.";
        return Err(Rejected::new("INTEGRATION_UNKNOWN", reason));
    }
    if schema_of(wanted) > schema_max {
        return Err(too_low("The version"));
    }
    let newest = project.workflows.get(&c.workflow).and_then(|versions| versions.newest());
    let last = newest.map_or(0, |(version, _)| version);
    let workflow = c.workflow;
    let mut events = Vec::new();
    let version = match newest {
        Some((version, newest)) if newest == wanted => version,
        _ => {
            let definition = serde_json::to_string(&**wanted)
                .map_err(|error| Rejected::internal(error.to_string()))?;
            let version = last + 1;
            events.push(Event::WorkflowSaved(WorkflowSaved { workflow, version, definition }));
            version
        }
    };
    if c.deploy {
        events.push(Event::WorkflowReleased(WorkflowReleased { workflow, version }));
    }
    if events.is_empty() {
        let reason = "The newest version is the same.";
        return Err(Rejected::new("VERSION_CURRENT", reason));
    }
    Ok(events)
}
