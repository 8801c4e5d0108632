//! The project of the bench: one workflow for each kind of load.

use serde_json::{Value, json};

/// The project's id.
const PROJECT: &str = "3f0c7a18-6c52-4b0e-8d37-1a9e5b2c4d60";
/// The key of the Task History API.
pub(super) const API_KEY: &str = "key_of_the_bench_it_protects_nothing";
/// The workflow that answers requests.
pub(super) const QUOTE: &str = "a4d1c9e2-75b3-4f68-9a01-c2e4f6081b3d";
/// The workflow that fans out, started by a request.
pub(super) const FANNED: &str = "5c2f8e16-0d7b-4a93-8e45-1b7d90c3a2f4";
/// Items that it fans out over.
pub(super) const FANNED_ITEMS: u32 = 100_000;
/// Starts one conditional that ends.
pub(super) const SEEN: &str = "Order Seen";
/// Starts a function, a conditional and a request.
pub(super) const PLACED: &str = "Order Placed";
/// Starts a delay of thirty days.
pub(super) const PARKED: &str = "Order Parked";
/// Starts a delay of as many seconds as the event says.
pub(super) const HELD: &str = "Order Held";
/// The workflow that runs every minute for whoever switches it on.
pub(super) const TICKING: &str = "8b1e4d70-2f95-4c3a-b6d8-0e5a7c914f23";
/// What the webhooks of the bench say happened.
pub(super) const PUSHED: &str = "push";
/// What they are signed with.
pub(super) const WEBHOOK_SECRET: &str = "secret_of_the_bench_it_protects_nothing";
/// Step executions at a time.
pub(super) const CONCURRENCY: u32 = 1_000;
/// Of these, for one user.
pub(super) const USER_CONCURRENCY: u32 = 50;

const INTEGRATION: &str = "custom.bench";
const SHAPE: &str = "function yourFunction({ id, amount }) {\n  \
    return { id, total: Math.round(amount * 119) / 100 };\n}";

const SUM_UP: &str = "function yourFunction({ shipped }) { return { shipped }; }";

/// The project file.
///
/// # Arguments
/// `target`: base URL of the server that request steps call.
pub(super) fn file(target: &str) -> Value {
    json!({
        "project": {
            "id": PROJECT,
            "name": "Bench",
            "concurrency": CONCURRENCY,
            "user_concurrency": USER_CONCURRENCY,
        },
        "signing_keys": { "generate": true },
        "api_keys": [{ "name": "bench", "key": API_KEY }],
        "app_events": { SEEN: example(), PLACED: example(), PARKED: example(), HELD: example() },
        "integrations": [
            { "type": INTEGRATION, "name": "Bench", "base_url": target },
            { "type": "github", "webhook": { "secret": WEBHOOK_SECRET } },
        ],
        "workflows": [
            workflow("watch", &json!({ "app_event": SEEN }), &json!([
                { "name": "large", "if": { "{{trigger.event.amount}}": { "at_least": 500 } } },
            ])),
            workflow("fulfil", &json!({ "app_event": PLACED }), &json!([
                shape("{{trigger.event}}"),
                {
                    "name": "worth it",
                    "if": { "{{shape.result.total}}": { "at_least": 1 } },
                    "then": [request(target)],
                },
            ])),
            workflow("remind", &json!({ "app_event": PARKED }), &json!([
                { "name": "wait", "delay": { "value": 30, "unit": "days" } },
            ])),
            workflow("let go", &json!({ "app_event": HELD }), &json!([
                { "name": "wait", "delay": { "value": "{{trigger.event.wait}}", "unit": "seconds" } },
            ])),
            workflow("pushed", &json!({ "webhook": PUSHED, "of": "github" }), &json!([
                { "name": "large", "if": { "{{trigger.body.amount}}": { "at_least": 500 } } },
            ])),
            quote(target),
            fanned(),
            ticking(),
        ],
    })
}

fn example() -> Value {
    json!({ "id": "order-1", "amount": 120, "text": "" })
}

fn workflow(name: &str, trigger: &Value, steps: &Value) -> Value {
    json!({
        "workflow": name,
        "integration": INTEGRATION,
        "default_enabled": true,
        "trigger": trigger,
        "steps": steps,
    })
}

fn shape(source: &str) -> Value {
    let field = |name: &str| source.replace("}}", &format!(".{name}}}}}"));
    let parameters = json!({ "id": field("id"), "amount": field("amount") });
    json!({ "name": "shape", "function": SHAPE, "parameters": parameters })
}

fn request(target: &str) -> Value {
    json!({
        "name": "ship",
        "request": { "method": "POST", "url": format!("{target}/orders"), "json": "{{shape.result}}" },
    })
}

fn quote(target: &str) -> Value {
    let steps = json!([
        shape("{{trigger.request.body}}"),
        request(target),
        {
            "name": "sum up",
            "function": SUM_UP,
            "parameters": { "shipped": "{{ship.response.body}}" },
        },
        { "name": "answer", "response": { "status": 200, "body": "{{sum up.result}}" } },
    ]);
    let body = json!({
        "id": { "type": "string", "required": true },
        "amount": { "type": "number" },
        "text": { "type": "string" },
    });
    let mut quote = workflow("quote", &json!({ "request": { "body": body } }), &steps);
    quote["id"] = json!(QUOTE);
    quote
}

fn fanned() -> Value {
    let list = format!(
        "function yourFunction() {{ return Array.from({{ length: {FANNED_ITEMS} }}, (_, i) => ({{ i }})); }}"
    );
    let steps = json!([
        { "name": "list", "function": list },
        { "name": "each", "fan_out": "{{list.result}}", "steps": [
            { "name": "double", "function": "function yourFunction({ item }) { return item.i * 2; }",
              "parameters": { "item": "{{each.instance}}" } },
        ] },
        { "name": "sum", "function": "function yourFunction({ all }) { return all.length; }",
          "parameters": { "all": "{{double.result}}" } },
    ]);
    let mut fanned = workflow("fan out", &json!({ "request": {} }), &steps);
    fanned["id"] = json!(FANNED);
    fanned
}

fn ticking() -> Value {
    let trigger = json!({ "schedule": { "cron": "0 * * * * *", "exact": true } });
    let steps = json!([{ "name": "one is less", "if": { "1": { "less_than": 2 } } }]);
    let mut ticking = workflow("tick", &trigger, &steps);
    ticking["id"] = json!(TICKING);
    // It would fire while other rows are measured.
    ticking["default_enabled"] = json!(false);
    ticking
}

/// A payload of so many bytes.
pub(super) fn payload(number: usize, bytes: usize) -> Value {
    let mut payload = json!({ "id": format!("order-{number}"), "amount": number % 1_000 + 1 });
    payload["text"] = json!("");
    let filler = bytes.saturating_sub(payload.to_string().len());
    payload["text"] = json!("x".repeat(filler));
    payload
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_file_has_no_mistakes() {
        let parsed = domain::definition::parse(&file("http://127.0.0.1:1").to_string());
        assert!(parsed.is_ok(), "{:?}", parsed.err());
    }

    #[test]
    fn a_payload_has_the_size_that_is_asked_for() {
        assert_eq!(payload(123_456, 500).to_string().len(), 500);
    }
}
