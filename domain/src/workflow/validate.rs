//! What cannot work, found when a definition is saved.

mod fields;
mod graph;
#[cfg(test)]
mod tests;

use super::condition::{CONDITION_DEPTH_MAX, RULES_MAX};
use super::reference::{Reference, Root, Template, each_template, references, references_in};
use super::template::{RESERVED, is_number};
use super::{Action, Step, Trigger, Workflow};
use graph::Graph;
use std::collections::BTreeSet;

/// How many steps a workflow has at most.
pub const STEPS_MAX: usize = 500;

/// How long a step's name is at most, in bytes.
pub const NAME_BYTES_MAX: usize = 200;

/// How many faults are told at most.
pub const INVALID_MAX: usize = 100;

/// One fault of a definition.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{step}: {field}: {reason}")]
pub struct Invalid {
    /// The step's name, or its number if it has no name; empty for the workflow itself.
    pub step: String,
    /// Where in it.
    pub field: String,
    /// What is wrong.
    pub reason: Reason,
}

/// What is wrong.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Reason {
    /// The workflow has too many steps.
    #[error("A workflow has at most {STEPS_MAX} steps.")]
    TooManySteps,
    /// A name is empty, too long, or cannot be written between `{{` and `}}`.
    #[error(
        "A name is 1 to {NAME_BYTES_MAX} bytes, without dots, brackets, braces, blanks around."
    )]
    NameUnusable,
    /// A name that means something else.
    #[error("The name {0:?} stands for something else in variables.")]
    NameReserved(String),
    /// Two steps have one name.
    #[error("Another step is called {0:?} too.")]
    NameTaken(String),
    /// Two steps have one id.
    #[error("Another step has the same id.")]
    IdTaken,
    /// A successor that does not exist.
    #[error("There is no step at index {0}.")]
    NoSuchStep(u16),
    /// The step can come after itself.
    #[error("The step comes after itself.")]
    Cycle,
    /// No way leads to the step.
    #[error("No way leads to this step.")]
    Unreachable,
    /// A variable names a step that the workflow does not have.
    #[error("{0} names a step that does not exist.")]
    UnknownStep(String),
    /// A variable names a step that never comes before this one.
    #[error("{0} names a step that does not come before this one.")]
    NotBefore(String),
    /// Braces around something that is no variable.
    #[error("{0} is not a variable. Write \\{{{{ for the text {{{{.")]
    Unreadable(String),
    /// `{{self.…}}` outside a paginated request.
    #[error("{0} has a meaning in paginated requests only.")]
    OwnOutsidePagination(String),
    /// The kind of step cannot be retried.
    #[error("Only requests and functions can be retried.")]
    RetryNotAllowed,
    /// A response in a workflow that no request starts.
    #[error("A response needs a request trigger.")]
    ResponseWithoutRequest,
    /// A delay that is no number, negative or too long.
    #[error("A delay is a number from 0 to 365 days.")]
    DelayInvalid,
    /// A status that is out of range.
    #[error("A status is from 200 to 599.")]
    StatusInvalid,
    /// A function without code.
    #[error("A function needs code.")]
    CodeEmpty,
    /// A function uses a library that functions do not have.
    #[error("Functions do not have the library {key:?}: {why}.")]
    LibraryUnavailable {
        /// Its key.
        key: String,
        /// Why not.
        why: &'static str,
    },
    /// A function uses a library that there is not.
    #[error("There is no library {0:?}.")]
    LibraryUnknown(String),
    /// A URL that is not `http` or `https`.
    #[error("The URL must begin with http:// or https://.")]
    UrlInvalid,
    /// A header name with characters that no header has.
    #[error("{0:?} is no header name.")]
    HeaderInvalid(String),
    /// What to fan out over is no array and no variable.
    #[error("A fan out needs an array, or a variable that is one.")]
    NotAnArray,
    /// A fan out without steps.
    #[error("A fan out needs steps to run for each item.")]
    FanOutEmpty,
    /// A step of a fan out's items leads out of them.
    #[error("The step runs for each item of a fan out, and leads to a step that does not.")]
    FanOutLeft,
    /// A response for each item.
    #[error("A response cannot be given for each item of a fan out.")]
    ResponseInFanOut,
    /// A variable names a step that runs for each item of a fan out among the items of another.
    #[error("{0} names a step of a fan out within a fan out: gather it in the outer one first.")]
    NestedTooDeep(String),
    /// A variable names a paginated request that runs for each item of a fan out.
    #[error("{0} names a paginated request of a fan out: hand its results on within the fan out.")]
    PagesGathered(String),
    /// A condition is too deep or has too many rules.
    #[error("A condition has at most {RULES_MAX} rules, {CONDITION_DEPTH_MAX} levels deep.")]
    ConditionTooLarge,
}

/// Everything that cannot work in a definition, at most [`INVALID_MAX`] faults; none: it may be
/// saved. Whether secrets exist is not known here: see [`super::reference::Needs`].
pub fn validate(workflow: &Workflow) -> Vec<Invalid> {
    if workflow.steps.len() > STEPS_MAX {
        return vec![Invalid {
            step: String::new(),
            field: "steps".into(),
            reason: Reason::TooManySteps,
        }];
    }
    let mut check = Check { workflow, faults: Vec::new() };
    check.names();
    check.ways();
    for index in 0..workflow.steps.len() {
        check.step(index);
    }
    check.faults.truncate(INVALID_MAX);
    check.faults
}

struct Check<'a> {
    workflow: &'a Workflow,
    faults: Vec<Invalid>,
}

impl Check<'_> {
    fn fault(&mut self, index: usize, field: &str, reason: Reason) {
        if self.faults.len() >= INVALID_MAX {
            return;
        }
        let name = self.workflow.steps.get(index).map_or("", |step| step.name.as_str());
        let step = if name.is_empty() { (index + 2).to_string() } else { name.to_owned() };
        self.faults.push(Invalid { step, field: field.to_owned(), reason });
    }

    fn names(&mut self) {
        let workflow = self.workflow;
        let (mut names, mut ids) = (BTreeSet::new(), BTreeSet::new());
        for (index, step) in workflow.steps.iter().enumerate() {
            let name = step.name.as_str();
            if !is_usable(name) {
                self.fault(index, "name", Reason::NameUnusable);
            } else if is_number(name) || RESERVED.contains(&name) {
                self.fault(index, "name", Reason::NameReserved(name.to_owned()));
            } else if !names.insert(name) {
                self.fault(index, "name", Reason::NameTaken(name.to_owned()));
            }
            if !ids.insert(*step.id.bytes()) {
                self.fault(index, "id", Reason::IdTaken);
            }
        }
    }

    /// Successors, cycles, unreachable steps, and references to steps that never come before.
    fn ways(&mut self) {
        let workflow = self.workflow;
        let graph = Graph::of(workflow);
        let names = workflow.names();
        for (index, step) in workflow.steps.iter().enumerate() {
            for (field, next) in graph::successor_fields(step) {
                if usize::from(next) >= workflow.steps.len() {
                    self.fault(index, field, Reason::NoSuchStep(next));
                }
            }
            if graph.is_before(index, index) {
                self.fault(index, "next", Reason::Cycle);
            } else if index != 0 && !graph.is_before(0, index) {
                self.fault(index, "next", Reason::Unreachable);
            }
        }
        for (index, step) in workflow.steps.iter().enumerate() {
            for (field, Reference { root, text, .. }) in references_of(&step.action) {
                let known = match root {
                    Root::Trigger | Root::Settings | Root::Secret(_) => continue,
                    Root::Own if is_paginated(&step.action) => continue,
                    Root::Own => Err(Reason::OwnOutsidePagination(text.clone())),
                    Root::Unreadable => Err(Reason::Unreadable(text.clone())),
                    Root::Name(name) => Ok(names.get(&name).map(|index| usize::from(*index))),
                    Root::Number(number) => Ok(index_of(number, workflow.steps.len())),
                };
                match known {
                    Err(reason) => self.fault(index, field, reason),
                    Ok(None) => self.fault(index, field, Reason::UnknownStep(text)),
                    Ok(Some(target)) if !graph.is_before(target, index) => {
                        self.fault(index, field, Reason::NotBefore(text));
                    }
                    Ok(Some(target)) if self.gathers_pages(target, index) => {
                        self.fault(index, field, Reason::PagesGathered(text));
                    }
                    Ok(Some(target)) if self.is_too_deep(target, index) => {
                        self.fault(index, field, Reason::NestedTooDeep(text));
                    }
                    Ok(Some(_)) => {}
                }
            }
        }
    }

    /// Whether a step gathers pages, and does so for the items of a fan out that the other is not in.
    fn gathers_pages(&self, target: usize, from: usize) -> bool {
        let paginated = self.workflow.steps.get(target).is_some_and(|s| is_paginated(&s.action));
        paginated && self.fan_outs_between(target, from) > 0
    }

    /// Whether a step runs for the items of two fan outs that the other is not in.
    fn is_too_deep(&self, target: usize, from: usize) -> bool {
        self.fan_outs_between(target, from) > 1
    }

    fn fan_outs_between(&self, target: usize, from: usize) -> usize {
        let around = |index| {
            let index = u16::try_from(index).unwrap_or(u16::MAX);
            self.workflow.fan_outs_around(index)
        };
        around(target).difference(&around(from)).count()
    }

    /// What runs for each item of a fan out stays among itself, and answers nobody.
    fn items(&mut self, index: usize, step: &Step) {
        if !matches!(step.action, Action::FanOut(_)) {
            return;
        }
        let at = u16::try_from(index).unwrap_or(u16::MAX);
        let body = self.workflow.body_of(at);
        if body.contains(&at) || step.next.is_some_and(|next| body.contains(&next)) {
            self.fault(index, "first", Reason::FanOutLeft);
        }
        for inner in body {
            let action = self.workflow.steps.get(usize::from(inner)).map(|step| &step.action);
            if matches!(action, Some(Action::Response(_))) {
                self.fault(usize::from(inner), "action", Reason::ResponseInFanOut);
            }
        }
    }

    fn step(&mut self, index: usize) {
        let workflow = self.workflow;
        let Some(step) = workflow.steps.get(index) else { return };
        if step.auto_retry && !step.action.is_outbound() {
            self.fault(index, "auto_retry", Reason::RetryNotAllowed);
        }
        let answers = matches!(step.action, Action::Response(_));
        if answers && !matches!(workflow.trigger, Trigger::Request(_)) {
            self.fault(index, "action", Reason::ResponseWithoutRequest);
        }
        self.items(index, step);
        for (field, reason) in fields::faults(&step.action) {
            self.fault(index, field, reason);
        }
    }
}

fn is_usable(name: &str) -> bool {
    let fits = !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.trim() == name;
    let odd = |c: char| c.is_control() || matches!(c, '.' | '[' | ']' | '{' | '}');
    fits && !name.contains(odd)
}

fn index_of(number: u32, count: usize) -> Option<usize> {
    let index = usize::try_from(number).ok()?.checked_sub(2)?;
    (index < count).then_some(index)
}

fn is_paginated(action: &Action) -> bool {
    match action {
        Action::Request(request) | Action::IntegrationRequest(request) => {
            request.pagination.is_some()
        }
        _ => false,
    }
}

/// Every reference of a step, and the field it is in.
fn references_of(action: &Action) -> Vec<(&'static str, Reference)> {
    let mut found = Vec::new();
    each_template(action, &mut |field, template| match template {
        Template::Text(text) => found.extend(references_in(text).map(|r| (field, r))),
        Template::Value(value) => found.extend(references(value).into_iter().map(|r| (field, r))),
    });
    found
}
