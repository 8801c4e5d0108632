//! The client that applications use, as npm has it, against the node.

use crate::project::{DESK, id, on_order, on_request, project, workflow};
use crate::server::Server;
use crate::world::{World, text};
use serde_json::{Value, json};
use tests::harness::{root, tools};
use tokio::process::Command;

/// A tool that is missing is a failure: the contract would go unchecked.
const MISSING: &str = "the published client is not installed; `cargo x test` does that, or: \
    npm install --no-save --prefix target/tools/connect @useparagon/connect@2.4.0";

fn file(server: &Server) -> Value {
    let answer = json!([{ "name": "answer", "response": { "status": 200, "body": {
        "n": "{{trigger.request.body.n}}", "page": "{{trigger.request.params.page}}",
        "source": "{{trigger.request.headers.x-source}}", "user": "{{userSettings.userId}}",
    } } }]);
    let note = json!([{ "name": "note",
        "integration_request": { "method": "POST", "path": "/note", "json": "{{1.event}}" } }]);
    let rules = json!({ "request": { "body": { "id": { "type": "string", "required": true } } } });
    let set = json!([{ "name": "answer", "response": { "status": 200, "body": {
        "channel": "{{settings.channel}}", "level": "{{settings.level}}",
        "list": "{{settings.list}}",
    } } }]);
    let mut asking = on_request("asking", &set);
    asking["default_enabled"] = json!(false);
    asking["inputs"] = json!([{ "id": "list", "type": "text", "required": true }]);
    let mut file = project(
        &server.url("/desk"),
        &[
            on_request("answer", &answer),
            on_request("accept", &note),
            workflow("strict", &rules, &note),
            on_order("order", &note),
            asking,
        ],
    );
    file["integrations"][0]["inputs"] = json!([
        { "id": "channel", "type": "text" },
        { "id": "level", "type": "enum", "options": ["all", "errors"], "default": "all" },
    ]);
    file
}

#[tokio::test]
async fn the_published_client_works_unmodified() {
    let client = tools().join("connect");
    assert!(client.join("node_modules/@useparagon/connect").is_dir(), "{MISSING}");
    let server = Server::start().await;
    let world = World::start(&file(&server)).await;
    let token = world.token("anna");
    let forged = format!("{}x", token.trim_end_matches(|c: char| c != '.'));
    let given = json!({
        "client": client.join("index.js"),
        "base": format!("http://{}", world.node.address),
        "project": world.api.project,
        "token": token,
        "forged": forged,
        "integration": DESK,
        "values": { "accessToken": "pasted-by-anna" },
        "workflows": { "answer": id("answer"), "accept": id("accept"), "strict": id("strict"),
            "asking": id("asking") },
    });
    let output = Command::new("node")
        .arg(root().join("tests/e2e/sdk/session.mjs"))
        .arg(given.to_string())
        .output()
        .await
        .expect("the published client needs Node");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    let (seen, shown) = (&told["seen"], serde_json::to_string_pretty(&told).unwrap());
    judge(seen, &shown);
    world.ended(&format!("?workflowId={}", id("order")), 1).await;
    let noted = server.seen("/desk/note");
    let order = noted.iter().find(|note| note["body"]["id"] == "order-1").expect("the order");
    assert_eq!(order["headers"]["authorization"], "Bearer pasted-by-anna");
}

fn judge(seen: &Value, shown: &str) {
    let thrown = |name: &str| text(&seen[name]["thrown"]);
    for name in ["authenticate", "install", "event", "workflow", "accepted", "enable", "again"] {
        assert_eq!(thrown(name), "", "{name}: {shown}");
    }
    assert_eq!(seen["before"], json!({ "authenticated": false }), "{shown}");
    assert_eq!(
        (&seen["user"]["authenticated"], &seen["user"]["userId"]),
        (&json!(true), &json!("anna"))
    );
    assert_eq!(seen["user"]["integrations"][DESK]["enabled"], false, "{shown}");
    assert!(seen["metadata"].as_array().unwrap().contains(&json!(DESK)), "{shown}");
    // It refuses by itself what has no account yet.
    assert_ne!(thrown("workflow before"), "", "{shown}");
    assert_eq!(seen["custom.desk asks"], json!(["accessToken"]), "{shown}");
    assert_eq!(seen["install"], "VALID", "{shown}");
    assert_eq!(seen["installed"]["enabled"], true, "{shown}");
    let on = &seen["installed"]["workflowSettings"][id("answer")]["enabled"];
    assert_eq!(on, &json!(true), "{shown}");
    let answer = json!({ "n": 2, "page": "7", "source": "app", "user": "anna" });
    assert_eq!(seen["workflow"], answer, "{shown}");
    assert!(seen["accepted"]["executionId"].is_string(), "{shown}");
    // An error arrives with its name, and signs nobody out.
    assert!(thrown("unknown event").contains("EVENT_UNKNOWN"), "{shown}");
    assert!(thrown("refused").contains("REQUEST_REFUSED"), "{shown}");
    assert_eq!(seen["still in"], true, "{shown}");
    assert_eq!(seen["disable"], Value::Null, "{shown}");
    assert_ne!(thrown("disabled"), "", "{shown}");
    assert_eq!(seen["enabled"]["n"], 4, "{shown}");
    let meta = &seen["set metadata"];
    assert_eq!(
        (&meta["Name"], &meta["plan"], &meta["seats"]),
        (&json!("Anna"), &json!("gold"), &json!(5))
    );
    judge_settings(seen, shown);
    assert_eq!(seen["uninstall"], Value::Null, "{shown}");
    assert_eq!(seen["uninstalled"], false, "{shown}");
    assert_eq!(seen["nothing left"], json!([]), "{shown}");
    assert!(thrown("forged").contains("7203"), "{shown}");
    assert_eq!(seen["out"], json!({ "authenticated": false }), "{shown}");
}

fn judge_settings(seen: &Value, shown: &str) {
    let thrown = |name: &str| text(&seen[name]["thrown"]);
    assert_eq!(seen["inputs"], json!([["channel", "level"], ["list"]]), "{shown}");
    assert!(thrown("enable early").contains("SETTINGS_MISSING"), "{shown}");
    assert_eq!((&seen["set shared"], &seen["set own"]), (&json!([]), &json!([])), "{shown}");
    assert!(thrown("set wrong").contains("SETTINGS_INVALID"), "{shown}");
    let set = json!({ "shared": { "channel": "C1" },
        "own": { "enabled": false, "settings": { "list": "L7" } } });
    assert_eq!(seen["set"], set, "{shown}");
    assert_eq!(seen["enable asking"], Value::Null, "{shown}");
    let asked = json!({ "channel": "C1", "level": "all", "list": "L7" });
    assert_eq!(seen["asked"], asked, "{shown}");
}
