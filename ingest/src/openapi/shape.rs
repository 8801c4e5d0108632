//! What is sent and answered at each address.

use serde_json::{Map, Value, json};

/// Operations for which a connected account can be selected.
pub(super) const SELECTED: [&str; 8] = [
    "sendEvent",
    "sendEventV2",
    "sendEvents",
    "triggerWorkflow",
    "removeIntegration",
    "listCredentials",
    "enableWorkflow",
    "disableWorkflow",
];

pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

pub(super) fn list(name: &str) -> Value {
    json!({ "type": "array", "items": reference(name) })
}

pub(super) fn object(fields: &[(&str, Value)], required: &[&str]) -> Value {
    let fields: Map<String, Value> =
        fields.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({ "type": "object", "properties": fields, "required": required })
}

pub(super) fn kind(name: &str) -> Value {
    json!({ "type": name })
}

/// The body that is sent.
pub(super) fn request(id: &str) -> Option<Value> {
    let text = || kind("string");
    Some(match id {
        "sendEvent" | "sendEventV2" => reference("AppEvent"),
        "sendEvents" => object(
            &[(
                "events",
                json!({ "type": "array", "items": reference("AppEvent"), "maxItems": 1000 }),
            )],
            &["events"],
        ),
        "describeUser" => object(&[("meta", kind("object"))], &["meta"]),
        "connectCredential" => object(
            &[
                ("integrationId", text()),
                ("payload", kind("object")),
                ("config", kind("object")),
                ("providerId", json!({ "type": ["string", "integer"] })),
                ("installOptions", reference("InstallOptions")),
            ],
            &["integrationId", "payload"],
        ),
        "triggerWorkflow" | "receiveWebhook" | "receiveWebhookSlash" | "receiveWebhookUnder" => {
            json!({})
        }
        "applyProject" => object(
            &[
                ("document", text()),
                ("environment", json!({ "type": "object", "additionalProperties": text() })),
                ("secrets", json!({ "type": "object", "additionalProperties": text() })),
            ],
            &["document"],
        ),
        _ => return None,
    })
}

/// The parameters in the query.
pub(super) fn queries(id: &str) -> Vec<Value> {
    let text = || kind("string");
    let date = || json!({ "type": "string", "format": "date-time" });
    let queries: Vec<(&str, Value)> = match id {
        "listCredentials" => vec![("integration", text())],
        "listExecutions" => vec![
            ("userId", text()),
            ("workflowId", json!({ "type": "string", "format": "uuid" })),
            ("integration", text()),
            ("status", json!({ "enum": ["EXECUTING", "FAILED", "SUCCEEDED", "DELAYED"] })),
            ("beforeDate", date()),
            ("afterDate", date()),
            ("offset", json!({ "type": "integer", "minimum": 0 })),
            ("sortBy", json!({ "enum": ["ASC", "DESC"] })),
        ],
        "readStep" => vec![("attempt", json!({ "type": "integer", "minimum": 1 }))],
        "listWebhooks" => vec![
            ("integration", text()),
            (
                "verdict",
                json!({ "enum": ["VERIFIED", "UNSIGNED", "FORGED", "STALE", "MALFORMED"] }),
            ),
            ("delivery", text()),
            ("unmatched", kind("boolean")),
            ("beforeDate", date()),
            ("afterDate", date()),
            ("offset", json!({ "type": "integer", "minimum": 0 })),
        ],
        "receiveWebhook" | "receiveWebhookSlash" | "receiveWebhookUnder" => vec![("id", text())],
        "applyProject" => vec![("dry_run", kind("boolean"))],
        _ => Vec::new(),
    };
    let parameter = |(name, schema)| super::parameter(name, "query", "", &schema);
    queries.into_iter().map(parameter).collect()
}

/// The answers when all is well.
pub(super) fn responses(id: &str) -> Map<String, Value> {
    let nothing = || object(&[], &[]);
    let (status, what, schema) = match id {
        "sendEvent" | "sendEventV2" => ("201", "The event is durable.", nothing()),
        "sendEvents" => ("201", "What became of each event, in order.", reference("BatchResults")),
        "triggerWorkflow" => return triggered(),
        "readUser" | "describeUser" => ("200", "The user.", reference("User")),
        "listIntegrations" => ("200", "The integrations.", list("Integration")),
        "listMetadata" => ("200", "Active integrations.", list("Metadata")),
        "listCredentials" => (
            "200",
            "The accounts; with `integration` only one.",
            json!({ "oneOf": [list("Credential"), reference("Credential")] }),
        ),
        "connectCredential" | "readCredential" => ("200", "The account.", reference("Credential")),
        "readProject" => ("200", "The project.", reference("Project")),
        "listExecutions" => ("200", "A page of executions.", reference("Executions")),
        "readExecution" => ("200", "The execution.", reference("Run")),
        "readStep" => (
            "200",
            "What an attempt of the step took in and gave, the last one unless another is named.",
            reference("StepContents"),
        ),
        "applyProject" => ("200", "What changed.", reference("Applied")),
        "listWebhooks" => ("200", "A page of webhooks.", kind("object")),
        "makeApiKey" => ("201", "The key, shown this once.", reference("ApiKey")),
        "readOpenApi" => ("200", "This description.", kind("object")),
        _ => ("200", "It is done.", nothing()),
    };
    Map::from_iter([answer(status, what, &schema)])
}

fn triggered() -> Map<String, Value> {
    let accepted = "The workflow has no response step; it was started.";
    let late = "The workflow has not come to its response step in time; it runs on.";
    Map::from_iter([
        answer("202", accepted, &reference("Accepted")),
        answer("2XX", "What the workflow's response step says.", &json!({})),
        answer("542", late, &reference("Accepted")),
    ])
}

fn answer(status: &str, what: &str, schema: &Value) -> (String, Value) {
    let content = json!({ "application/json": { "schema": schema } });
    (status.to_owned(), json!({ "description": what, "content": content }))
}
