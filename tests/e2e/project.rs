//! Project files, put together from the pieces that a test is about.

use serde_json::{Value, json};
use uuid::Uuid;

/// The key of the Task History API.
pub(crate) const API_KEY: &str = "key_of_the_tests_it_protects_nothing";
/// The integration that every workflow belongs to; its base URL is the test's server.
pub(crate) const DESK: &str = "custom.desk";
/// What the webhooks of `github` are signed with.
pub(crate) const GITHUB_SECRET: &str = "a secret between GitHub and the tests";

/// A project with workflows of the integration [`DESK`], whose base URL is given.
pub(crate) fn project(desk: &str, workflows: &[Value]) -> Value {
    json!({
        "project": {
            "id": id("project"), "name": "Tests",
            "concurrency": 50, "user_concurrency": 20,
            "function_timeout_ms": 5_000, "request_timeout_ms": 10_000,
        },
        "signing_keys": { "generate": true },
        "api_keys": [{ "name": "tests", "key": API_KEY }],
        "app_events": { "Order Placed": { "id": "order-1", "amount": 120 } },
        "integrations": [
            {
                "type": DESK,
                "name": "Desk",
                "base_url": desk,
                "authorization": { "bearer": "{{settings.accessToken}}" },
            },
            { "type": "github", "webhook": { "secret": GITHUB_SECRET } },
        ],
        "workflows": workflows,
    })
}

/// A workflow that is on for every account of [`DESK`].
pub(crate) fn workflow(name: &str, trigger: &Value, steps: &Value) -> Value {
    json!({
        "workflow": name,
        "id": id(name),
        "integration": DESK,
        "default_enabled": true,
        "trigger": trigger,
        "steps": steps,
    })
}

/// One that an order starts.
pub(crate) fn on_order(name: &str, steps: &Value) -> Value {
    workflow(name, &json!({ "app_event": "Order Placed" }), steps)
}

/// One that a request starts.
pub(crate) fn on_request(name: &str, steps: &Value) -> Value {
    workflow(name, &json!({ "request": {} }), steps)
}

/// The id of what has this name: the same always.
pub(crate) fn id(name: &str) -> String {
    let seed = 0xcbf2_9ce4_8422_2325_cbf2_9ce4_8422_2325_u128;
    let hash = name.bytes().fold(seed, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0100_0000_01b3_0000_0000_0000_0193)
    });
    uuid::Builder::from_random_bytes(hash.to_be_bytes()).into_uuid().to_string()
}

/// An id that nothing has.
pub(crate) fn nobody() -> String {
    Uuid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111).to_string()
}
