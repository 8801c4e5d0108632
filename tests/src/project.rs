//! The project that the demo and the crash test run: every trigger, most steps, two receivers.

use crate::harness::{Api, Signer};
use anyhow::Result;
use serde_json::{Value, json};

/// The project's id.
pub const PROJECT: &str = "0d6a2b6e-93a4-4d0c-8a54-6f3b7c1e2d90";
/// The workflow that answers requests.
pub const QUOTE: &str = "5b1f4c7a-28d3-4e6b-9f10-a7c2d8e4b361";
/// The app event.
pub const ORDER_PLACED: &str = "Order Placed";
/// What GitHub's webhooks are signed with.
pub const WEBHOOK_SECRET: &str = "a secret between GitHub and the demo";
/// The key of the Task History API.
pub const API_KEY: &str = "key_of_the_demo_it_protects_nothing";

/// What a project is made for.
pub struct Plan<'a> {
    /// The receiver of app events and requests, as a base URL.
    pub warehouse: &'a str,
    /// The receiver of webhooks, as a base URL.
    pub tracker: &'a str,
    /// The kinds of webhooks that have a workflow.
    pub kinds: &'a [String],
    /// How long a webhook's workflow pauses before it delivers, in seconds; 0 is not at all.
    pub pause_s: u32,
}

/// The project file, as JSON.
pub fn file(plan: &Plan<'_>) -> Value {
    let mut workflows = vec![fulfil(plan.warehouse), quote(plan.warehouse)];
    workflows.extend(plan.kinds.iter().map(|kind| track(kind, plan.pause_s)));
    json!({
        "project": { "id": PROJECT, "name": "Demo", "concurrency": 100, "user_concurrency": 40 },
        "signing_keys": { "generate": true },
        "api_keys": [{ "name": "demo", "key": API_KEY }],
        "app_events": { ORDER_PLACED: { "id": "order-1", "amount": 120, "customer": "acme" } },
        "integrations": [
            {
                "type": "github",
                "webhook": {
                    "secret": WEBHOOK_SECRET,
                    // Not every recorded payload names its installation.
                    "provider_id": "headers.x-github-hook-installation-target-id",
                },
            },
            {
                "type": "custom.tracker",
                "name": "Tracker",
                "base_url": plan.tracker,
                "authorization": { "bearer": "{{settings.accessToken}}" },
            },
        ],
        "workflows": workflows,
    })
}

/// An app event is shaped, weighed, and sent to the warehouse one way or the other.
fn fulfil(warehouse: &str) -> Value {
    let push = |name: &str, path: &str| {
        json!([{
            "name": name,
            "request": {
                "method": "POST",
                "url": format!("{warehouse}{path}"),
                "json": "{{shape.result}}",
                "timeout_ms": 10_000,
            },
            "auto_retry": true,
        }])
    };
    json!({
        "workflow": "fulfil-orders",
        "integration": "custom.tracker",
        "default_enabled": true,
        "trigger": { "app_event": ORDER_PLACED },
        "steps": [
            {
                "name": "shape",
                "function": "function yourFunction({ order }) {\n  \
                    return { ...order, total: Math.round(order.amount * 119) / 100 };\n}",
                "parameters": { "order": "{{trigger.event}}" },
            },
            {
                "name": "large",
                "if": { "{{shape.result.amount}}": { "at_least": 500 } },
                "then": push("reserve", "/orders/large"),
                "else": push("ship", "/orders/small"),
            },
        ],
    })
}

/// A request is answered with what the warehouse says.
fn quote(warehouse: &str) -> Value {
    json!({
        "workflow": "quote",
        "id": QUOTE,
        "integration": "custom.tracker",
        "default_enabled": true,
        "trigger": { "request": { "body": { "id": { "type": "string", "required": true } } } },
        "steps": [
            {
                "name": "price",
                "function": "function yourFunction({ id }) { return { id, cents: id.length * 100 }; }",
                "parameters": { "id": "{{trigger.request.body.id}}" },
            },
            {
                "name": "ask",
                "request": {
                    "method": "POST",
                    "url": format!("{warehouse}/quotes"),
                    "json": "{{price.result}}",
                },
                "auto_retry": true,
            },
            {
                "name": "answer",
                "response": { "status": 200, "body": "{{ask.response.body}}" },
            },
        ],
    })
}

/// A webhook becomes a note at the tracker, sent with the user's account.
fn track(kind: &str, pause_s: u32) -> Value {
    let note = json!({
        "name": "note",
        "integration_request": {
            "method": "POST",
            "path": "/notes",
            "json": { "id": "{{trigger.headers.x-github-delivery}}", "kind": kind },
        },
        "auto_retry": true,
    });
    let mut steps = vec![note];
    if pause_s > 0 {
        let delay = json!({ "value": pause_s, "unit": "seconds" });
        steps.insert(0, json!({ "name": "pause", "delay": delay }));
    }
    json!({
        "workflow": format!("track-{kind}"),
        "integration": "custom.tracker",
        "default_enabled": true,
        "trigger": { "webhook": kind, "of": "github" },
        "steps": steps,
    })
}

/// Connects each user's accounts that the project works with. Gives a token for each, in order.
///
/// # Errors
/// No answer came, or a refusal.
pub async fn connect(api: &Api, signer: &Signer, users: &[impl AsRef<str>]) -> Result<Vec<String>> {
    let mut tokens = Vec::with_capacity(users.len());
    for user in users.iter().map(AsRef::as_ref) {
        let token = signer.token(user)?;
        api.connect(&token, "github", user).await?;
        api.connect(&token, "custom.tracker", user).await?;
        tokens.push(token);
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_file_has_no_mistakes() {
        let kinds = ["push".to_owned(), "issues".to_owned()];
        for pause_s in [0, 2] {
            let (warehouse, tracker) = ("http://127.0.0.1:1", "http://127.0.0.1:2");
            let file = file(&Plan { warehouse, tracker, kinds: &kinds, pause_s });
            let parsed = domain::definition::parse(&file.to_string());
            assert!(parsed.is_ok(), "{:?}", parsed.err());
        }
    }
}
