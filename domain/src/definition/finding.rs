//! What the engine finds wrong with a compiled workflow, told where it stands in the file.

use super::flatten::Placed;
use super::mistake::{Mistakes, Path, listed, near, nearest, quoted};
use super::step::{BODIES, action_key};
use super::yaml::{Node, Place, Tree};
use crate::workflow::Workflow;
use crate::workflow::condition::{CONDITION_DEPTH_MAX, RULES_MAX};
use crate::workflow::libraries::LIBRARIES;
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
    // Steps of one name are told apart by number here; that they are not was told while flattening.
    let mut named = workflow.clone();
    let mut seen = BTreeSet::new();
    for (index, step) in named.steps.iter_mut().enumerate() {
        if !step.name.is_empty() && !seen.insert(step.name.clone()) {
            step.name = format!("{} ({})", step.name, index + 2);
        }
    }
    let faults = validate(&named).into_iter().filter_map(|fault| {
        let number = number_of(&named, &fault)?;
        let placed = steps.get(number.checked_sub(2)?)?;
        (!is_told(placed, &fault, mistakes)).then_some((fault, number, placed))
    });
    let faults: Vec<_> = faults.collect();
    for (fault, number, placed) in faults {
        let (at, path) = locate(placed, &fault);
        let (problem, mend) = explain(&fault.reason, steps, number);
        mistakes.add(at, &path, problem, mend);
    }
    unknown_secrets(workflow, steps, secrets, mistakes);
}

/// The number of the step that a fault is about, from 2.
fn number_of(workflow: &Workflow, fault: &Invalid) -> Option<usize> {
    let by_name = workflow.steps.iter().position(|step| step.name == fault.step);
    by_name.map(|index| index + 2).or_else(|| fault.step.parse().ok())
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
            BODIES.into_iter().find(body).unwrap_or("json")
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
        | Reason::NestedTooDeep(text)
        | Reason::PagesGathered(text)
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
            // Steps within a step are steps of their own.
            let keys = [
                "request",
                "integration_request",
                "parameters",
                "if",
                "fan_out",
                "delay",
                "response",
            ];
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
    match reason {
        Reason::UnknownStep(text) => {
            (format!("{} names no step of this workflow", quoted(text)), meant(text, steps))
        }
        Reason::NestedTooDeep(text) => {
            let problem = "names a step of a fan out within a fan out";
            let mend = "gather it in a step of the outer one, and refer to that";
            (format!("{} {problem}", quoted(text)), mend.into())
        }
        Reason::PagesGathered(text) => {
            let problem = "names a paginated request of a fan out";
            let mend = "hand its results on in a step of the fan out, and refer to that";
            (format!("{} {problem}", quoted(text)), mend.into())
        }
        Reason::NotBefore(text) => {
            let mend = match number {
                2 => "refer to the trigger: this is the first step",
                _ => "refer to a step that is always before this one",
            };
            let text = quoted(text);
            (format!("{text} names a step that does not come before this one"), mend.into())
        }
        Reason::NameUnusable => (
            "the name cannot be written in variables".into(),
            format!("write 1 to {NAME_BYTES_MAX} bytes without dots, brackets and braces"),
        ),
        Reason::TooManySteps => {
            ("there are too many steps".into(), format!("keep at most {STEPS_MAX}"))
        }
        Reason::ConditionTooLarge => (
            "the condition is too large".into(),
            format!("keep at most {RULES_MAX} rules, {CONDITION_DEPTH_MAX} levels deep"),
        ),
        Reason::LibraryUnknown(key) => {
            let known = LIBRARIES.iter().map(|library| library.key);
            let mend =
                nearest(key, known, || "name one of those in `ops/docs/functions.md`".into());
            (format!("there is no library {}", quoted(key)), mend)
        }
        reason => {
            let (problem, mend) = plain(reason);
            (problem, mend.to_owned())
        }
    }
}

/// The faults whose mend is always the same.
fn plain(reason: &Reason) -> (String, &'static str) {
    let (problem, mend) = match reason {
        Reason::NameReserved(name) => {
            let problem = format!("{} stands for something else in variables", quoted(name));
            return (problem, "choose another name");
        }
        Reason::Unreadable(text) => {
            let mend = "write `{{step.path}}`, or `\\{{` for braces that are meant as text";
            return (format!("{} is no variable", quoted(text)), mend);
        }
        Reason::OwnOutsidePagination(text) => {
            let problem = format!("{} has a meaning in paginated requests only", quoted(text));
            return (problem, "refer to the trigger or to an earlier step");
        }
        Reason::HeaderInvalid(name) => {
            return (format!("{} is no header name", quoted(name)), "use letters, digits and `-`");
        }
        Reason::LibraryUnavailable { key, why } => {
            let problem = format!("functions do not have the library {}: {why}", quoted(key));
            return (problem, "use another, see `ops/docs/functions.md`");
        }
        Reason::NameTaken(_) => ("another step has this name", "choose another name"),
        Reason::IdTaken => {
            ("another step has this id", "give each an id of its own, or leave `id` out")
        }
        Reason::Unreachable => ("no way leads to this step", "remove it, or move it up"),
        Reason::RetryNotAllowed => {
            ("this kind of step is not retried", "leave it out: it is for requests and functions")
        }
        Reason::ResponseWithoutRequest => (
            "nobody waits for a response",
            "start the workflow by `request`, or leave the step out",
        ),
        Reason::DelayInvalid => {
            ("this is no delay", "write a number, at most 365 days, or a variable")
        }
        Reason::StatusInvalid => ("this is no status of a response", "write one from 200 to 599"),
        Reason::NotAnArray => {
            ("this is no array", "write a variable that is one, like `{{list.result}}`")
        }
        Reason::FanOutEmpty => ("there is nothing to do for each item", "add `steps`"),
        Reason::FanOutLeft => ("it leads out of its items", "check the steps around it"),
        Reason::ResponseInFanOut => {
            ("a response is given once, not for each item", "move it behind the fan out")
        }
        Reason::CodeEmpty => {
            ("the function has no code", "write `function yourFunction(parameters) { … }`")
        }
        Reason::UrlInvalid => ("this is no URL", "begin with https:// or http://"),
        Reason::NoSuchStep(_)
        | Reason::Cycle
        | Reason::UnknownStep(_)
        | Reason::NotBefore(_)
        | Reason::NestedTooDeep(_)
        | Reason::PagesGathered(_)
        | Reason::NameUnusable
        | Reason::LibraryUnknown(_)
        | Reason::TooManySteps
        | Reason::ConditionTooLarge => ("the step cannot work here", "check the steps around it"),
    };
    (problem.to_owned(), mend)
}

/// What a variable that names no step may have meant.
fn meant(text: &str, steps: &[Placed<'_>]) -> String {
    let names = || {
        let mut seen = BTreeSet::new();
        let names = steps.iter().map(|placed| placed.step.name.as_str());
        names.filter(move |name| !name.is_empty() && seen.insert(*name))
    };
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
