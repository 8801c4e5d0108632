//! What a file asks users for.

use super::mistake::{Mistakes, Path, quoted};
use super::yaml::Node;
use crate::config::{Choice, Input, InputKind, IntegrationSettings};
use crate::workflow::Authorization;
use crate::workflow::reference::{Root, references_in};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What `{{settings.…}}` has besides, for every account.
const KNOWN: [&str; 7] = [
    "userId",
    "metadata",
    "providerId",
    "accessToken",
    "refreshToken",
    "oauthAccessToken",
    "oauthRefreshToken",
];

/// Reads a list of inputs, as far as it is right; `taken` says of ids whose they are already.
pub(super) fn read(
    node: Option<&Node>,
    path: &Path,
    taken: &BTreeMap<String, &str>,
    mistakes: &mut Mistakes,
) -> Vec<Input> {
    let mut inputs: Vec<Input> = Vec::new();
    for (index, item) in node.map(Node::items).unwrap_or_default().iter().enumerate() {
        let path = path.index(index);
        let (Some(id), Some(kind)) = (item.get("id"), item.text_of("type")) else { continue };
        let Some(name) = id.text() else { continue };
        let other = match taken.get(name) {
            Some(other) => Some(*other),
            None => inputs.iter().any(|input| input.id == name).then_some("another input"),
        };
        if let Some(other) = other {
            let problem = format!("{} is {other}", quoted(name));
            mistakes.add(id.at, &path.key("id"), problem, "give each input an id of its own");
        }
        let Some(kind) = Reading { item, path: &path, mistakes }.kind(kind, name) else { continue };
        let text = |key: &str| item.text_of(key).unwrap_or_default().to_owned();
        let input = Input {
            id: name.to_owned(),
            title: item.text_of("title").unwrap_or(name).to_owned(),
            kind,
            required: item.get("required").and_then(Node::flag).unwrap_or(false),
            default: item.get("default").map(Node::value),
            tooltip: text("tooltip"),
            placeholder: text("placeholder"),
        };
        if let Some((default, at)) = input.default.as_ref().zip(item.get("default"))
            && let Some(refusal) = input.refuses(default)
        {
            let problem = refusal.trim_end_matches('.').to_owned();
            let mend = "write a value that a user could have saved";
            mistakes.add(at.at, &path.key("default"), problem, mend);
        }
        inputs.push(input);
    }
    inputs
}

/// Keys that belong to one type of input only.
const OF_TYPE: [(&str, &str); 4] = [
    ("options", "enum"),
    ("key", "custom_dropdown"),
    ("fields", "field_mapping"),
    ("object", "field_mapping"),
];

struct Reading<'a, 'm> {
    item: &'a Node,
    path: &'a Path,
    mistakes: &'m mut Mistakes,
}

impl Reading<'_, '_> {
    fn kind(&mut self, kind: &str, id: &str) -> Option<InputKind> {
        for (key, of) in OF_TYPE {
            if let Some(node) = self.item.get(key).filter(|_| kind != of) {
                let problem = format!("`{key}` means nothing for a {kind}");
                let mend = format!("leave it out, or write `type: {of}`");
                self.mistakes.add(node.at, &self.path.key(key), problem, mend);
            }
        }
        let item = self.item;
        let text = |key: &str| item.text_of(key).map(str::to_owned);
        Some(match kind {
            "text" => InputKind::Text,
            "textarea" => InputKind::Textarea,
            "password" => InputKind::Password,
            "number" => InputKind::Number,
            "email" => InputKind::Email,
            "url" => InputKind::Url,
            "boolean" => InputKind::Boolean,
            "switch" => InputKind::Switch,
            "enum" => InputKind::Enum { options: self.options() },
            "custom_dropdown" => {
                InputKind::CustomDropdown { key: text("key").unwrap_or_else(|| id.to_owned()) }
            }
            "field_mapping" => {
                let fields = item.get("fields").map(Node::items).unwrap_or_default();
                let fields = fields.iter().filter_map(Node::text).map(str::to_owned).collect();
                InputKind::FieldMapping { fields, object: text("object") }
            }
            _ => return None,
        })
    }

    /// The options, each a value or a value with a label.
    fn options(&mut self) -> Vec<Choice> {
        let mut options: Vec<Choice> = Vec::new();
        let path = self.path.key("options");
        let items = self.item.get("options").map(Node::items).unwrap_or_default();
        for (index, item) in items.iter().enumerate() {
            let value = item.get("value").unwrap_or(item).value();
            let shown = match &value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            if options.iter().any(|known| known.value == value) {
                let problem = format!("another option has the value {}", quoted(&shown));
                let mend = "keep one of the two";
                self.mistakes.add(item.at, &path.index(index), problem, mend);
            }
            let label = item.text_of("label").map_or(shown, str::to_owned);
            options.push(Choice { label, value });
        }
        options
    }
}

/// The ids that an input of the integration cannot have.
pub(super) fn of_accounts(
    base_url: &str,
    authorization: &Authorization,
    headers: &BTreeMap<String, String>,
) -> BTreeMap<String, &'static str> {
    let mut texts: Vec<&str> = headers.values().map(String::as_str).collect();
    texts.push(base_url);
    match authorization {
        Authorization::None => {}
        Authorization::Bearer { token } => texts.push(token),
        Authorization::Basic { username, password } => texts.extend([&**username, password]),
        Authorization::Header { value, .. } | Authorization::Query { value, .. } => {
            texts.push(value);
        }
        Authorization::OauthClientCredentials(credentials) => texts.extend(credentials.texts()),
    }
    let references = texts.into_iter().flat_map(references_in);
    let of_account = references.filter(|reference| reference.root == Root::Settings);
    let asked: BTreeSet<String> =
        of_account.filter_map(|reference| reference.path.into_iter().next()).collect();
    let asked = asked.into_iter().map(|name| (name, "what an account is connected with"));
    let known = KNOWN.map(|name| (name.to_owned(), "known of every account already"));
    known.into_iter().chain(asked).collect()
}

/// The ids that an input of a workflow cannot have.
pub(super) fn of_integration(settings: &IntegrationSettings) -> BTreeMap<String, &'static str> {
    let IntegrationSettings { base_url, authorization, headers, .. } = settings;
    let mut taken = of_accounts(base_url, authorization, headers);
    let own = settings.inputs.iter().map(|input| (input.id.clone(), "an input of the integration"));
    taken.extend(own);
    taken
}
