//! The conditional's rules (seeds: workflows/using-conditionals).

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Rules combined with "and" and "or".
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Every one holds.
    All(Vec<Condition>),
    /// At least one holds.
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

/// How a rule compares. The wire names are `$…` of the compiled form (api-more.md 21).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// Text contains text.
    Contains,
    /// Text does not contain text.
    DoesNotContain,
    /// Text is text.
    ExactlyMatches,
    /// Text is not text.
    DoesNotExactlyMatch,
    /// The value is one of a list.
    IsIn,
    /// The value is none of a list.
    IsNotIn,
    /// Text starts with text.
    StartsWith,
    /// Text does not start with text.
    DoesNotStartWith,
    /// Text ends with text.
    EndsWith,
    /// Text does not end with text.
    DoesNotEndWith,
    /// Number is greater.
    GreaterThan,
    /// Number is less.
    LessThan,
    /// Number is equal.
    Equals,
    /// Number is not equal.
    DoesNotEqual,
    /// Moment is later.
    After,
    /// Moment is earlier.
    Before,
    /// Moment is the same.
    DateEquals,
    /// Is `true`.
    IsTrue,
    /// Is `false`.
    IsFalse,
    /// Is there, and not `null`… or is `null`? See `$exists` in api-more.md 21.
    IsNotNull,
    /// Is `null`.
    IsNull,
    /// Is there and not `null`.
    Exists,
    /// Is not there, or `null`.
    DoesNotExist,
    /// The array has no items.
    IsEmpty,
    /// The array has items.
    IsNotEmpty,
}
