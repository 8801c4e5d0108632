//! What is switched on, for whom.

use crate::sim::configs::Configs;
use domain::event::Event;
use domain::id::{CredentialId, WorkflowId};
use domain::meta::Recorded;
use std::collections::{BTreeMap, BTreeSet};

/// A workflow for an account.
pub(super) type Place = (WorkflowId, CredentialId);

/// What users switched, as far as events were folded.
#[derive(Default)]
pub(super) struct Switches<'a> {
    disabled: BTreeSet<&'a str>,
    /// What is on, and for whom.
    on: BTreeMap<Place, &'a str>,
}

impl<'a> Switches<'a> {
    pub(super) fn fold(&mut self, event: &'a Recorded<Event>) {
        let user = event.meta.key.as_str();
        match &event.body {
            Event::UserSwitched(e) if e.enabled => drop(self.disabled.remove(user)),
            Event::UserSwitched(_) => drop(self.disabled.insert(user)),
            Event::WorkflowSwitched(e) if e.enabled => {
                self.on.insert((e.workflow, e.credential), user);
            }
            Event::WorkflowSwitched(e) => drop(self.on.remove(&(e.workflow, e.credential))),
            Event::CredentialRemoved(e) => {
                self.on.retain(|(_, credential), _| *credential != e.credential);
            }
            _ => {}
        }
    }

    /// Why nothing may start at a place, for the decision that an event is of.
    pub(super) fn against(
        &self,
        configs: &Configs,
        event: &Recorded<Event>,
        place: Place,
    ) -> Option<&'static str> {
        if self.disabled.contains(event.meta.key.as_str()) {
            Some("the user is disabled")
        } else if !self.on.contains_key(&place) {
            Some("the workflow is not switched on")
        } else if configs.released(&event.meta, place.0).is_none() {
            Some("the workflow is not deployed")
        } else if !configs.is_active(&event.meta) {
            Some("the integration is not active")
        } else {
            None
        }
    }

    /// What is on for users that are not disabled.
    pub(super) fn on(&self) -> impl Iterator<Item = Place> {
        let enabled = self.on.iter().filter(|(_, user)| !self.disabled.contains(*user));
        enabled.map(|(place, _)| *place)
    }
}
