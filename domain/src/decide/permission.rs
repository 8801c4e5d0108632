//! For which users workflows are, by what is known of a user when something is decided.

use super::{Given, Open, Rejected};
use crate::decide::Missing;
use crate::event::{Event, WorkflowSwitched};
use crate::key::Key;
use crate::payload::Payload;
use crate::state::User;
use crate::workflow::Workflow;
use serde_json::Value;

/// Switches that one change of metadata leads to, at most. What is left is not permitted either, so it
/// starts nothing.
const SWITCHED_MAX: usize = 900;

/// Judges workflows by the user's metadata, which is opened once, and only for workflows that are not
/// for everyone.
pub(super) struct Permissions<'a> {
    key: &'a Key,
    sealed: Option<&'a Payload>,
    opened: Option<Value>,
}

impl<'a> Permissions<'a> {
    pub(super) fn of(given: &Given<'a>, key: &'a Key) -> Self {
        let user = super::user::user_row(given, key);
        Self { key, sealed: user.and_then(|user| user.metadata.as_ref()), opened: None }
    }

    pub(super) fn permit(
        &mut self,
        open: &mut dyn Open,
        workflow: &Workflow,
    ) -> Result<bool, Missing> {
        if workflow.permissions.is_none() {
            return Ok(true);
        }
        let metadata = match (self.opened.take(), self.sealed) {
            (Some(opened), _) => opened,
            (None, Some(sealed)) => open.json(self.key, sealed)?,
            (None, None) => Value::Null,
        };
        let permits = workflow.permits(self.key.user().unwrap_or_default(), &metadata);
        self.opened = Some(metadata);
        Ok(permits)
    }
}

/// What is switched off because the metadata is so from now on. Nothing is switched on by itself
/// (behaviours.md 33).
pub(super) fn switched_off(
    given: &Given<'_>,
    (key, user): (&Key, Option<&User>),
    metadata: &Value,
) -> Vec<Event> {
    let Some(project) = given.config.project(key.project()) else { return Vec::new() };
    let name = key.user().unwrap_or_default();
    let accounts = user.into_iter().flat_map(|user| &user.credentials);
    let enabled = accounts.flat_map(|(id, account)| account.enabled.iter().map(|on| (*id, *on)));
    let is_lost = |on| {
        let released = project.released(on);
        released.is_some_and(|(_, workflow)| !workflow.permits(name, metadata))
    };
    let lost = enabled.filter(|(_, workflow)| is_lost(*workflow)).take(SWITCHED_MAX);
    lost.map(|(credential, workflow)| {
        Event::WorkflowSwitched(WorkflowSwitched { workflow, credential, enabled: false })
    })
    .collect()
}

/// That the workflow is not for the user.
pub(super) fn unpermitted(workflow: &Workflow) -> Rejected {
    let reason = format!("The workflow {} is not permitted for this user.", workflow.name);
    Rejected::new("WORKFLOW_UNPERMITTED", reason)
}
