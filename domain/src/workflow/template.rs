//! Dynamic variables: `{{…}}` in strings.
//!
//! # What can be referred to
//!
//! | written | is |
//! |---|---|
//! | `{{1.event.userId}}`, `{{trigger.event.userId}}` | the trigger's output |
//! | `{{2.result}}` | the output of the first step; step `n` is `steps[n - 2]` |
//! | `{{pick.result.text}}` | the output of the step named `pick` |
//! | `{{1.output.contact.email}}` | the same as `{{1.contact.email}}`, unless the output has a key `output` |
//! | `{{settings.channel}}`, `{{userSettings.userId}}` | the user's settings; both words mean the same map |
//! | `{{secrets.API_KEY}}` | an environment secret; always with a name |
//! | `{{self.…}}` | in paginated requests: the answer to the page before; nothing elsewhere |
//!
//! A path goes on with `.key`, `[0]`, `.0`, `["key with space"]` or `['key']`; in quotes a
//! backslash takes the next character as it is. A key after a point may hold spaces and dashes,
//! and ends at `.`, `[` or `}}`; blanks around it do not count. An index below an object is a key.
//! Step numbers, `trigger`, `settings`, `userSettings`, `secrets` and `self` go before step names.
//!
//! # What comes out
//!
//! A string that is one variable and nothing else becomes the value, with its type. In any other
//! string a variable becomes text: strings as they are, numbers and booleans as JSON (a whole
//! number without a fraction, as JavaScript writes it), arrays and objects as compact JSON, `null`
//! and what is not there as nothing. Keys of objects are always text. What a variable brings in is
//! not looked at again, so customers' data can never refer to anything.
//!
//! A property that is not there, or a step whose branch was not taken, is `null`. A step or secret
//! that the workflow or project does not have is an error that names it.
//!
//! # Braces that are no variable
//!
//! Braces without their partner stay as they are: `{{` without `}}`, or with another `{` before it,
//! and any `}}` alone. Of three braces the last two open, so `{"a":{{{1.x}}}}` is fine. `\{{` is
//! the text `{{`, and `\\{{1.x}}` a backslash and a variable. Balanced braces around something that
//! is no variable (`{{}}`, `{{1..a}}`) are an error, so that a slip is not sent to a provider.
//!
//! # Bounds
//!
//! The result has at most `template_bytes_max` bytes, counted about as its JSON, and is nested at
//! most [`DEPTH_MAX`] deep; `{{…}}` itself is at most [`VARIABLE_BYTES_MAX`] long.

mod budget;
mod lookup;
mod syntax;
#[cfg(test)]
mod tests;

pub use budget::DEPTH_MAX;
pub use syntax::VARIABLE_BYTES_MAX;

pub(crate) use lookup::{Found, number_text};
pub(crate) use syntax::{Piece, RESERVED, Variable, is_number, pieces};

use super::Scope;
use budget::Budget;
use lookup::lookup;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Why a template has no value.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unresolved {
    /// It names a step that the workflow does not have.
    #[error("There is no step {0:?} in this workflow.")]
    UnknownStep(String),
    /// It names a secret that the project does not have (any more).
    #[error("There is no environment secret {0:?}. It may have been deleted.")]
    UnknownSecret(String),
    /// Between the braces is something that is no variable.
    #[error("{0:?} is not a variable.")]
    Unreadable(String),
    /// The result would be larger than allowed.
    #[error("The step's input is larger than {bytes_max} bytes.")]
    TooLarge {
        /// What is allowed.
        bytes_max: usize,
    },
    /// The result would be nested too deep.
    #[error("The step's input is nested more than {DEPTH_MAX} levels deep.")]
    TooDeep,
}

impl Unresolved {
    /// The public error code.
    pub fn code(&self) -> &'static str {
        match self {
            Unresolved::UnknownStep(_) => "STEP_UNKNOWN",
            Unresolved::UnknownSecret(_) => "SECRET_UNKNOWN",
            Unresolved::Unreadable(_) => "VARIABLE_UNREADABLE",
            Unresolved::TooLarge { .. } => "INPUT_TOO_LARGE",
            Unresolved::TooDeep => "INPUT_TOO_DEEP",
        }
    }
}

/// Whether the text may hold a variable: whether it has a `{{`. It does not allocate.
pub fn has_braces(text: &str) -> bool {
    syntax::find_open(text).is_some()
}

/// The template with its variables replaced by their values; `template_bytes_max` bounds the
/// result.
///
/// # Errors
/// An unknown step or secret, an unreadable variable, a result too large or too deep.
pub fn resolve(
    template: &Value,
    scope: &Scope,
    template_bytes_max: usize,
) -> Result<Value, Unresolved> {
    resolve_at(template, scope, 0, &mut Budget::new(template_bytes_max))
}

/// The same for a string that stays text: a URL, a header. It borrows where there is no `{{`.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_text<'a>(
    template: &'a str,
    scope: &Scope,
    template_bytes_max: usize,
) -> Result<Cow<'a, str>, Unresolved> {
    let mut budget = Budget::new(template_bytes_max);
    if !has_braces(template) {
        budget.take(template.len())?;
        return Ok(Cow::Borrowed(template));
    }
    interpolate(template, scope, &mut budget).map(Cow::Owned)
}

/// The same without copying, where the template is one variable or has none: a file in the scope is
/// not copied to be sent. What is borrowed is not counted; whoever takes it looks at its size.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_borrowed<'a>(
    template: &'a Value,
    scope: &'a Scope,
    template_bytes_max: usize,
) -> Result<Cow<'a, Value>, Unresolved> {
    Ok(match find(template, scope, template_bytes_max)? {
        Found::Missing => Cow::Owned(Value::Null),
        Found::Value(value) => Cow::Borrowed(value),
        Found::Map(map) => Cow::Owned(Value::Object(map.clone())),
        Found::Text(text) => Cow::Owned(Value::String(text.to_owned())),
        Found::Made(value) => Cow::Owned(value),
    })
}

/// A piece of a text whose variables are replaced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TextPiece<'a> {
    /// What the template says itself.
    Written(&'a str),
    /// What a variable brings in. In a language with rules of its own it has to be escaped.
    Brought(String),
}

/// The text in pieces, for whoever escapes what variables bring in.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_pieces<'a>(
    template: &'a str,
    scope: &Scope,
    template_bytes_max: usize,
) -> Result<Vec<TextPiece<'a>>, Unresolved> {
    let mut budget = Budget::new(template_bytes_max);
    let mut made = Vec::new();
    for piece in pieces(template) {
        made.push(match piece {
            Piece::Text(literal) => {
                budget.take(literal.len())?;
                TextPiece::Written(literal)
            }
            Piece::Variable(variable) => {
                let mut text = String::new();
                lookup(&variable, scope)?.write(&mut text, &mut budget)?;
                TextPiece::Brought(text)
            }
            Piece::Unreadable(text) => return Err(Unresolved::Unreadable(text.to_owned())),
        });
    }
    Ok(made)
}

/// Whether the template is one variable and nothing else, so that it becomes that value.
pub fn is_one_variable(template: &str) -> bool {
    syntax::alone(template).is_some()
}

/// What a template is, without copying where it is one variable or has none.
pub(crate) fn find<'a>(
    template: &'a Value,
    scope: &'a Scope,
    template_bytes_max: usize,
) -> Result<Found<'a>, Unresolved> {
    match template {
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(Found::Value(template)),
        Value::String(text) if !has_braces(text) => Ok(Found::Value(template)),
        Value::String(text) => match syntax::alone(text) {
            Some(variable) => lookup(&variable, scope),
            None => resolve(template, scope, template_bytes_max).map(Found::Made),
        },
        Value::Array(_) | Value::Object(_) => {
            resolve(template, scope, template_bytes_max).map(Found::Made)
        }
    }
}

fn resolve_at(
    template: &Value,
    scope: &Scope,
    depth: usize,
    budget: &mut Budget,
) -> Result<Value, Unresolved> {
    match template {
        Value::String(text) => resolve_string(text, scope, depth, budget),
        Value::Array(items) => {
            budget.enter(depth)?;
            let mut made = Vec::with_capacity(items.len());
            for item in items {
                budget.take(1)?;
                made.push(resolve_at(item, scope, depth + 1, budget)?);
            }
            Ok(Value::Array(made))
        }
        Value::Object(entries) => {
            budget.enter(depth)?;
            let mut made = Map::new();
            for (key, value) in entries {
                budget.take(4)?;
                let key = if has_braces(key) {
                    interpolate(key, scope, budget)?
                } else {
                    budget.take(key.len())?;
                    key.clone()
                };
                made.insert(key, resolve_at(value, scope, depth + 1, budget)?);
            }
            Ok(Value::Object(made))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => budget.copy(template, depth),
    }
}

fn resolve_string(
    text: &str,
    scope: &Scope,
    depth: usize,
    budget: &mut Budget,
) -> Result<Value, Unresolved> {
    if !has_braces(text) {
        budget.take(text.len() + 2)?;
        return Ok(Value::String(text.to_owned()));
    }
    match syntax::alone(text) {
        Some(variable) => lookup(&variable, scope)?.copy(depth, budget),
        None => {
            budget.take(2)?;
            interpolate(text, scope, budget).map(Value::String)
        }
    }
}

fn interpolate(text: &str, scope: &Scope, budget: &mut Budget) -> Result<String, Unresolved> {
    let mut out = String::with_capacity(text.len() + 32);
    for piece in pieces(text) {
        match piece {
            Piece::Text(literal) => {
                budget.take(literal.len())?;
                out.push_str(literal);
            }
            Piece::Variable(variable) => lookup(&variable, scope)?.write(&mut out, budget)?,
            Piece::Unreadable(text) => return Err(Unresolved::Unreadable(text.to_owned())),
        }
    }
    Ok(out)
}
