//! The project that tests work in.

use crate::token::OURS;
use aws_lc_rs::digest;
use serde_json::{Value, json};

pub(crate) const PROJECT: &str = "5f1d7a52-3c1e-4a0b-9c64-2f0e8d9b7a10";
pub(crate) const API_KEY: &str = "key_of_the_team";
pub(crate) const ADMIN_KEY: &str = "key_of_the_admin";
/// GitHub's documented example.
pub(crate) const GITHUB_SECRET: &str = "It's a Secret to Everybody";
/// The example of Standard Webhooks.
pub(crate) const STANDARD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

pub(crate) fn sha256(text: &str) -> [u8; 32] {
    digest::digest(&digest::SHA256, text.as_bytes()).as_ref().try_into().unwrap()
}

/// The project file: JSON is YAML.
pub(crate) fn file() -> Value {
    let pause = || json!([{ "name": "pause", "delay": { "value": 1 } }]);
    let answer = |status: u16, body: Value| json!({ "name": "answer", "response": { "status": status, "body": body } });
    let open = || json!({ "request": { "arbitrary_payload": true } });
    let strict = json!({ "request": {
        "headers": { "X-Request-Source": { "value": "app" } },
        "params": { "page": { "required": true } },
        "body": { "login": { "type": "string", "required": true } },
    } });
    let late = json!([
        { "name": "pause", "delay": { "value": 5 } },
        answer(200, json!({ "late": true })),
    ]);
    json!({
        "project": { "id": PROJECT, "name": "Demo" },
        "signing_keys": { "public_keys": [OURS.public_pem] },
        "api_keys": [{ "name": "reports", "hash": hex::encode(sha256(API_KEY)) }],
        "secrets": { "REGION": "eu" },
        "app_events": { "Contact Created": { "name": "Brandon" } },
        "integrations": [
            "slack",
            { "type": "github", "webhook": { "secret": GITHUB_SECRET } },
            {
                "type": "custom.tasklab",
                "name": "Task Lab",
                "base_url": "https://api.tasklab.test/v1",
                "authorization": { "header": { "name": "X-Api-Key", "value": "{{settings.apiKey}}" } },
                "webhook": {
                    "scheme": "standard",
                    "secret": STANDARD_SECRET,
                    "provider_id": "headers.x-tenant",
                },
            },
        ],
        "workflows": [
            { "workflow": "notify", "integration": "slack", "default_enabled": true,
              "trigger": { "app_event": "Contact Created" }, "steps": pause() },
            { "workflow": "fire", "integration": "slack", "default_enabled": true,
              "trigger": open(), "steps": pause() },
            { "workflow": "echo", "integration": "slack", "default_enabled": true,
              "trigger": open(), "steps": [answer(203, json!("{{1.request}}"))] },
            { "workflow": "strict", "integration": "slack", "default_enabled": true,
              "trigger": strict, "steps": [answer(200, json!({ "hello": "{{1.request.body.login}}" }))] },
            { "workflow": "late", "integration": "slack", "default_enabled": true,
              "trigger": open(), "steps": late },
            { "workflow": "secretly", "integration": "slack", "hidden": true,
              "trigger": { "app_event": "Contact Created" }, "steps": pause() },
        ],
    })
}
