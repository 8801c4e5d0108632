//! Which deployed workflows an arrival starts: an index, so that the door never scans.

use crate::id::{IntegrationId, WorkflowId};
use crate::workflow::{Trigger, Workflow};
use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

/// Deployed workflows by what starts them. Sets are ordered, so that the executions of one arrival
/// get the same positions whenever it is decided.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Starts {
    events: BTreeMap<String, BTreeSet<WorkflowId>>,
    webhooks: BTreeMap<IntegrationId, BTreeMap<String, BTreeSet<WorkflowId>>>,
    schedules: BTreeSet<WorkflowId>,
    enabling: BTreeMap<IntegrationId, BTreeSet<WorkflowId>>,
}

impl Starts {
    /// The workflow is deployed from now on.
    pub(super) fn add(&mut self, workflow: &Workflow) {
        match &workflow.trigger {
            Trigger::AppEvent { name } => {
                self.events.entry(name.clone()).or_default().insert(workflow.id);
            }
            Trigger::Webhook { name, integration } => {
                let names = self.webhooks.entry(*integration).or_default();
                names.entry(name.clone()).or_default().insert(workflow.id);
            }
            Trigger::Schedule(_) => {
                self.schedules.insert(workflow.id);
            }
            Trigger::IntegrationEnabled => {
                self.enabling.entry(workflow.integration).or_default().insert(workflow.id);
            }
            // A request names its workflow.
            Trigger::Request(_) => {}
        }
    }

    /// The workflow, as it was added, is not deployed any more.
    pub(super) fn remove(&mut self, workflow: &Workflow) {
        match &workflow.trigger {
            Trigger::AppEvent { name } => take(&mut self.events, name, workflow.id),
            Trigger::Webhook { name, integration } => {
                if let Some(names) = self.webhooks.get_mut(integration) {
                    take(names, name, workflow.id);
                    if names.is_empty() {
                        self.webhooks.remove(integration);
                    }
                }
            }
            Trigger::Schedule(_) => {
                self.schedules.remove(&workflow.id);
            }
            Trigger::IntegrationEnabled => {
                take(&mut self.enabling, &workflow.integration, workflow.id)
            }
            Trigger::Request(_) => {}
        }
    }

    /// Workflows that run by themselves.
    pub(super) fn by_schedule(&self) -> &BTreeSet<WorkflowId> {
        &self.schedules
    }

    pub(super) fn of_event(&self, name: &str) -> impl Iterator<Item = WorkflowId> + '_ {
        self.events.get(name).into_iter().flatten().copied()
    }

    pub(super) fn of_enabling(
        &self,
        integration: IntegrationId,
    ) -> impl Iterator<Item = WorkflowId> + '_ {
        self.enabling.get(&integration).into_iter().flatten().copied()
    }

    pub(super) fn of_webhook(
        &self,
        integration: IntegrationId,
        name: &str,
    ) -> impl Iterator<Item = WorkflowId> + '_ {
        let names = self.webhooks.get(&integration);
        let of = |name: &str| names.and_then(|names| names.get(name)).into_iter().flatten();
        let kind = name.split_once('.').map(|(kind, _)| of(kind)).into_iter().flatten();
        of(name).chain(kind).copied()
    }
}

fn take<K: Ord + Borrow<Q>, Q: Ord + ?Sized>(
    names: &mut BTreeMap<K, BTreeSet<WorkflowId>>,
    name: &Q,
    id: WorkflowId,
) {
    if let Some(ids) = names.get_mut(name) {
        ids.remove(&id);
        if ids.is_empty() {
            names.remove(name);
        }
    }
}
