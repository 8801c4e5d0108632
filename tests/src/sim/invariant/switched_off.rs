//! A disabled user starts nothing, and neither does a workflow that is switched off.

use super::Breach;
use crate::sim::transcript::Part;
use domain::event::Event;
use std::collections::{BTreeMap, BTreeSet};

const NAME: &str = "a disabled user starts nothing";

pub(super) fn check(parts: &[Part]) -> Result<(), Breach> {
    let mut disabled: BTreeMap<&str, bool> = BTreeMap::new();
    let mut on = BTreeSet::new();
    for (offset, event) in parts.iter().flat_map(|part| &part.runs).flatten() {
        let key = event.meta.key.as_str();
        match &event.body {
            Event::UserSwitched(e) => {
                disabled.insert(key, !e.enabled);
            }
            Event::WorkflowSwitched(e) if e.enabled => {
                on.insert((e.credential, e.workflow));
            }
            Event::WorkflowSwitched(e) => {
                on.remove(&(e.credential, e.workflow));
            }
            Event::CredentialRemoved(e) => on.retain(|(credential, _)| *credential != e.credential),
            Event::ExecutionStarted(e) => {
                if disabled.get(key).copied().unwrap_or(false) {
                    return Err(Breach::new(
                        NAME,
                        "nothing",
                        format!("a run of {key} at {offset}"),
                    ));
                }
                if !on.contains(&(e.credential, e.workflow)) {
                    let found = format!("a run of {} for {key} at {offset}", e.workflow.0);
                    return Err(Breach::new(NAME, "only what is switched on", found));
                }
            }
            _ => {}
        }
    }
    Ok(())
}
