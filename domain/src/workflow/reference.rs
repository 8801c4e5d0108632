//! What a step refers to: found before anything is opened, so that only what it needs is opened.

mod fields;
mod needs;

pub use needs::{Needs, needs};

pub(crate) use fields::{Template, each_template};

use super::template::{Piece, Variable, has_braces, is_number, pieces};
use serde_json::Value;

/// One `{{…}}`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reference {
    /// What it starts from.
    pub root: Root,
    /// The keys and indexes after it; for a secret, after its name.
    pub path: Vec<String>,
    /// How it is written, braces included.
    pub text: String,
}

/// What a reference starts from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Root {
    /// The trigger.
    Trigger,
    /// A step by number, from 2 (1 is the trigger; 0 and what is too large is no step).
    Number(u32),
    /// A step by name.
    Name(String),
    /// The user's settings.
    Settings,
    /// A secret by name.
    Secret(String),
    /// The step itself, for pagination.
    Own,
    /// Braces around something that is no variable.
    Unreadable,
}

/// Every variable of a template, in order; keys of objects too. The template's own depth bounds
/// the recursion: a parsed JSON text is at most 128 deep.
pub fn references(template: &Value) -> Vec<Reference> {
    let mut found = Vec::new();
    each_text(template, &mut |text| found.extend(references_in(text)));
    found
}

/// Every variable of a text, in order.
pub fn references_in(text: &str) -> impl Iterator<Item = Reference> + '_ {
    pieces(text).filter_map(|piece| match piece {
        Piece::Text(_) => None,
        Piece::Variable(variable) => Some(reference(&variable)),
        Piece::Unreadable(text) => Some(unreadable(text)),
    })
}

/// Calls with every text of a template that has `{{` in it.
fn each_text(template: &Value, take: &mut impl FnMut(&str)) {
    match template {
        Value::String(text) if has_braces(text) => take(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, take)),
        Value::Object(entries) => {
            for (key, value) in entries {
                if has_braces(key) {
                    take(key);
                }
                each_text(value, take);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn reference(variable: &Variable<'_>) -> Reference {
    let mut path: Vec<String> = variable.segments().map(|segment| segment.into_owned()).collect();
    let root = match variable.root {
        "1" | "trigger" => Root::Trigger,
        "settings" | "userSettings" => Root::Settings,
        "self" => Root::Own,
        "secrets" if path.is_empty() => Root::Unreadable,
        "secrets" => Root::Secret(path.remove(0)),
        number if is_number(number) => Root::Number(number.parse().unwrap_or(u32::MAX)),
        name => Root::Name(name.to_owned()),
    };
    Reference { root, path, text: variable.text.to_owned() }
}

fn unreadable(text: &str) -> Reference {
    Reference { root: Root::Unreadable, path: Vec::new(), text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_form_of_variable_is_found_with_root_and_path() {
        let template = json!({
            "a": "x {{1.event.userId}} {{pick.result[0]}}",
            "{{settings.key}}": ["{{secrets.API_KEY}}", "{{3.response.body}}", 7],
            "b": "{{userSettings[\"first name\"]}} {{self.pageToken}} {{secrets}} {{}}",
        });
        let mut found: Vec<(Root, String)> =
            references(&template).into_iter().map(|r| (r.root, r.path.join("/"))).collect();
        found.sort_by_key(|(root, path)| format!("{root:?}{path}"));
        let expected = vec![
            (Root::Name("pick".into()), "result/0".to_owned()),
            (Root::Number(3), "response/body".to_owned()),
            (Root::Own, "pageToken".to_owned()),
            (Root::Secret("API_KEY".into()), String::new()),
            (Root::Settings, "first name".to_owned()),
            (Root::Settings, "key".to_owned()),
            (Root::Trigger, "event/userId".to_owned()),
            (Root::Unreadable, String::new()),
            (Root::Unreadable, String::new()),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn escaped_braces_refer_to_nothing() {
        assert_eq!(references(&json!("\\{{1.x}} and {{ open")), Vec::new());
    }
}
