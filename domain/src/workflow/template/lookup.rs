//! What a variable stands for.

use super::Unresolved;
use super::budget::Budget;
use super::syntax::{Segments, Variable, is_number};
use crate::workflow::Scope;
use serde_json::{Map, Number, Value};
use std::fmt::Write;

/// What a template or variable stands for; borrowed from the scope where it can be.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Found<'a> {
    /// Nothing: a known root without such a property.
    Missing,
    /// A value of the scope, or a template without variables.
    Value(&'a Value),
    /// All settings.
    Map(&'a Map<String, Value>),
    /// A secret.
    Text(&'a str),
    /// A value that was put together.
    Made(Value),
}

impl Found<'_> {
    /// The value; `None` when it is a map, text or not there.
    pub(crate) fn value(&self) -> Option<&Value> {
        match self {
            Found::Value(value) => Some(value),
            Found::Made(value) => Some(value),
            Found::Missing | Found::Map(_) | Found::Text(_) => None,
        }
    }

    /// A copy that will stand at `depth`.
    pub(super) fn copy(self, depth: usize, budget: &mut Budget) -> Result<Value, Unresolved> {
        match self {
            Found::Missing => budget.copy(&Value::Null, depth),
            Found::Value(value) => budget.copy(value, depth),
            Found::Map(map) => {
                charge_map(map, depth, budget)?;
                Ok(Value::Object(map.clone()))
            }
            Found::Text(text) => {
                budget.take(text.len() + 2)?;
                Ok(Value::String(text.to_owned()))
            }
            Found::Made(value) => {
                budget.charge(&value, depth)?;
                Ok(value)
            }
        }
    }

    /// Adds it to a text.
    pub(super) fn write(&self, out: &mut String, budget: &mut Budget) -> Result<(), Unresolved> {
        match self {
            Found::Missing => Ok(()),
            Found::Value(value) => write_value(value, out, budget),
            Found::Map(map) => {
                // The estimate comes first, so that the JSON is made only when it can fit; its
                // true length, with escapes, is spent afterwards.
                charge_map(map, 0, &mut budget.clone())?;
                let json = serde_json::to_string(map).unwrap_or_default();
                write_text(&json, out, budget)
            }
            Found::Text(text) => write_text(text, out, budget),
            Found::Made(value) => write_value(value, out, budget),
        }
    }
}

fn charge_map(
    map: &Map<String, Value>,
    depth: usize,
    budget: &mut Budget,
) -> Result<(), Unresolved> {
    budget.enter(depth)?;
    for (key, value) in map {
        budget.take(key.len() + 4)?;
        budget.charge(value, depth + 1)?;
    }
    Ok(())
}

fn write_text(text: &str, out: &mut String, budget: &mut Budget) -> Result<(), Unresolved> {
    budget.take(text.len())?;
    out.push_str(text);
    Ok(())
}

fn write_value(value: &Value, out: &mut String, budget: &mut Budget) -> Result<(), Unresolved> {
    match value {
        Value::Null => Ok(()),
        Value::Bool(true) => write_text("true", out, budget),
        Value::Bool(false) => write_text("false", out, budget),
        Value::String(text) => write_text(text, out, budget),
        Value::Number(number) => {
            let before = out.len();
            write_number(number, out);
            budget.take(out.len() - before)
        }
        Value::Array(_) | Value::Object(_) => {
            budget.clone().charge(value, 0)?;
            write_text(&value.to_string(), out, budget)
        }
    }
}

/// 2^53: up to here every whole number is a double of its own.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

fn write_number(number: &Number, out: &mut String) {
    // Writing into a string cannot fail.
    let _ = match whole(number) {
        Some(whole) => write!(out, "{whole}"),
        None => write!(out, "{number}"),
    };
}

/// A double without a fraction, as JavaScript's numbers are.
fn whole(number: &Number) -> Option<i64> {
    if !number.is_f64() {
        return None;
    }
    let double = number.as_f64()?;
    (double.fract() == 0.0 && double.abs() < WHOLE_MAX).then_some(double as i64)
}

/// A number as text, as interpolation writes it.
pub(crate) fn number_text(number: &Number) -> String {
    let mut out = String::new();
    write_number(number, &mut out);
    out
}

/// Looks a variable up.
pub(super) fn lookup<'a>(
    variable: &Variable<'_>,
    scope: &'a Scope,
) -> Result<Found<'a>, Unresolved> {
    let mut path = variable.segments();
    match variable.root {
        "1" | "trigger" => Ok(output(&scope.trigger, path)),
        "settings" | "userSettings" => Ok(match path.next() {
            None => Found::Map(&scope.settings),
            Some(key) => match scope.settings.get(key.as_ref()) {
                None => Found::Missing,
                Some(value) => walk(value, path),
            },
        }),
        "secrets" => secret(variable, path, scope),
        "self" if scope.own.is_null() => Err(Unresolved::Unreadable(variable.text.to_owned())),
        "self" => Ok(walk(&scope.own, path)),
        root => {
            let unknown = || Unresolved::UnknownStep(root.to_owned());
            let index = index_of(root, scope).ok_or_else(unknown)?;
            Ok(scope.outputs.get(&index).map_or(Found::Missing, |value| output(value, path)))
        }
    }
}

fn index_of(root: &str, scope: &Scope) -> Option<u16> {
    if !is_number(root) {
        return scope.names.get(root).copied();
    }
    let index = root.parse::<u16>().ok()?.checked_sub(2)?;
    let known = usize::from(index) < scope.names.len() || scope.outputs.contains_key(&index);
    known.then_some(index)
}

fn secret<'a>(
    variable: &Variable<'_>,
    mut path: Segments<'_>,
    scope: &'a Scope,
) -> Result<Found<'a>, Unresolved> {
    let Some(name) = path.next() else {
        return Err(Unresolved::Unreadable(variable.text.to_owned()));
    };
    let Some(value) = scope.secrets.get(name.as_ref()) else {
        return Err(Unresolved::UnknownSecret(name.into_owned()));
    };
    // A secret is text: it has no properties.
    Ok(if path.next().is_some() { Found::Missing } else { Found::Text(value) })
}

/// Walks an output, which may be spelled out as `output`.
fn output<'a>(value: &'a Value, path: Segments<'_>) -> Found<'a> {
    let mut rest = path.clone();
    let spelled_out = rest.next().as_deref() == Some("output") && value.get("output").is_none();
    walk(value, if spelled_out { rest } else { path })
}

fn walk<'a>(value: &'a Value, path: Segments<'_>) -> Found<'a> {
    let mut at = value;
    for segment in path {
        match step_into(at, &segment) {
            Some(inner) => at = inner,
            None => return Found::Missing,
        }
    }
    Found::Value(at)
}

fn step_into<'a>(value: &'a Value, segment: &str) -> Option<&'a Value> {
    match value {
        Value::Object(entries) => entries.get(segment),
        Value::Array(items) if is_number(segment) => items.get(segment.parse::<usize>().ok()?),
        Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            None
        }
    }
}
