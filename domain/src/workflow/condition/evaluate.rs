//! Whether a condition holds.
//!
//! | operators | left and right | a value fits when |
//! |---|---|---|
//! | contains, matches, starts, ends, sorts | text | it is a string, number or boolean (as text) |
//! | is in | text and a list | the list is an array, text of a JSON array, or text with commas |
//! | greater, less, at least, at most, equals | number | it is a number, or all of its text is one |
//! | after, before, date equals | moment | it is ISO 8601 text (no zone: UTC) or milliseconds since 1970 |
//! | is true, is false | one boolean | it is a boolean, or the text `true` or `false` in any case |
//! | null, exists, empty | one value | always |
//!
//! A value that does not fit makes the rule false, and an operator with "not" in it is exactly the
//! opposite of the one without: `"abc"` is not greater than 5 and not less, and it does not equal 5.
//! What is not there fits nothing; text is compared with its case and its blanks.
//!
//! - An array on the left *contains* the right text when one of its items is that text.
//! - Two arrays or two objects *match exactly* when they are equal JSON.
//! - Items of a list with commas are trimmed; the empty text is the empty list. A value in a list
//!   is found by its text, so 5 is in `[5]`, `["5"]` and `"4, 5"`.
//! - Whole numbers are compared exactly, others as doubles.
//! - *Is null* is strict: what is not there is not `null`, so *is not null* holds for it, as it
//!   does where such workflows come from. *Exists* means there and not `null`.
//! - *Empty* are `[]`, `{}`, `""`, `null` and what is not there; numbers and booleans never are.

use super::moment::{moment, moment_of_text};
use super::number::Comparable;
use super::{Condition, Operator, Rule};
use crate::workflow::Scope;
use crate::workflow::template::{Found, Unresolved, find, number_text};
use serde_json::Value;
use std::borrow::Cow;
use std::cmp::Ordering;

/// How many rules of one condition are looked at.
pub const RULES_MAX: usize = 1_000;
/// How deep "and" and "or" may be nested.
pub const CONDITION_DEPTH_MAX: usize = 32;
/// How large a side of a rule may be that is put together from parts, in bytes.
pub const OPERAND_BYTES_MAX: usize = 1024 * 1024;

/// Why a condition neither holds nor does not.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Undecided {
    /// A side of a rule has no value.
    #[error(transparent)]
    Unresolved(#[from] Unresolved),
    /// It has too many rules.
    #[error("A condition has at most {RULES_MAX} rules.")]
    TooManyRules,
    /// It is nested too deep.
    #[error("A condition is at most {CONDITION_DEPTH_MAX} levels deep.")]
    TooDeep,
}

impl Undecided {
    /// The public error code.
    pub fn code(&self) -> &'static str {
        match self {
            Undecided::Unresolved(unresolved) => unresolved.code(),
            Undecided::TooManyRules | Undecided::TooDeep => "CONDITION_TOO_LARGE",
        }
    }
}

/// Whether the condition holds. "And" and "or" stop at the first rule that decides.
///
/// # Errors
/// A rule that was looked at refers to an unknown step or secret, or a bound was passed.
pub fn evaluate(condition: &Condition, scope: &Scope) -> Result<bool, Undecided> {
    Evaluation { scope, rules: 0 }.decide(condition, 0)
}

struct Evaluation<'a> {
    scope: &'a Scope,
    rules: usize,
}

impl Evaluation<'_> {
    fn decide(&mut self, condition: &Condition, depth: usize) -> Result<bool, Undecided> {
        if depth > CONDITION_DEPTH_MAX {
            return Err(Undecided::TooDeep);
        }
        match condition {
            Condition::All(inner) => {
                for condition in inner {
                    if !self.decide(condition, depth + 1)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Condition::Any(inner) => {
                for condition in inner {
                    if self.decide(condition, depth + 1)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Condition::Rule(rule) => {
                self.rules += 1;
                if self.rules > RULES_MAX {
                    return Err(Undecided::TooManyRules);
                }
                Ok(holds(rule, self.scope)?)
            }
        }
    }
}

fn holds(rule: &Rule, scope: &Scope) -> Result<bool, Unresolved> {
    let left = find(&rule.left, scope, OPERAND_BYTES_MAX)?;
    let right = || find(&rule.right, scope, OPERAND_BYTES_MAX);
    Ok(match rule.operator {
        Operator::Contains => contains(&left, &right()?),
        Operator::DoesNotContain => !contains(&left, &right()?),
        Operator::ExactlyMatches => matches_exactly(&left, &right()?),
        Operator::DoesNotExactlyMatch => !matches_exactly(&left, &right()?),
        Operator::IsIn => is_in(&left, &right()?),
        Operator::IsNotIn => !is_in(&left, &right()?),
        Operator::StartsWith => texts(&left, &right()?, |l, r| l.starts_with(r)),
        Operator::DoesNotStartWith => !texts(&left, &right()?, |l, r| l.starts_with(r)),
        Operator::EndsWith => texts(&left, &right()?, |l, r| l.ends_with(r)),
        Operator::DoesNotEndWith => !texts(&left, &right()?, |l, r| l.ends_with(r)),
        Operator::SortsAfter => texts(&left, &right()?, |l, r| l > r),
        Operator::SortsBefore => texts(&left, &right()?, |l, r| l < r),
        Operator::GreaterThan => numbers(&left, &right()?, Ordering::is_gt),
        Operator::LessThan => numbers(&left, &right()?, Ordering::is_lt),
        Operator::AtLeast => numbers(&left, &right()?, Ordering::is_ge),
        Operator::AtMost => numbers(&left, &right()?, Ordering::is_le),
        Operator::Equals => numbers(&left, &right()?, Ordering::is_eq),
        Operator::DoesNotEqual => !numbers(&left, &right()?, Ordering::is_eq),
        Operator::After => moments(&left, &right()?, Ordering::is_gt),
        Operator::Before => moments(&left, &right()?, Ordering::is_lt),
        Operator::DateEquals => moments(&left, &right()?, Ordering::is_eq),
        Operator::IsTrue => boolean(&left) == Some(true),
        Operator::IsFalse => boolean(&left) == Some(false),
        Operator::IsNull => left.value() == Some(&Value::Null),
        Operator::IsNotNull => left.value() != Some(&Value::Null),
        Operator::Exists => exists(&left),
        Operator::DoesNotExist => !exists(&left),
        Operator::IsEmpty => is_empty(&left),
        Operator::IsNotEmpty => !is_empty(&left),
    })
}

fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number_text(number))),
        Value::Bool(true) => Some(Cow::Borrowed("true")),
        Value::Bool(false) => Some(Cow::Borrowed("false")),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn text<'a>(found: &'a Found<'_>) -> Option<Cow<'a, str>> {
    match found {
        Found::Text(text) => Some(Cow::Borrowed(text)),
        Found::Value(_) | Found::Made(_) => found.value().and_then(text_of),
        Found::Missing | Found::Map(_) => None,
    }
}

fn texts(left: &Found<'_>, right: &Found<'_>, holds: fn(&str, &str) -> bool) -> bool {
    match (text(left), text(right)) {
        (Some(left), Some(right)) => holds(&left, &right),
        _ => false,
    }
}

fn contains(left: &Found<'_>, right: &Found<'_>) -> bool {
    match (left.value(), text(right)) {
        (Some(Value::Array(items)), Some(right)) => has(items, &right),
        _ => texts(left, right, |left, right| left.contains(right)),
    }
}

fn has(items: &[Value], text: &str) -> bool {
    items.iter().any(|item| text_of(item).is_some_and(|item| item == text))
}

fn matches_exactly(left: &Found<'_>, right: &Found<'_>) -> bool {
    match (left.value(), right.value()) {
        (Some(Value::Array(left)), Some(Value::Array(right))) => left == right,
        (Some(Value::Object(left)), Some(Value::Object(right))) => left == right,
        _ => texts(left, right, |left, right| left == right),
    }
}

fn is_in(left: &Found<'_>, right: &Found<'_>) -> bool {
    let Some(left) = text(left) else { return false };
    if let Some(Value::Array(items)) = right.value() {
        return has(items, &left);
    }
    let Some(list) = text(right) else { return false };
    if list.trim_start().starts_with('[')
        && let Ok(items) = serde_json::from_str::<Vec<Value>>(&list)
    {
        return has(&items, &left);
    }
    !list.trim().is_empty() && list.split(',').any(|item| item.trim() == left)
}

fn numbers(left: &Found<'_>, right: &Found<'_>, holds: fn(Ordering) -> bool) -> bool {
    match (number(left), number(right)) {
        (Some(left), Some(right)) => left.compare(right).is_some_and(holds),
        _ => false,
    }
}

fn number(found: &Found<'_>) -> Option<Comparable> {
    match found {
        Found::Text(text) => Comparable::of_text(text),
        Found::Missing | Found::Map(_) | Found::Value(_) | Found::Made(_) => {
            found.value().and_then(Comparable::of)
        }
    }
}

fn moments(left: &Found<'_>, right: &Found<'_>, holds: fn(Ordering) -> bool) -> bool {
    match (moment_of(left), moment_of(right)) {
        (Some(left), Some(right)) => holds(left.cmp(&right)),
        _ => false,
    }
}

fn moment_of(found: &Found<'_>) -> Option<i64> {
    match found {
        Found::Text(text) => moment_of_text(text),
        Found::Missing | Found::Map(_) | Found::Value(_) | Found::Made(_) => {
            found.value().and_then(moment)
        }
    }
}

fn boolean(found: &Found<'_>) -> Option<bool> {
    if let Some(Value::Bool(boolean)) = found.value() {
        return Some(*boolean);
    }
    let text = text(found)?;
    let text = text.trim();
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("true") { Some(true) } else { is("false").then_some(false) }
}

fn exists(found: &Found<'_>) -> bool {
    !matches!(found, Found::Missing) && found.value() != Some(&Value::Null)
}

fn is_empty(found: &Found<'_>) -> bool {
    match found {
        Found::Missing => true,
        Found::Map(map) => map.is_empty(),
        Found::Text(text) => text.is_empty(),
        Found::Value(_) | Found::Made(_) => match found.value() {
            None | Some(Value::Null) => true,
            Some(Value::Bool(_) | Value::Number(_)) => false,
            Some(Value::String(text)) => text.is_empty(),
            Some(Value::Array(items)) => items.is_empty(),
            Some(Value::Object(entries)) => entries.is_empty(),
        },
    }
}
