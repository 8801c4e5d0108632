//! What the engine finds wrong with a compiled workflow, told where it stands in the file.

use super::flatten::Placed;
use super::mistake::{Mistakes, Path, listed, near, nearest, quoted};
use super::step::action_key;
use super::yaml::{Node, Place, Tree};
use crate::workflow::Workflow;
use crate::workflow::condition::{CONDITION_DEPTH_MAX, RULES_MAX};
use crate::workflow::reference::{Needs, Root, references_in};
use crate::workflow::validate::{Invalid, NAME_BYTES_MAX, Reason, STEPS_MAX, validate};
use std::collections::BTreeSet;

/// Notes everything that cannot work in a workflow.
pub(super) fn note(
    workflow: &Workflow,
    steps: &[Placed<'_>],
    secrets: &BTreeSet<&str>,
    mistakes: &mut Mistakes,
) {
    for fault in validate(workflow) {
        // Found while flattening, with the line of the first.
        if matches!(fault.reason, Reason::NameTaken(_)) {
            continue;
        }
        let Some((number, placed)) = find(steps, &fault) else { continue };
        if is_told(placed, &fault, mistakes) {
            continue;
        }
        let (at, path) = locate(placed, &fault);
        let (problem, mend) = explain(&fault.reason, steps, number);
        mistakes.add(at, &path, problem, mend);
    }
    unknown_secrets(workflow, steps, secrets, mistakes);
}

fn find<'a, 'n>(steps: &'a [Placed<'n>], fault: &Invalid) -> Option<(usize, &'a Placed<'n>)> {
    let by_name = steps.iter().position(|placed| placed.step.name == fault.step);
    let by_number = || fault.step.parse::<usize>().ok()?.checked_sub(2);
    let index = by_name.or_else(by_number)?;
    steps.get(index).map(|placed| (index + 2, placed))
}

/// Whether the fault follows from a mistake that was told already.
fn is_told(placed: &Placed<'_>, fault: &Invalid, mistakes: &Mistakes) -> bool {
    match fault.field.as_str() {
        "name" => mistakes.within(&placed.path.key("name")) || placed.step.name.is_empty(),
        // A derived id is taken because the name is.
        "id" => placed.node.get("id").is_none() || mistakes.within(&placed.path.key("id")),
        "auto_retry" => placed.unknown,
        field => {
            if placed.unknown {
                return true;
            }
            let keys = keys_of(placed.node, field);
            let mut path = placed.path.clone();
            let mut node = Some(placed.node);
            for key in keys {
                let inner = node.and_then(|node| node.get(key));
                if inner.is_none() {
                    break; // it is missing, which was told of what it is missing from
                }
                (node, path) = (inner, path.key(key));
            }
            mistakes.within(&path) && path != placed.path
        }
    }
}

/// The keys that lead from a step to one of its fields.
fn keys_of(node: &Node, field: &str) -> Vec<&'static str> {
    let Some(action) = action_key(node) else { return Vec::new() };
    let inner = match (action, field) {
        (_, "name") => return vec!["name"],
        (_, "id") => return vec!["id"],
        (_, "auto_retry") => return vec!["auto_retry"],
        (_, "next" | "yes" | "no") => return Vec::new(),
        ("function", "parameters") => return vec!["parameters"],
        ("request", "url") => "url",
        ("integration_request", "url") => "path",
        (_, "params") => "params",
        (_, "headers") => "headers",
        (_, "authorization") => "authorization",
        ("response", "body") => "body",
        ("response", "status_code") => "status",
        (_, "body") => {
            let body = |key: &&str| node.get(action).is_some_and(|node| node.get(key).is_some());
            ["json", "form", "raw"].into_iter().find(body).unwrap_or("json")
        }
        ("delay", "value") => "value",
        // `code`, `when` and the action itself stand under its own key.
        _ => return vec![action],
    };
    vec![action, inner]
}

/// Where a fault stands: as near to the words it is about as can be.
fn locate(placed: &Placed<'_>, fault: &Invalid) -> (Place, Path) {
    let (mut node, mut path, mut at) = (placed.node, placed.path.clone(), placed.node.at);
    for key in keys_of(placed.node, &fault.field) {
        let Some(inner) = node.get(key) else { break };
        (node, path, at) = (inner, path.key(key), inner.at);
    }
    let words = match &fault.reason {
        Reason::UnknownStep(text)
        | Reason::NotBefore(text)
        | Reason::Unreadable(text)
        | Reason::OwnOutsidePagination(text)
        | Reason::HeaderInvalid(text) => text,
        _ => return (at, path),
    };
    search(node, &path, &|text| text.contains(words.as_str())).unwrap_or((at, path))
}

/// The first key or text below a node that fits, branches of a conditional left out.
fn search(node: &Node, path: &Path, fits: &impl Fn(&str) -> bool) -> Option<(Place, Path)> {
    match &node.tree {
        Tree::Text(text) => fits(text).then(|| (node.at, path.clone())),
        Tree::List(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(index, item)| search(item, &path.index(index), fits))
        }
        Tree::Map(entries) => entries.iter().find_map(|entry| {
            let path = path.key(&entry.key);
            if fits(&entry.key) {
                return Some((entry.at, path));
            }
            search(&entry.node, &path, fits)
        }),
        Tree::Null | Tree::Flag(_) | Tree::Number(_) => None,
    }
}

fn unknown_secrets(
    workflow: &Workflow,
    steps: &[Placed<'_>],
    secrets: &BTreeSet<&str>,
    mistakes: &mut Mistakes,
) {
    let names = workflow.names();
    for placed in steps.iter().filter(|placed| !placed.unknown) {
        for name in Needs::of(&placed.step, &names).secrets {
            if secrets.contains(name.as_str()) {
                continue;
            }
            let is_it = |text: &str| {
                references_in(text).any(|reference| reference.root == Root::Secret(name.clone()))
            };
            // The branches of a conditional are steps of their own.
            let keys = ["request", "integration_request", "parameters", "if", "delay", "response"];
            let mut inner = keys.iter().filter_map(|key| Some((key, placed.node.get(key)?)));
            let found = inner.find_map(|(key, node)| search(node, &placed.path.key(key), &is_it));
            let (at, path) = found.unwrap_or((placed.node.at, placed.path.clone()));
            let problem = format!("the project has no secret {}", quoted(&name));
            let mend = nearest(&name, secrets.iter().copied(), || "add it to `secrets`".into());
            mistakes.add(at, &path, problem, mend);
        }
    }
}

/// A fault in the words of the file, and its mend. `number` is the step's own.
fn explain(reason: &Reason, steps: &[Placed<'_>], number: usize) -> (String, String) {
    let (problem, mend) = match reason {
        Reason::TooManySteps => ("there are too many steps".into(), {
            format!("keep at most {STEPS_MAX}")
        }),
        Reason::NameUnusable => (
            "the name cannot be written in variables".into(),
            format!("write 1 to {NAME_BYTES_MAX} bytes without `.`, brackets, braces and blanks around"),
        ),
        Reason::NameReserved(name) => {
            (format!("{} stands for something else in variables", quoted(name)), "choose another name".into())
        }
        Reason::NameTaken(name) => {
            (format!("another step is called {}", quoted(name)), "choose another name".into())
        }
        Reason::IdTaken => {
            ("another step has this id".into(), "give each an id of its own, or leave `id` out".into())
        }
        Reason::NoSuchStep(_) | Reason::Cycle => {
            ("the step leads nowhere".into(), "check the steps around it".into())
        }
        Reason::Unreachable => ("no way leads to this step".into(), "remove it, or move it up".into()),
        Reason::UnknownStep(text) => {
            (format!("{} names no step of this workflow", quoted(text)), meant(text, steps))
        }
        Reason::NotBefore(text) => {
            let mend = match number {
                2 => "refer to the trigger: it is the first step".to_owned(),
                _ => "refer to a step that is always before this one".to_owned(),
            };
            (format!("{} names a step that does not come before this one", quoted(text)), mend)
        }
        Reason::Unreadable(text) => (
            format!("{} is no variable", quoted(text)),
            "write `{{step.path}}`, or `\\{{` for braces that are meant as text".into(),
        ),
        Reason::OwnOutsidePagination(text) => (
            format!("{} has a meaning in paginated requests only", quoted(text)),
            "refer to the trigger or to an earlier step".into(),
        ),
        Reason::RetryNotAllowed => (
            "this kind of step is not retried".into(),
            "leave `auto_retry` out: it is for requests and functions".into(),
        ),
        Reason::ResponseWithoutRequest => (
            "nobody waits for a response".into(),
            "start the workflow by `request`, or leave the step out".into(),
        ),
        Reason::DelayInvalid => {
            ("this is no delay".into(), "write a number, at most 365 days, or a variable".into())
        }
        Reason::StatusInvalid => {
            ("this is no status of a response".into(), "write one from 200 to 599".into())
        }
        Reason::CodeEmpty => {
            ("the function has no code".into(), "write `function yourFunction(parameters) { … }`".into())
        }
        Reason::UrlInvalid => ("this is no URL".into(), "begin with https:// or http://".into()),
        Reason::HeaderInvalid(name) => (
            format!("{} is no header name", quoted(name)),
            "use letters, digits and `-`".into(),
        ),
        Reason::ConditionTooLarge => (
            "the condition is too large".into(),
            format!("keep at most {RULES_MAX} rules, {CONDITION_DEPTH_MAX} levels deep"),
        ),
    };
    (problem, mend)
}

/// What a variable that names no step may have meant.
fn meant(text: &str, steps: &[Placed<'_>]) -> String {
    let names = || steps.iter().map(|placed| placed.step.name.as_str()).filter(|n| !n.is_empty());
    let root = references_in(text).next().map(|reference| reference.root);
    if let Some(Root::Number(_)) = root {
        return format!("1 is the trigger, the steps are 2 to {}", steps.len() + 1);
    }
    let known = names().chain(["trigger", "settings", "secrets"]);
    let near = match &root {
        Some(Root::Name(name)) => near(name, known),
        _ => None,
    };
    near.map_or_else(
        || format!("begin with `trigger`, `settings`, `secrets` or a step ({})", listed(names())),
        |name| format!("did you mean `{name}`?"),
    )
}
