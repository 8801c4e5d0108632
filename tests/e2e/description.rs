//! The description of the API as a judge of what is answered.

use hyper::{Method, Uri};
use jsonschema::{Draft, Validator};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use tests::harness::{Answer, Watch, root};

/// The description; that it is what is served, another test says.
static DESCRIPTION: LazyLock<Description> = LazyLock::new(Description::load);

/// The answers of an operation for which no status is named: problems.
const DEFAULT: &str = "default";
/// Answers of a workflow: their status and body may be any.
const OF_WORKFLOW: &str = "2XX";

/// Which answers of the description were seen: the operation, and the status as it is described.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<BTreeSet<(String, String)>>>);

struct Description {
    operations: Vec<Operation>,
}

struct Operation {
    id: String,
    method: String,
    path: Vec<String>,
    /// By status and media type.
    answers: BTreeMap<String, BTreeMap<String, Validator>>,
}

impl Seen {
    /// Judges every answer of a client, and notes it.
    pub(crate) fn watch(&self) -> Watch {
        let seen = self.clone();
        Arc::new(move |method: &Method, uri: &Uri, answer: &Answer| {
            let Some(operation) = DESCRIPTION.operation(method.as_str(), uri.path()) else {
                return;
            };
            let described = operation.judge(answer);
            let mut all = seen.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.insert((operation.id.clone(), described));
        })
    }

    /// The answers that are described and were not seen.
    pub(crate) fn missing(&self) -> Vec<(String, String)> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let described = DESCRIPTION.operations.iter().flat_map(|operation| {
            operation.answers.keys().map(|status| (operation.id.clone(), status.clone()))
        });
        described.filter(|answer| !seen.contains(answer)).collect()
    }
}

impl Description {
    fn load() -> Self {
        let text = std::fs::read_to_string(root().join("ingest/openapi.json")).unwrap();
        let mut document: Value = serde_json::from_str(&text).unwrap();
        close(&mut document);
        let mut operations = Vec::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let answers = operation["responses"].as_object().unwrap().iter();
                let answers = answers.map(|(status, answer)| {
                    let content = answer["content"].as_object().into_iter().flatten();
                    let content = content.map(|(media_type, content)| {
                        let schema = validator(&content["schema"], &document["components"]);
                        (media_type.clone(), schema)
                    });
                    (status.clone(), content.collect())
                });
                operations.push(Operation {
                    id: operation["operationId"].as_str().unwrap().to_owned(),
                    method: method.to_uppercase(),
                    path: path.split('/').map(str::to_owned).collect(),
                    answers: answers.collect(),
                });
            }
        }
        Self { operations }
    }

    /// The operation at an address: the one with the most parts that are fixed.
    fn operation(&self, method: &str, path: &str) -> Option<&Operation> {
        let parts: Vec<&str> = path.split('/').collect();
        let fits = self.operations.iter().filter(|one| one.method == method && one.is_at(&parts));
        fits.max_by_key(|one| one.path.iter().filter(|part| !part.starts_with('{')).count())
    }
}

impl Operation {
    fn is_at(&self, parts: &[&str]) -> bool {
        let spans = self.path.last().is_some_and(|part| part == "{rest}");
        let is_long =
            if spans { parts.len() >= self.path.len() } else { parts.len() == self.path.len() };
        let fits = |(wanted, part): (&String, &&str)| {
            if wanted.starts_with('{') { !part.is_empty() } else { wanted == part }
        };
        is_long && self.path.iter().zip(parts).all(fits)
    }

    /// Asserts that an answer is one that is described; gives the status that describes it.
    fn judge(&self, answer: &Answer) -> String {
        let status = answer.status.to_string();
        let is_workflows = self.answers.contains_key(OF_WORKFLOW)
            && answer.json()["meta"]["error"].is_null()
            && !self.answers.contains_key(&status);
        if is_workflows {
            return OF_WORKFLOW.to_owned();
        }
        let described: &str = if self.answers.contains_key(&status) { &status } else { DEFAULT };
        let shown = || format!("{} is answered with {}", self.id, answer.shown());
        assert!(described != DEFAULT || answer.status >= 400, "{}", shown());
        if self.answers[described].is_empty() {
            assert!(answer.body.is_empty(), "{}", shown());
            return described.to_owned();
        }
        let media_type = answer.header("content-type");
        let is_text = media_type == "text/plain; charset=utf-8";
        let body = match is_text {
            true => json!(String::from_utf8(answer.body.to_vec()).unwrap()),
            false => serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{}", shown())),
        };
        let media_type = if is_text { "text/plain" } else { media_type };
        let schema = self.answers[described].get(media_type);
        let faults = schema.unwrap_or_else(|| panic!("{}", shown())).iter_errors(&body);
        let faults: Vec<String> =
            faults.map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        assert!(faults.is_empty(), "{faults:?}: {}", shown());
        described.to_owned()
    }
}

fn validator(schema: &Value, components: &Value) -> Validator {
    let mut whole = schema.clone();
    whole["components"] = components.clone();
    let options = jsonschema::options().with_draft(Draft::Draft202012);
    options.should_validate_formats(true).build(&whole).unwrap()
}

/// Lets objects have no fields but those that are described, where nothing says that they may.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get("type") == Some(&json!("object")) {
                fields.entry("additionalProperties").or_insert(json!(false));
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
