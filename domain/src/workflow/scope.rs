//! What `{{…}}` can refer to.

use super::Workflow;
use crate::id::StepId;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The index of each step name of a workflow version.
pub type Names = BTreeMap<String, u16>;

/// The values that a step can refer to, opened. It never leaves memory.
#[derive(Clone, PartialEq, Default)]
pub struct Scope {
    /// Output of the trigger: `{{1.…}}`, `{{trigger.…}}`.
    pub trigger: Value,
    /// Outputs of earlier steps by index (number − 2). One that is in the workflow and not here,
    /// because its branch was not taken, gives `null`.
    pub outputs: BTreeMap<u16, Value>,
    /// Index of each step name, of every step of the workflow: [`Workflow::names`]. Shared, since
    /// it is the same for every step of a version.
    pub names: Arc<Names>,
    /// `{{settings.…}}` and `{{userSettings.…}}`: user id, metadata, account values, inputs.
    pub settings: Map<String, Value>,
    /// Names of the settings that history does not show.
    pub hidden: BTreeSet<String>,
    /// Environment secrets by name.
    pub secrets: BTreeMap<String, String>,
    /// `{{self.…}}` of a paginated request: the page before; null outside of one.
    pub own: Value,
}

impl Workflow {
    /// The place of a step.
    pub fn index_of(&self, step: StepId) -> Option<u16> {
        self.steps.iter().position(|known| known.id == step).and_then(|at| u16::try_from(at).ok())
    }

    /// The index of each step name. Where two steps share a name, which `validate` refuses, the
    /// first has it.
    pub fn names(&self) -> Names {
        let mut names = Names::new();
        for (index, step) in (0..=u16::MAX).zip(&self.steps) {
            names.entry(step.name.clone()).or_insert(index);
        }
        names
    }
}

impl std::fmt::Debug for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values are customers' data and secrets: only the shape is shown.
        f.debug_struct("Scope").field("outputs", &self.outputs.len()).finish_non_exhaustive()
    }
}
