//! The shapes that the description refers to.

use super::shape::{kind, list, object, reference};
use serde_json::{Value, json};

/// The shapes that are referred to.
pub(super) fn schemas() -> Value {
    let mut all = sent();
    for more in [user(), team()] {
        if let (Value::Object(all), Value::Object(more)) = (&mut all, more) {
            all.extend(more);
        }
    }
    all
}

fn text() -> Value {
    kind("string")
}

fn number() -> Value {
    kind("integer")
}

fn date() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

fn id() -> Value {
    json!({ "type": "string", "format": "uuid" })
}

fn any() -> Value {
    json!({})
}

fn open() -> Value {
    kind("object")
}

/// Problems, events, runs.
fn sent() -> Value {
    json!({
        "Problem": object(
            &[
                ("message", text()),
                ("code", text()),
                ("status", number()),
                ("meta", object(&[("error", json!({ "enum": super::problems() }))], &[])),
            ],
            &["message", "code", "status", "meta"],
        ),
        "AppEvent": object(&[("name", text()), ("payload", any())], &["name"]),
        "BatchResults": object(
            &[("results", json!({ "type": "array", "items": object(
                &[("status", number()), ("code", text()), ("message", text())], &["status"]) }))],
            &["results"],
        ),
        "InstallOptions": object(
            &[
                ("externalId", text()),
                ("allowMultipleCredentials", kind("boolean")),
                ("selectedCredentialId", text()),
            ],
            &[],
        ),
        "Accepted": object(
            &[
                ("message", text()),
                ("dateSubmitted", date()),
                ("projectId", id()),
                ("workflowId", id()),
                ("executionId", id()),
            ],
            &["message", "projectId", "workflowId", "executionId"],
        ),
    })
}

/// The user, and what is connected.
fn user() -> Value {
    json!({
        "Project": object(
            &[("id", id()), ("billingPlan", text()), ("accessibleFeatures", json!({ "type": "array", "items": text() }))],
            &["id", "billingPlan", "accessibleFeatures"],
        ),
        "User": object(
            &[
                ("authenticated", kind("boolean")),
                ("userId", text()),
                ("meta", open()),
                ("resources", kind("array")),
                ("project", reference("Project")),
                ("integrations", open()),
            ],
            &["authenticated", "userId", "meta", "resources", "project", "integrations"],
        ),
        "Integration": object(
            &[("id", id()), ("type", text()), ("name", text()), ("isActive", kind("boolean")),
              ("configs", kind("array")), ("workflows", kind("array")), ("sdkIntegrationConfig", open())],
            &["id", "type", "name", "isActive", "configs", "workflows", "sdkIntegrationConfig"],
        ),
        "Metadata": object(
            &[("type", text()), ("name", text()), ("brandColor", text()), ("icon", text())],
            &["type", "name", "brandColor", "icon"],
        ),
        "Credential": object(
            &[("id", id()), ("projectId", id()), ("integrationId", id()), ("personaId", id()),
              ("status", text()), ("providerId", text()), ("providerData", open()),
              ("externalId", text()), ("config", open()), ("configurations", kind("array")),
              ("dateCreated", date()), ("dateUpdated", date())],
            &["id", "projectId", "integrationId", "status", "configurations"],
        ),
    })
}

/// What the team reads.
fn team() -> Value {
    json!({
        "Execution": execution(),
        "Executions": object(
            &[("workflowExecutions", list("Execution")), ("nextLink", json!({ "type": ["string", "null"] })), ("total", number())],
            &["workflowExecutions", "nextLink", "total"],
        ),
        "Run": json!({ "allOf": [reference("Execution"), object(
            &[("stepExecutions", list("StepExecution"))], &["stepExecutions"])] }),
        "StepExecution": step_execution(),
        "Attempt": attempt(),
        "StepContents": object(
            &[("isLargeInput", kind("boolean")), ("isLargeOutput", kind("boolean")), ("input", any()), ("output", any()),
              ("attempt", number()), ("attempts", list("Attempt"))],
            &["isLargeInput", "isLargeOutput", "input", "output", "attempt", "attempts"],
        ),
        "Applied": object(
            &[("project", id()), ("applied", kind("boolean")), ("changes", json!({ "type": "array", "items": text() })),
              ("apiKeys", open()), ("signingKey", text())],
            &["project", "applied", "changes"],
        ),
        "ApiKey": object(&[("apiKey", text()), ("hash", text())], &["apiKey", "hash"]),
    })
}

fn status() -> Value {
    json!({ "enum": ["EXECUTING", "FAILED", "SUCCEEDED", "DELAYED"] })
}

fn maybe_text() -> Value {
    json!({ "type": ["string", "null"] })
}

fn step_execution() -> Value {
    object(
        &[
            ("id", id()),
            ("stepId", id()),
            ("workflowExecutionId", id()),
            ("status", status()),
            ("type", text()),
            ("start", date()),
            ("end", maybe_text()),
            ("next", json!({ "type": "array", "items": id() })),
            ("prev", maybe_text()),
            ("inputSize", text()),
            ("outputSize", text()),
            ("errorCode", maybe_text()),
            ("attemptCount", number()),
            ("attempts", list("Attempt")),
        ],
        &["id", "stepId", "workflowExecutionId", "status", "type", "start", "next", "attempts"],
    )
}

fn attempt() -> Value {
    object(
        &[
            ("status", status()),
            ("start", date()),
            ("end", maybe_text()),
            ("errorCode", maybe_text()),
            ("retryAt", maybe_text()),
            ("inputSize", text()),
            ("outputSize", text()),
        ],
        &["status", "start", "inputSize", "outputSize"],
    )
}

fn execution() -> Value {
    object(
        &[
            ("id", id()),
            ("userId", text()),
            ("taskCount", number()),
            ("runDuration", number()),
            ("workflowId", id()),
            ("status", status()),
            ("dateEnded", maybe_text()),
            ("dateStarted", date()),
            ("workflowVersion", number()),
            ("credentialId", id()),
            ("triggerType", text()),
            ("triggerDetail", text()),
            ("errorCode", maybe_text()),
        ],
        &["id", "userId", "taskCount", "runDuration", "workflowId", "status", "dateStarted"],
    )
}
