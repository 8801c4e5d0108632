//! A YAML text as nodes that know where they stand.
//!
//! YAML 1.2, core schema, as far as JSON can say it: no tags, anchors, aliases or further
//! documents. `yes` and `on` are text. Numbers that JSON would write otherwise (`007`) are refused
//! rather than guessed at.

mod load;
mod scalar;
#[cfg(test)]
mod tests;

pub(super) use load::load;

use serde_json::{Map, Number, Value};

/// Where something stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Place {
    /// From 1.
    pub(super) line: u32,
    /// From 1, in characters.
    pub(super) column: u32,
}

/// A value and where it stands.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Node {
    pub(super) at: Place,
    pub(super) tree: Tree,
}

/// A value.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Tree {
    Null,
    Flag(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Entry {
    pub(super) at: Place,
    pub(super) key: String,
    pub(super) node: Node,
}

impl Node {
    /// The value of a key of a mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// The text of a key of a mapping.
    pub(super) fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    pub(super) fn entries(&self) -> &[Entry] {
        match &self.tree {
            Tree::Map(entries) => entries,
            Tree::Null | Tree::Flag(_) | Tree::Number(_) | Tree::Text(_) | Tree::List(_) => &[],
        }
    }

    pub(super) fn items(&self) -> &[Node] {
        match &self.tree {
            Tree::List(items) => items,
            Tree::Null | Tree::Flag(_) | Tree::Number(_) | Tree::Text(_) | Tree::Map(_) => &[],
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.tree {
            Tree::Text(text) => Some(text),
            Tree::Null | Tree::Flag(_) | Tree::Number(_) | Tree::List(_) | Tree::Map(_) => None,
        }
    }

    pub(super) fn flag(&self) -> Option<bool> {
        match &self.tree {
            Tree::Flag(flag) => Some(*flag),
            Tree::Null | Tree::Number(_) | Tree::Text(_) | Tree::List(_) | Tree::Map(_) => None,
        }
    }

    /// A whole number that is not negative; `5.0` is one, as in JSON Schema.
    pub(super) fn whole(&self) -> Option<u64> {
        let Tree::Number(number) = &self.tree else { return None };
        let exact = |number: f64| {
            let fits = number.fract() == 0.0 && (0.0..9_007_199_254_740_992.0).contains(&number);
            fits.then_some(number as u64)
        };
        number.as_u64().or_else(|| number.as_f64().and_then(exact))
    }

    /// The node as JSON.
    pub(super) fn value(&self) -> Value {
        match &self.tree {
            Tree::Null => Value::Null,
            Tree::Flag(flag) => Value::Bool(*flag),
            Tree::Number(number) => Value::Number(number.clone()),
            Tree::Text(text) => Value::String(text.clone()),
            Tree::List(items) => Value::Array(items.iter().map(Node::value).collect()),
            Tree::Map(entries) => Value::Object(object(entries)),
        }
    }

    /// What it is, for people.
    pub(super) fn kind(&self) -> &'static str {
        match &self.tree {
            Tree::Null => "empty",
            Tree::Flag(_) => "true or false",
            Tree::Number(_) => "a number",
            Tree::Text(_) => "text",
            Tree::List(_) => "a list",
            Tree::Map(_) => "a mapping",
        }
    }
}

/// Entries as a JSON object.
pub(super) fn object(entries: &[Entry]) -> Map<String, Value> {
    entries.iter().map(|entry| (entry.key.clone(), entry.node.value())).collect()
}
