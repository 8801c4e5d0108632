//! What users are asked for: settings that a project file declares, for an integration or for one
//! workflow, and which values are taken for them.

use crate::workflow::admit::is_email;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// A setting that a user is asked for. A workflow reads it as `{{settings.<id>}}`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Input {
    /// Its id, unique among those that a workflow can read.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// What is asked for.
    pub kind: InputKind,
    /// Whether nothing runs without it.
    #[serde(default)]
    pub required: bool,
    /// What it is until the user sets it.
    #[serde(default)]
    pub default: Option<Value>,
    /// A hint beside the field; empty: none.
    #[serde(default)]
    pub tooltip: String,
    /// A hint in the empty field; empty: none.
    #[serde(default)]
    pub placeholder: String,
}

/// What a setting is. The names of the public contract are in the SDK's views.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// A line of text.
    Text,
    /// Some lines of text.
    Textarea,
    /// Text that history does not show.
    Password,
    /// A number.
    Number,
    /// An e-mail address.
    Email,
    /// An address in the web.
    Url,
    /// Yes or no, as a box.
    Boolean,
    /// Yes or no, as a switch.
    Switch,
    /// One of some values.
    Enum {
        /// The values.
        options: Vec<Choice>,
    },
    /// One of some values that the application's page gives (behaviours.md 36).
    CustomDropdown {
        /// Under which name the page gives them.
        key: String,
    },
    /// Which field of the user's application is which at the provider (behaviours.md 12).
    FieldMapping {
        /// The fields of the application, if they are the same for all users.
        fields: Vec<String>,
        /// The name under which the application's page gives them, if they are not.
        object: Option<String>,
    },
}

/// A value that can be chosen.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Choice {
    /// What people read.
    pub label: String,
    /// What is saved.
    pub value: Value,
}

impl Input {
    /// Why a value cannot be taken, for people; `None`: it can. A value that says nothing always
    /// can: it takes back what was set.
    pub fn refuses(&self, value: &Value) -> Option<String> {
        let fits = is_empty(value) || self.kind.fits(value);
        (!fits).then(|| format!("{} must be {}.", self.id, self.kind.wanted()))
    }

    /// Whether it has a value, where these settings have one.
    pub fn is_filled(&self, filled: &BTreeSet<String>) -> bool {
        self.default.is_some() || filled.contains(&self.id)
    }
}

/// The ids of the required settings that have no value.
pub fn missing<'a>(inputs: &'a [Input], filled: &BTreeSet<String>) -> Vec<&'a str> {
    let empty = |input: &&Input| input.required && !input.is_filled(filled);
    inputs.iter().filter(empty).map(|input| input.id.as_str()).collect()
}

/// Whether a value says nothing, so that a required setting with it counts as not set.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Object(fields) => fields.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

impl InputKind {
    fn fits(&self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            InputKind::Text | InputKind::Textarea | InputKind::Password => {
                value.is_string() || value.is_number()
            }
            InputKind::Number => {
                value.is_number() || text.is_some_and(|t| t.trim().parse::<f64>().is_ok())
            }
            InputKind::Email => text.is_some_and(|text| is_email(text.trim())),
            InputKind::Url => {
                let is_url =
                    |text: &str| ["https://", "http://"].iter().any(|s| text.starts_with(s));
                text.is_some_and(|text| is_url(text.trim()))
            }
            InputKind::Boolean | InputKind::Switch => {
                value.is_boolean() || matches!(text, Some("true" | "false"))
            }
            InputKind::Enum { options } => options.iter().any(|choice| choice.value == *value),
            InputKind::CustomDropdown { .. } => {
                value.is_string() || value.is_number() || value.is_boolean()
            }
            InputKind::FieldMapping { .. } => value.is_object(),
        }
    }

    fn wanted(&self) -> &'static str {
        match self {
            InputKind::Text | InputKind::Textarea | InputKind::Password => "text",
            InputKind::Number => "a number",
            InputKind::Email => "an e-mail address",
            InputKind::Url => "an address that begins with https:// or http://",
            InputKind::Boolean | InputKind::Switch => "true or false",
            InputKind::Enum { .. } => "one of its options",
            InputKind::CustomDropdown { .. } => "the value of an option",
            InputKind::FieldMapping { .. } => "a mapping of fields",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn input(kind: InputKind) -> Input {
        Input {
            id: "x".into(),
            title: "X".into(),
            kind,
            required: true,
            default: None,
            tooltip: String::new(),
            placeholder: String::new(),
        }
    }

    #[test]
    fn each_kind_takes_its_values_and_no_others() {
        let choice = |value: Value| Choice { label: "L".into(), value };
        let options = vec![choice(json!("a")), choice(json!(2))];
        let cases = [
            (InputKind::Text, vec![json!("a"), json!(1)], vec![json!(true), json!({ "a": 1 })]),
            (InputKind::Number, vec![json!(1.5), json!(" 2 ")], vec![json!("two"), json!(true)]),
            (InputKind::Email, vec![json!("a@b.c")], vec![json!("a@"), json!("a b@c"), json!(1)]),
            (InputKind::Url, vec![json!("https://a")], vec![json!("ftp://a"), json!("a")]),
            (InputKind::Boolean, vec![json!(false), json!("true")], vec![json!("yes"), json!(1)]),
            (InputKind::Enum { options }, vec![json!("a"), json!(2)], vec![json!("2"), json!("b")]),
            (
                InputKind::CustomDropdown { key: "k".into() },
                vec![json!("anything"), json!(3)],
                vec![json!(["a"])],
            ),
            (
                InputKind::FieldMapping { fields: vec![], object: None },
                vec![json!({ "objectMapping": "Task" })],
                vec![json!("Task")],
            ),
        ];
        for (kind, right, wrong) in cases {
            let input = input(kind);
            for value in right.iter().chain(&[json!(null), json!(" ")]) {
                assert_eq!(input.refuses(value), None, "{:?} {value}", input.kind);
            }
            for value in &wrong {
                assert!(input.refuses(value).is_some(), "{:?} {value}", input.kind);
            }
        }
    }

    #[test]
    fn what_is_required_is_missing_until_it_is_set_or_has_a_default() {
        let (set, open) =
            (input(InputKind::Text), Input { id: "y".into(), ..input(InputKind::Text) });
        let given = Input { id: "z".into(), default: Some(json!("d")), ..input(InputKind::Text) };
        let optional = Input { id: "o".into(), required: false, ..input(InputKind::Text) };
        let inputs = [set, open, given, optional];
        assert_eq!(missing(&inputs, &BTreeSet::from(["x".to_owned()])), ["y"]);
        assert!(is_empty(&json!({ "a": "", "b": {} })) && !is_empty(&json!({ "a": false })));
    }
}
