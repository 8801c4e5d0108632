//! The rules of a conditional, as people write them.
//!
//! ```yaml
//! if: { "{{1.event.amount}}": { greater_than: 10 }, "{{1.event.email}}": exists }   # both
//! if: { any: [ { "{{1.event.kind}}": { exactly_matches: vip } }, { all: [ … ] } ] }
//! if: { left: 5, operator: less_than, right: "{{2.result.count}}" }                # in full
//! ```

use super::mistake::{Mistakes, Path, listed, nearest, quoted};
use super::yaml::{Entry, Node, Tree};
use crate::workflow::Condition;
use crate::workflow::condition::{Operator, Rule};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What a condition looks like, as a mend.
pub(super) const EXAMPLE: &str = "write it as { \"{{1.event.amount}}\": { greater_than: 10 } }";

/// The operators by the names that definitions are kept with.
static OPERATORS: LazyLock<BTreeMap<String, Operator>> = LazyLock::new(|| {
    let name = |operator: &Operator| match serde_json::to_value(operator) {
        Ok(Value::String(name)) => Some((name, *operator)),
        Ok(_) | Err(_) => None,
    };
    Operator::ALL.iter().filter_map(name).collect()
});

/// Whether the operator looks at one side only.
fn is_one_sided(operator: Operator) -> bool {
    match operator {
        Operator::IsTrue
        | Operator::IsFalse
        | Operator::IsNotNull
        | Operator::IsNull
        | Operator::Exists
        | Operator::DoesNotExist
        | Operator::IsEmpty
        | Operator::IsNotEmpty => true,
        Operator::Contains
        | Operator::DoesNotContain
        | Operator::ExactlyMatches
        | Operator::DoesNotExactlyMatch
        | Operator::IsIn
        | Operator::IsNotIn
        | Operator::StartsWith
        | Operator::DoesNotStartWith
        | Operator::EndsWith
        | Operator::DoesNotEndWith
        | Operator::SortsAfter
        | Operator::SortsBefore
        | Operator::GreaterThan
        | Operator::LessThan
        | Operator::AtLeast
        | Operator::AtMost
        | Operator::Equals
        | Operator::DoesNotEqual
        | Operator::After
        | Operator::Before
        | Operator::DateEquals => false,
    }
}

/// Names of operators with one side, or with two.
fn names(one_sided: bool) -> impl Iterator<Item = &'static str> {
    OPERATORS
        .iter()
        .filter(move |(_, operator)| is_one_sided(**operator) == one_sided)
        .map(|(name, _)| name.as_str())
}

/// A mapping that spells a rule out: `left`, `operator`, `right`.
fn is_full(node: &Node) -> bool {
    node.get("operator").is_some()
}

/// Notes everything that is wrong with a condition.
pub(super) fn check(node: &Node, path: &Path, mistakes: &mut Mistakes) {
    if !matches!(node.tree, Tree::Map(_)) {
        let problem = format!("this is {}, not a mapping of rules", node.kind());
        return mistakes.add(node.at, path, problem, EXAMPLE);
    }
    if is_full(node) {
        return check_full(node, path, mistakes);
    }
    if node.entries().is_empty() {
        return mistakes.add(node.at, path, "there is no rule", EXAMPLE);
    }
    for entry in node.entries() {
        let path = path.key(&entry.key);
        match (entry.key.as_str(), &entry.node.tree) {
            ("all" | "any", Tree::List(items)) => {
                for (index, item) in items.iter().enumerate() {
                    check(item, &path.index(index), mistakes);
                }
            }
            ("all" | "any", _) => {
                let problem = format!("this is {}, not a list of rules", entry.node.kind());
                mistakes.add(entry.node.at, &path, problem, "begin each rule with `- `");
            }
            _ => check_sides(entry, &path, mistakes),
        }
    }
}

/// `"{{left}}": exists`, or `"{{left}}": { operator: right, … }`.
fn check_sides(entry: &Entry, path: &Path, mistakes: &mut Mistakes) {
    let node = &entry.node;
    match &node.tree {
        Tree::Text(name) => check_one_sided(node, name, path, mistakes),
        Tree::Map(operators) if !operators.is_empty() => {
            for operator in operators {
                check_two_sided(operator, &path.key(&operator.key), mistakes);
            }
        }
        Tree::Map(_) | Tree::Null | Tree::Flag(_) | Tree::Number(_) | Tree::List(_) => {
            let problem = format!("this is {}, not an operator", node.kind());
            mistakes.add(node.at, path, problem, "write it as { exactly_matches: … }");
        }
    }
}

fn check_one_sided(node: &Node, name: &str, path: &Path, mistakes: &mut Mistakes) {
    match OPERATORS.get(name) {
        Some(operator) if is_one_sided(*operator) => {}
        Some(_) => {
            let problem = format!("`{name}` compares with something");
            mistakes.add(node.at, path, problem, format!("write it as {{ {name}: … }}"));
        }
        None => {
            let mend = nearest(name, names(true), || {
                format!("write {{ exactly_matches: … }}, or one of {}", listed(names(true)))
            });
            mistakes.add(node.at, path, format!("there is no operator {}", quoted(name)), mend);
        }
    }
}

fn check_two_sided(entry: &Entry, path: &Path, mistakes: &mut Mistakes) {
    let name = entry.key.as_str();
    match OPERATORS.get(name) {
        Some(operator) if !is_one_sided(*operator) => {}
        Some(_) => {
            let problem = format!("`{name}` compares with nothing");
            mistakes.add(entry.at, path, problem, format!("write `{name}` alone, as text"));
        }
        None => {
            let mend = nearest(name, names(false), || format!("known: {}", listed(names(false))));
            mistakes.add(entry.at, path, format!("there is no operator {}", quoted(name)), mend);
        }
    }
}

fn check_full(node: &Node, path: &Path, mistakes: &mut Mistakes) {
    const KEYS: [&str; 3] = ["left", "operator", "right"];
    for entry in node.entries() {
        let path = path.key(&entry.key);
        if !KEYS.contains(&entry.key.as_str()) {
            let mend = nearest(&entry.key, KEYS, || "put further rules into `all`".into());
            let problem = format!("unknown key {}", quoted(&entry.key));
            mistakes.add(entry.at, &path, problem, mend);
        }
    }
    if node.get("left").is_none() {
        mistakes.add(node.at, path, "`left` is missing", "add `left`: what is looked at");
    }
    let Some(operator) = node.get("operator") else { return };
    let found = operator.text().and_then(|name| OPERATORS.get(name));
    match found {
        None => {
            let all = || OPERATORS.keys().map(String::as_str);
            let mend = nearest(operator.text().unwrap_or_default(), all(), || {
                format!("known: {}", listed(all()))
            });
            mistakes.add(operator.at, &path.key("operator"), "there is no such operator", mend);
        }
        Some(operator) => {
            let right = node.get("right").is_some();
            if right == is_one_sided(*operator) {
                let (problem, mend) = if right {
                    ("the operator compares with nothing", "leave `right` out")
                } else {
                    ("the operator compares with something", "add `right`")
                };
                mistakes.add(node.at, path, problem, mend);
            }
        }
    }
}

/// The condition, as far as it is right.
pub(super) fn compile(node: &Node) -> Condition {
    if is_full(node) {
        let operator = node.text_of("operator").and_then(|name| OPERATORS.get(name)).copied();
        let side = |key| node.get(key).map_or(Value::Null, Node::value);
        return match operator {
            Some(operator) => rule(side("left"), operator, side("right")),
            None => Condition::All(Vec::new()),
        };
    }
    let mut rules = Vec::new();
    for entry in node.entries() {
        let inner = || entry.node.items().iter().map(compile).collect();
        match (entry.key.as_str(), &entry.node.tree) {
            ("all", _) => rules.push(Condition::All(inner())),
            ("any", _) => rules.push(Condition::Any(inner())),
            (left, Tree::Text(name)) => {
                let operator = OPERATORS.get(name).copied();
                rules.extend(operator.map(|operator| rule(left.into(), operator, Value::Null)));
            }
            (left, _) => rules.extend(entry.node.entries().iter().filter_map(|side| {
                let operator = OPERATORS.get(&side.key).copied()?;
                Some(rule(left.into(), operator, side.node.value()))
            })),
        }
    }
    match <[Condition; 1]>::try_from(rules) {
        Ok([one]) => one,
        Err(rules) => Condition::All(rules),
    }
}

fn rule(left: Value, operator: Operator, right: Value) -> Condition {
    Condition::Rule(Rule { left, operator, right })
}

/// The condition in the JSON Schema.
pub(super) fn schema() -> Value {
    let one: Vec<&str> = names(true).collect();
    let two: Vec<&str> = names(false).collect();
    let again = json!({ "$ref": "#/$defs/condition" });
    let full = |names: &[&str], required: &[&str]| {
        let mut properties = json!({ "left": true, "operator": { "enum": names } });
        if required.contains(&"right") {
            properties["right"] = json!(true);
        }
        json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    };
    let sides = json!({
        "type": "object",
        "propertyNames": { "enum": two },
        "minProperties": 1,
    });
    json!({
        "description": "Rules. Several keys of one mapping must all hold.",
        "if": { "type": "object", "required": ["operator"] },
        "then": { "anyOf": [
            full(&one, &["left", "operator"]),
            full(&two, &["left", "operator", "right"]),
        ] },
        "else": {
            "type": "object",
            "minProperties": 1,
            "properties": {
                "all": { "type": "array", "items": again },
                "any": { "type": "array", "items": again },
            },
            "additionalProperties": { "anyOf": [{ "enum": one }, sides] },
        },
    })
}
