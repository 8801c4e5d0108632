//! Project files: what people write, read into what the configuration keeps.
//!
//! One file is one project, in YAML 1.2 or JSON. [`parse`] tells every mistake of a file at once,
//! with line, column and mend. What a file cannot hold, values of the environment, hashes and fresh
//! keys, [`Document::complete`] asks of a [`Supplier`]. [`schema`] publishes the shape.

mod builtin;
mod condition;
mod document;
mod finding;
mod flatten;
mod grammar;
mod identity;
mod input;
mod integration;
mod mistake;
mod paging;
mod step;
#[cfg(test)]
mod tests;
mod workflow;
mod yaml;

pub(crate) use builtin::built_in;
pub use document::{ApiKey, ApiKeySource, Asked, Complete, Document, SecretSource, Supplier};
pub use grammar::schema;
pub use mistake::{MISTAKES_MAX, Mistake};

use crate::config::{Desired, ProjectSettings, secret_name};
use crate::id::ProjectId;
use integration::Integrations;
use mistake::{Mistakes, Path};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use workflow::Surroundings;
use yaml::{Node, Place};

/// How large a file may be, in bytes.
pub const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Reads a project file.
///
/// # Errors
/// Every mistake of the file, in its order, at most [`MISTAKES_MAX`].
pub fn parse(text: &str) -> Result<Document, Vec<Mistake>> {
    let mut mistakes = Mistakes::default();
    if text.len() > FILE_BYTES_MAX {
        let problem = format!("the file has {} bytes", text.len());
        let mend = format!("keep it below {FILE_BYTES_MAX}");
        mistakes.add(Place { line: 1, column: 1 }, &Path::default(), problem, mend);
        return Err(mistakes.sorted());
    }
    let Some(root) = yaml::load(text, &mut mistakes) else { return Err(mistakes.sorted()) };
    grammar::check(&root, &grammar::FILE, &Path::default(), &mut mistakes);
    let document = read(&root, &mut mistakes);
    match document {
        Some(document) if mistakes.is_empty() => Ok(document),
        Some(_) | None => Err(mistakes.sorted()),
    }
}

/// The document, as far as the file is right; checks what the grammar cannot.
fn read(root: &Node, mistakes: &mut Mistakes) -> Option<Document> {
    let id = root.get("project").and_then(|project| project.text_of("id"));
    // Without an id the rest is looked at all the same.
    let id = id.and_then(|id| id.parse().ok()).unwrap_or(ProjectId(uuid::Uuid::nil()));
    let integrations = match root.get("integrations") {
        Some(node) => Integrations::read(node, id, mistakes),
        None => Integrations::default(),
    };
    let entries = |key: &str| root.get(key).map(Node::entries).unwrap_or_default();
    let around = Surroundings {
        project: id,
        integrations: &integrations,
        app_events: entries("app_events").iter().map(|entry| entry.key.as_str()).collect(),
        secrets: entries("secrets").iter().map(|entry| entry.key.as_str()).collect(),
    };
    secrets_of_integrations(root, &around.secrets, mistakes);
    let workflows = match root.get("workflows") {
        Some(node) => workflow::read(node, &around, mistakes),
        None => Vec::new(),
    };
    let path = Path::default().key("secrets");
    let secrets = entries("secrets").iter().filter_map(|entry| {
        Asked::read(secret_name(&entry.key), &entry.node, &path.key(&entry.key))
    });
    let secrets = secrets.chain(integrations.secrets).collect();
    let api_keys = api_keys(root, mistakes);
    let signing = root.get("signing_keys");
    let desired = Desired {
        project: settings(root, id)?,
        integrations: integrations.settings,
        workflows,
        app_events: entries("app_events")
            .iter()
            .map(|entry| (entry.key.clone(), entry.node.value()))
            .collect(),
        api_keys: BTreeMap::new(),
        secrets: entries("secrets").iter().map(|entry| entry.key.clone()).collect(),
    };
    let generate_signing_key = signing.is_some_and(|node| node.get("generate").is_some());
    Some(Document { desired, generate_signing_key, api_keys, secrets })
}

/// The project's own settings; what the file leaves out is as it is kept by default.
fn settings(root: &Node, id: ProjectId) -> Option<ProjectSettings> {
    const NUMBERS: [(&str, &str); 6] = [
        ("concurrency", "concurrency_max"),
        ("user_concurrency", "user_concurrency_max"),
        ("function_timeout_ms", "function_timeout_ms"),
        ("request_timeout_ms", "request_timeout_ms"),
        ("step_bytes_max", "step_bytes_max"),
        ("connected_users_max", "connected_users_max"),
    ];
    let project = root.get("project")?;
    let mut settings = json!({ "id": id, "name": project.text_of("name")? });
    for (key, kept) in NUMBERS {
        if let Some(number) = project.get(key).and_then(Node::whole) {
            settings[kept] = number.into();
        }
    }
    if let Some(user) = project.text_of("test_user") {
        settings["test_user"] = user.into();
    }
    if let Some(keys) = root.get("signing_keys") {
        let public = keys.get("public_keys").map(Node::items).unwrap_or_default();
        let public: Vec<&str> = public.iter().filter_map(Node::text).map(str::trim).collect();
        settings["signing_keys"] = json!(public);
        for key in ["jwks_url", "auth0", "firebase", "audience"] {
            settings[key] = keys.text_of(key).map_or(Value::Null, Value::from);
        }
    }
    serde_json::from_value(settings).ok()
}

fn api_keys(root: &Node, mistakes: &mut Mistakes) -> Vec<ApiKey> {
    let mut names = BTreeSet::new();
    let mut keys = Vec::new();
    let items = root.get("api_keys").map(Node::items).unwrap_or_default();
    for (index, node) in items.iter().enumerate() {
        let path = Path::default().key("api_keys").index(index);
        let Some((name, at)) = node.get("name").and_then(|n| Some((n.text()?, n.at))) else {
            continue;
        };
        if !names.insert(name) {
            let problem = "another API key has this name";
            mistakes.add(at, &path.key("name"), problem, "give each a name of its own");
        }
        let asked = |key: &Node| Asked::read(name.to_owned(), key, &path.key("key"));
        let source = match (node.get("key"), node.text_of("hash")) {
            (Some(key), _) => asked(key).map(ApiKeySource::Key),
            (None, Some(hash)) => Some(ApiKeySource::Hash(hash.to_ascii_lowercase())),
            (None, None) => Some(ApiKeySource::Generate),
        };
        keys.extend(source.map(|source| ApiKey { name: name.to_owned(), source }));
    }
    keys
}

/// Notes secrets that an integration names and the file does not have.
fn secrets_of_integrations(root: &Node, secrets: &BTreeSet<&str>, mistakes: &mut Mistakes) {
    let items = root.get("integrations").map(Node::items).unwrap_or_default();
    for (index, node) in items.iter().enumerate() {
        let path = Path::default().key("integrations").index(index);
        integration::unknown_secrets(node, &path, secrets, mistakes);
    }
}
