//! The same steps for each item of an array.

use super::reference::needs;
use super::template::{Unresolved, resolve};
use super::{Action, FanOut, Scope, Workflow};
use serde_json::Value;
use std::collections::BTreeSet;

/// Items of one fan out.
pub const ITEMS_MAX: usize = 1_000_000;

/// Why there is nothing to fan out over.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unfannable {
    /// It has no value.
    #[error(transparent)]
    Unresolved(#[from] Unresolved),
    /// It is no array.
    #[error("What to fan out over is {0}, not an array.")]
    NotAnArray(&'static str),
    /// It has too many items.
    #[error("The array has {count} items; a fan out takes {ITEMS_MAX}.")]
    TooMany {
        /// How many there are.
        count: usize,
    },
}

impl Unfannable {
    /// The public error code.
    pub fn code(&self) -> &'static str {
        match self {
            Unfannable::Unresolved(unresolved) => unresolved.code(),
            Unfannable::NotAnArray(_) | Unfannable::TooMany { .. } => "FAN_OUT_INVALID",
        }
    }
}

/// The items of the array, which has at most so many bytes of JSON. What is not there has none, as an
/// empty array has.
///
/// # Errors
/// The array cannot be resolved, is none, or has too many items.
pub fn items(fan_out: &FanOut, scope: &Scope, bytes_max: usize) -> Result<Vec<Value>, Unfannable> {
    match resolve(&fan_out.over, scope, bytes_max)? {
        Value::Array(items) if items.len() > ITEMS_MAX => {
            Err(Unfannable::TooMany { count: items.len() })
        }
        Value::Array(items) => Ok(items),
        Value::Null => Ok(Vec::new()),
        Value::Bool(_) => Err(Unfannable::NotAnArray("true or false")),
        Value::Number(_) => Err(Unfannable::NotAnArray("a number")),
        Value::String(_) => Err(Unfannable::NotAnArray("text")),
        Value::Object(_) => Err(Unfannable::NotAnArray("an object")),
    }
}

impl Workflow {
    /// The steps that run for each item, those of fan outs among them too.
    pub fn body_of(&self, fan_out: u16) -> BTreeSet<u16> {
        let mut body = BTreeSet::new();
        let mut open: Vec<u16> =
            self.fan_out(fan_out).and_then(|found| found.first).into_iter().collect();
        while let Some(index) = open.pop() {
            let Some(step) = self.steps.get(usize::from(index)) else { continue };
            if body.insert(index) {
                open.extend(step.next);
                open.extend(step.action.branches().into_iter().flatten());
            }
        }
        body
    }

    /// The steps of the items themselves, not of fan outs among them, that steps behind the fan out
    /// refer to: each gives them an array of what it gave for every item.
    pub fn gathered_from(&self, fan_out: u16) -> BTreeSet<u16> {
        let body = self.body_of(fan_out);
        let within = body.iter().flat_map(|index| self.body_of(*index)).collect::<BTreeSet<_>>();
        let names = self.names();
        let outside = (0..=u16::MAX).zip(&self.steps).filter(|(index, _)| !body.contains(index));
        let wanted = outside.flat_map(|(_, step)| needs(step, &names).outputs);
        wanted.filter(|index| body.contains(index) && !within.contains(index)).collect()
    }

    /// The fan outs that a step is within.
    pub(crate) fn fan_outs_around(&self, index: u16) -> BTreeSet<u16> {
        let every = (0..=u16::MAX).zip(&self.steps);
        let fan_outs = every.filter(|(_, step)| matches!(step.action, Action::FanOut(_)));
        fan_outs.map(|(at, _)| at).filter(|at| self.body_of(*at).contains(&index)).collect()
    }

    fn fan_out(&self, index: u16) -> Option<&FanOut> {
        match &self.steps.get(usize::from(index))?.action {
            Action::FanOut(fan_out) => Some(fan_out),
            _ => None,
        }
    }
}
