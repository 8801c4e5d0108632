//! What users set for their accounts, as steps read it.

use crate::project::{DESK, id, on_order, on_request, project};
use crate::server::Server;
use crate::world::{World, text};
use hyper::Method;
use serde_json::{Value, json};
use tests::harness::Answer;

/// Two workflows that send what they can read to the server; only one asks for a list.
fn file(server: &Server) -> Value {
    let read = |name: &str| {
        json!([{ "name": "send", "integration_request": {
            "method": "POST", "path": format!("/{name}"),
            "json": { "channel": "{{settings.channel}}", "pin": "{{settings.pin}}",
                "level": "{{settings.level}}", "list": "{{settings.list}}" },
        } }])
    };
    let mut own = on_order("own", &read("own"));
    own["default_enabled"] = json!(false);
    own["inputs"] = json!([{ "id": "list", "type": "text", "required": true }]);
    let mut file = project(&server.url("/desk"), &[own, on_order("other", &read("other"))]);
    file["integrations"][0]["inputs"] = json!([
        { "id": "channel", "type": "text", "required": true },
        { "id": "pin", "type": "password" },
        { "id": "level", "type": "number", "default": 3 },
    ]);
    file
}

async fn account(world: &World, token: &str) -> Value {
    let path = format!("/sdk/credentials?integration={DESK}");
    let answer = world.call("GET", &path, token).await;
    assert_eq!(answer.status, 200, "{}", answer.shown());
    answer.json()
}

async fn save(world: &World, token: &str, config: &Value) -> Answer {
    let id = text(&account(world, token).await["id"]);
    let path = format!("/sdk/credentials/{id}");
    let body = json!({ "config": config });
    world.api.call(Method::PATCH, &path, token, Some(&body)).await.unwrap()
}

#[tokio::test]
async fn steps_read_what_their_integration_and_their_own_workflow_were_given() {
    let server = Server::start().await;
    let world = World::start(&file(&server)).await;
    let token = world.connected("anna").await;
    // Connected, but what is required is not set: nothing starts.
    world.order(&token, &json!({ "n": 1 })).await;
    let shared = json!({ "sharedSettings": { "channel": "C1", "pin": "pin-of-anna" } });
    assert_eq!(save(&world, &token, &shared).await.status, 200);
    let own = json!({ id("own"): { "enabled": true, "settings": { "list": "L7" } } });
    assert_eq!(save(&world, &token, &json!({ "workflowSettings": own })).await.status, 200);
    world.order(&token, &json!({ "n": 2 })).await;
    world.ended("", 2).await;
    let of = |name: &str| {
        let seen = server.seen(&format!("/desk/{name}"));
        let bodies: Vec<Value> = seen.iter().map(|one| one["body"].clone()).collect();
        bodies
    };
    let own = json!({ "channel": "C1", "pin": "pin-of-anna", "level": 3, "list": "L7" });
    let other = json!({ "channel": "C1", "pin": "pin-of-anna", "level": 3, "list": null });
    assert_eq!((of("own"), of("other")), (vec![own], vec![other]));
    // History does not show a password.
    let runs = world.history(&format!("?workflowId={}", id("own"))).await;
    let run = world.run(&text(&runs["workflowExecutions"][0]["id"])).await;
    let step = world.step(&run, 1).await;
    assert!(step.to_string().contains("[hidden]"), "{step}");
    assert!(!step["input"].to_string().contains("pin-of-anna"), "{step}");
    // It outlives the node, whatever it had saved.
    let world = world.killed().await;
    let shown = account(&world, &token).await;
    assert_eq!(shown["config"]["sharedSettings"], shared["sharedSettings"], "{shown}");
    assert_eq!(shown["config"]["configuredWorkflows"][id("own")]["settings"]["list"], "L7");
    world.order(&token, &json!({ "n": 3 })).await;
    world.ended("", 4).await;
}

#[tokio::test]
async fn a_project_file_that_requires_more_stops_what_was_on_until_it_is_set() {
    let server = Server::start().await;
    let answer = json!([{ "name": "answer", "response": { "status": 200,
        "body": "{{settings.zone}}" } }]);
    let mut file = project(&server.url("/desk"), &[on_request("ask", &answer)]);
    let world = World::start(&file).await;
    let token = world.connected("anna").await;
    let ask =
        async |world: &World| world.api.request(&token, &id("ask"), &json!({})).await.unwrap();
    assert_eq!(ask(&world).await.json(), Value::Null);
    file["integrations"][0]["inputs"] = json!([{ "id": "zone", "type": "text", "required": true }]);
    world.reapply(&file).await;
    let refused = ask(&world).await;
    assert_eq!(refused.status, 409, "{}", refused.shown());
    assert_eq!(refused.json()["meta"]["error"], "SETTINGS_MISSING");
    assert!(text(&refused.json()["message"]).contains("zone"), "{}", refused.shown());
    let shared = json!({ "sharedSettings": { "zone": "eu" } });
    assert_eq!(save(&world, &token, &shared).await.status, 200);
    assert_eq!(ask(&world).await.json(), "eu");
}
