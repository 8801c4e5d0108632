//! Nodes against the table: every mistake in one go.

use super::form::Form;
use super::{Object, Rule, Shape};
use crate::definition::condition;
use crate::definition::mistake::{Mistakes, Path, listed, near, nearest, quoted};
use crate::definition::yaml::{Node, Tree};

/// Notes everything in `node` that is not of a shape. Values are at most `yaml::DEPTH_MAX` deep,
/// which bounds the recursion.
pub(in crate::definition) fn check(
    node: &Node,
    shape: &Shape,
    path: &Path,
    mistakes: &mut Mistakes,
) {
    if mistakes.is_full() {
        return;
    }
    match (shape, &node.tree) {
        (Shape::Value, _) => {}
        (Shape::Scalar, Tree::Text(_) | Tree::Number(_) | Tree::Flag(_))
        | (Shape::Amount, Tree::Text(_) | Tree::Number(_))
        | (Shape::Flag, Tree::Flag(_))
        | (Shape::Yes, Tree::Flag(true)) => {}
        (Shape::Text(form), Tree::Text(text)) => {
            if let Err((problem, mend)) = form.check(text) {
                mistakes.add(node.at, path, problem, mend);
            }
        }
        (Shape::Whole { min, max }, Tree::Number(_)) => {
            if !node.whole().is_some_and(|number| (*min..=*max).contains(&number)) {
                let mend = format!("write a whole number from {min} to {max}");
                mistakes.add(node.at, path, "the number is out of range", mend);
            }
        }
        (Shape::Choice(words), Tree::Text(text)) => {
            if !words().contains(&text.as_str()) {
                let mend =
                    nearest(text, words().iter().copied(), || format!("write {}", shape.wanted()));
                mistakes.add(node.at, path, format!("there is no {} here", quoted(text)), mend);
            }
        }
        (Shape::List { of, max }, Tree::List(items)) => {
            too_many(node, items.len(), *max, path, mistakes);
            for (index, item) in items.iter().enumerate().take(*max) {
                check(item, of, &path.index(index), mistakes);
            }
        }
        (Shape::Map { keys, of, max }, Tree::Map(_)) => {
            map(node, (*keys, of, *max), path, mistakes);
        }
        (Shape::Object(object), Tree::Map(_)) => check_object(node, object, path, mistakes),
        (Shape::Condition, Tree::Map(_)) => condition::check(node, path, mistakes),
        (Shape::Either(shapes), _) => match shapes.iter().find(|shape| shape.takes(&node.tree)) {
            Some(shape) => check(node, shape, path, mistakes),
            None => wrong_kind(node, shape, path, mistakes),
        },
        (
            Shape::Scalar
            | Shape::Amount
            | Shape::Flag
            | Shape::Yes
            | Shape::Text(_)
            | Shape::Whole { .. }
            | Shape::Choice(_)
            | Shape::List { .. }
            | Shape::Map { .. }
            | Shape::Object(_)
            | Shape::Condition,
            _,
        ) => wrong_kind(node, shape, path, mistakes),
    }
}

/// Notes everything in a mapping that is not as the table says.
pub(in crate::definition) fn check_object(
    node: &Node,
    object: &Object,
    path: &Path,
    mistakes: &mut Mistakes,
) {
    let names = || object.fields.iter().map(|field| field.name);
    let mut claimed: Vec<&str> = Vec::new();
    for entry in node.entries() {
        if mistakes.is_full() {
            return;
        }
        let path = path.key(&entry.key);
        match object.fields.iter().find(|field| field.name == entry.key) {
            Some(field) => check(&entry.node, field.shape, &path, mistakes),
            None => {
                let meant = object.meant(&entry.key).or_else(|| near(&entry.key, names()));
                let mend = match meant {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => format!("known here: {}", listed(names())),
                };
                // The key that was meant is not called missing as well, and what it says is looked
                // at all the same.
                claimed.extend(meant);
                let field = object.fields.iter().find(|field| Some(field.name) == meant);
                if let Some(field) = field.filter(|field| node.get(field.name).is_none()) {
                    check(&entry.node, field.shape, &path, mistakes);
                }
                let problem = format!("unknown key {}", quoted(&entry.key));
                mistakes.add(entry.at, &path, problem, mend);
            }
        }
    }
    let has = |name: &str| node.get(name).is_some() || claimed.contains(&name);
    for field in object.fields.iter().filter(|field| field.required && !has(field.name)) {
        let problem = format!("`{}` is missing", field.name);
        let mend = format!("add `{}`: {}", field.name, trimmed(field.doc));
        mistakes.add(node.at, path, problem, mend);
    }
    for rule in object.rules {
        check_rule(node, rule, &has, path, mistakes);
    }
}

fn check_rule(
    node: &Node,
    rule: &Rule,
    has: &impl Fn(&str) -> bool,
    path: &Path,
    mistakes: &mut Mistakes,
) {
    match rule {
        Rule::One(names) | Rule::Some(names) | Rule::Single(names) => {
            let there: Vec<&str> = names.iter().copied().filter(|name| has(name)).collect();
            let needs_one = matches!(rule, Rule::One(_) | Rule::Some(_));
            let takes_one = matches!(rule, Rule::One(_) | Rule::Single(_));
            if there.is_empty() && needs_one {
                let problem = format!("one of {} is missing", listed(names.iter().copied()));
                mistakes.add(node.at, path, problem, "add one of them");
            }
            let second = there.get(1).filter(|_| takes_one);
            if let Some(second) = second.and_then(|name| entry_place(node, name)) {
                let problem =
                    format!("{} exclude each other", listed(there).replace(" or ", " and "));
                mistakes.add(second, path, problem, "keep one of them");
            }
        }
        Rule::With(name, beside) => {
            if let Some(at) = entry_place(node, name).filter(|_| !has(beside)) {
                let problem = format!("`{name}` means nothing without `{beside}`");
                let mend = format!("add `{beside}`, or leave `{name}` out");
                mistakes.add(at, &path.key(name), problem, mend);
            }
        }
        Rule::Prefix { key, prefix, needs } => {
            if !node.text_of(key).is_some_and(|text| text.starts_with(prefix)) {
                return;
            }
            for name in needs.iter().filter(|name| !has(name)) {
                let problem = format!("`{name}` is missing");
                let mend = format!("add `{name}`: nothing is known of a `{prefix}…` yet");
                mistakes.add(node.at, path, problem, mend);
            }
        }
        Rule::Word { key, word, needs } => {
            if node.text_of(key) == Some(word) && !has(needs) {
                let mend = format!("add `{needs}`, without which `{key}: {word}` means nothing");
                mistakes.add(node.at, path, format!("`{needs}` is missing"), mend);
            }
        }
    }
}

fn entry_place(node: &Node, name: &str) -> Option<crate::definition::yaml::Place> {
    node.entries().iter().find(|entry| entry.key == name).map(|entry| entry.at)
}

fn map(node: &Node, (keys, of, max): (Form, &Shape, usize), path: &Path, mistakes: &mut Mistakes) {
    too_many(node, node.entries().len(), max, path, mistakes);
    for entry in node.entries().iter().take(max) {
        let path = path.key(&entry.key);
        if let Err((problem, mend)) = keys.check(&entry.key) {
            mistakes.add(entry.at, &path, problem, mend);
        }
        check(&entry.node, of, &path, mistakes);
    }
}

fn too_many(node: &Node, count: usize, max: usize, path: &Path, mistakes: &mut Mistakes) {
    if count > max {
        let problem = format!("{count} are too many");
        mistakes.add(node.at, path, problem, format!("keep at most {max}"));
    }
}

fn wrong_kind(node: &Node, shape: &Shape, path: &Path, mistakes: &mut Mistakes) {
    let wanted = shape.wanted();
    let mend = match (shape, &node.tree) {
        (Shape::Flag | Shape::Yes, Tree::Text(text))
            if matches!(text.as_str(), "yes" | "on" | "Yes" | "On") =>
        {
            "write `true`".to_owned()
        }
        (Shape::Flag, Tree::Text(text)) if matches!(text.as_str(), "no" | "off" | "No" | "Off") => {
            "write `false`".to_owned()
        }
        (Shape::Yes, Tree::Flag(false)) => "leave the key out".to_owned(),
        (Shape::Text(_) | Shape::Choice(_), Tree::Number(_) | Tree::Flag(_)) => {
            "put it in quotes".to_owned()
        }
        (Shape::Whole { .. }, Tree::Text(_)) => "write it as a number, without quotes".to_owned(),
        (Shape::List { .. }, Tree::Map(_)) => "begin each item with `- `".to_owned(),
        (Shape::Condition, _) => condition::EXAMPLE.to_owned(),
        _ => format!("write {wanted}"),
    };
    mistakes.add(node.at, path, format!("this is {}, not {wanted}", node.kind()), mend);
}

fn trimmed(doc: &str) -> String {
    let doc = doc.trim_end_matches('.');
    let mut chars = doc.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

impl Shape {
    /// Whether a value is of the shape's kind, be it right or wrong otherwise.
    fn takes(&self, tree: &Tree) -> bool {
        match self {
            Shape::Value => true,
            Shape::Text(_) | Shape::Choice(_) => matches!(tree, Tree::Text(_)),
            Shape::Flag | Shape::Yes => matches!(tree, Tree::Flag(_)),
            Shape::Whole { .. } => matches!(tree, Tree::Number(_)),
            Shape::Scalar => matches!(tree, Tree::Text(_) | Tree::Number(_) | Tree::Flag(_)),
            Shape::Amount => matches!(tree, Tree::Text(_) | Tree::Number(_)),
            Shape::List { .. } => matches!(tree, Tree::List(_)),
            Shape::Map { .. } | Shape::Object(_) | Shape::Condition => {
                matches!(tree, Tree::Map(_))
            }
            Shape::Either(shapes) => shapes.iter().any(|shape| shape.takes(tree)),
        }
    }

    /// What belongs here, for people.
    fn wanted(&self) -> String {
        match self {
            Shape::Text(_) => "text".into(),
            Shape::Flag => "true or false".into(),
            Shape::Yes => "true".into(),
            Shape::Whole { .. } => "a whole number".into(),
            Shape::Choice(words) => listed(words().iter().copied()),
            Shape::Scalar => "text, a number, true or false".into(),
            Shape::Amount => "a number, or text with a variable".into(),
            Shape::Value => "any value".into(),
            Shape::List { .. } => "a list".into(),
            Shape::Map { .. } => "a mapping".into(),
            Shape::Object(object) => {
                let names = listed(object.fields.iter().map(|field| field.name));
                format!("a mapping with {names}")
            }
            Shape::Either(shapes) => {
                shapes.iter().map(|shape| shape.wanted()).collect::<Vec<_>>().join(", or ")
            }
            Shape::Condition => "a mapping of rules".into(),
        }
    }
}
