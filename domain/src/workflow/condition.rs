//! The conditional's rules: types, and in `evaluate` what they mean.

mod evaluate;
mod moment;
mod number;
mod operator;
#[cfg(test)]
mod tests;

pub use evaluate::{CONDITION_DEPTH_MAX, OPERAND_BYTES_MAX, RULES_MAX, Undecided, evaluate};
pub use operator::Operator;

pub(crate) use moment::moment;
pub(crate) use number::finite;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Rules combined with "and" and "or".
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Every one holds; an empty one does.
    All(Vec<Condition>),
    /// At least one holds; of none, none does.
    Any(Vec<Condition>),
    /// One comparison.
    Rule(Rule),
}

/// One comparison. Both sides may hold `{{…}}`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// The value that is looked at.
    pub left: Value,
    /// How.
    pub operator: Operator,
    /// What it is compared with; absent for operators with one side.
    #[serde(default)]
    pub right: Value,
}
