//! What `{{…}}` can refer to.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The values that a step can refer to, opened. It never leaves memory.
#[derive(Clone, PartialEq, Default)]
pub struct Scope {
    /// Output of the trigger: `{{1.…}}`, `{{trigger.…}}`.
    pub trigger: Value,
    /// Outputs of earlier steps by index (number − 2).
    pub outputs: BTreeMap<u16, Value>,
    /// Index of each step name.
    pub names: BTreeMap<String, u16>,
    /// `{{settings.…}}` and `{{userSettings.…}}`: user id, metadata, account values, inputs.
    pub settings: Map<String, Value>,
    /// Environment secrets by name.
    pub secrets: BTreeMap<String, String>,
}

impl std::fmt::Debug for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values are customers' data and secrets: only the shape is shown.
        f.debug_struct("Scope").field("outputs", &self.outputs.len()).finish_non_exhaustive()
    }
}
