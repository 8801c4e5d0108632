//! What users set for their accounts, as steps read it.

use crate::project::{DESK, id, on_order, on_request, project};
use crate::server::Server;
use crate::world::{World, text};
use hyper::Method;
use serde_json::{Value, json};
use tests::harness::{Answer, Node};

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

#[tokio::test]
async fn a_workflow_that_waits_for_an_integration_to_be_enabled_runs_once_for_each_account() {
    let server = Server::start().await;
    let sync = json!([
        { "name": "sync", "integration_request": { "method": "POST", "path": "/sync",
            "json": { "channel": "{{settings.channel}}", "user": "{{settings.userId}}" } } },
    ]);
    let mut waiting = on_order("sync", &sync);
    waiting["trigger"] = json!("integration_enabled");
    waiting.as_object_mut().unwrap().remove("default_enabled");
    let mut file = project(&server.url("/desk"), &[waiting]);
    file["integrations"][0]["inputs"] =
        json!([{ "id": "channel", "type": "text", "required": true }]);
    let world = World::start(&file).await;
    let token = world.connected("anna").await;
    // No user sees it.
    let all = world.call("GET", "/sdk/integrations", &token).await.json();
    let desk = all.as_array().unwrap().iter().find(|one| one["name"] == "Desk").unwrap();
    assert_eq!(desk["configs"][0]["values"]["workflowMeta"][id("sync")]["hidden"], true);
    let shared = |channel: &str| json!({ "sharedSettings": { "channel": channel } });
    assert_eq!(save(&world, &token, &shared("")).await.status, 200);
    assert_eq!(save(&world, &token, &shared("C1")).await.status, 200);
    let runs = world.ended("", 1).await;
    let run = world.run(&text(&runs[0]["id"])).await;
    assert_eq!(run["stepExecutions"][0]["type"], "TRIGGER/INTEGRATION_ENABLED", "{run}");
    let synced = server.seen("/desk/sync");
    assert_eq!(synced[0]["body"], json!({ "channel": "C1", "user": "anna" }));
    // Whatever is taken back and set again, also after the node was killed, it was enabled.
    let world = world.killed().await;
    assert_eq!(save(&world, &token, &shared("")).await.status, 200);
    assert_eq!(save(&world, &token, &shared("C2")).await.status, 200);
    let bert = world.connected("bert").await;
    assert_eq!(save(&world, &bert, &shared("C3")).await.status, 200);
    world.ended("", 2).await;
    let synced: Vec<Value> =
        server.seen("/desk/sync").iter().map(|one| one["body"]["user"].clone()).collect();
    assert_eq!(synced, ["anna", "bert"]);
}

/// The display options of connect-portal/displaying-workflows: on by default, hidden for everybody.
#[tokio::test]
async fn what_is_on_by_default_is_so_for_who_connects_from_then_on_and_can_be_hidden() {
    let server = Server::start().await;
    let file = |on: bool, more: &Value| {
        let send = json!([{ "name": "send", "integration_request": { "method": "POST",
            "path": "/sent", "json": { "user": "{{settings.userId}}" } } }]);
        let mut flow = on_order("flow", &send);
        flow["default_enabled"] = json!(on);
        flow["hidden"] = json!(true);
        flow["inputs"] = more.clone();
        project(&server.url("/desk"), &[flow])
    };
    let world = World::start(&file(false, &json!([]))).await;
    let anna = world.connected("anna").await;
    world.reapply(&file(true, &json!([]))).await;
    let bert = world.connected("bert").await;
    let all = world.call("GET", "/sdk/integrations", &bert).await.json();
    let desk = all.as_array().unwrap().iter().find(|one| one["name"] == "Desk").unwrap();
    assert_eq!(desk["configs"][0]["values"]["workflowMeta"][id("flow")]["hidden"], true, "{desk}");
    for token in [&anna, &bert] {
        world.order(token, &json!({})).await;
    }
    world.ended("", 1).await;
    // It was off for anna before, and can be switched on although it is hidden.
    let path = format!("/sdk/workflows/{}", id("flow"));
    assert_eq!(world.call("POST", &path, &anna).await.status, 200);
    world.order(&anna, &json!({})).await;
    world.ended("", 2).await;
    let seen = server.seen("/desk/sent");
    let users: Vec<&Value> = seen.iter().map(|one| &one["body"]["user"]).collect();
    assert_eq!(users, ["bert", "anna"]);
    // What its users must be asked for first cannot be on by itself.
    let asks = json!([{ "id": "list", "type": "text", "required": true }]);
    let path = world.data().join("refused.json");
    std::fs::write(&path, file(true, &asks).to_string()).unwrap();
    let said = Node::tell(world.data(), &["apply", &path.to_string_lossy()]).await.unwrap();
    assert_eq!(said.code, Some(2), "{}{}", said.out, said.err);
    assert!(said.err.contains("workflows[0].default_enabled"), "{}", said.err);
}

#[tokio::test]
async fn a_workflow_that_is_not_for_a_user_is_neither_shown_nor_switched_on_nor_run() {
    let server = Server::start().await;
    let send = json!([{ "name": "send", "integration_request": {
        "method": "POST", "path": "/gold", "json": "{{trigger.event}}" } }]);
    let mut gold = on_order("gold", &send);
    gold["permissions"] = json!({ "{{settings.plan}}": { "exactly_matches": "gold" } });
    let world = World::start(&project(&server.url("/desk"), &[gold])).await;
    let token = world.token("anna");
    let describe = async |plan: &str| {
        let body = json!({ "meta": { "plan": plan } });
        let answer = world.api.call(Method::PATCH, "/sdk/me", &token, Some(&body)).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.shown());
    };
    let shown = async || {
        let all = world.call("GET", "/sdk/integrations", &token).await.json();
        let desk = all.as_array().unwrap().iter().find(|one| one["name"] == "Desk").cloned();
        let desk = desk.unwrap();
        let meta = &desk["configs"][0]["values"]["workflowMeta"][id("gold")];
        assert!(meta["permissions"].is_array() && meta["hidden"] == false, "{desk}");
        (desk["workflows"].as_array().unwrap().len(), desk["noPermissionWorkflows"].clone())
    };
    let enabled = async || {
        let account = account(&world, &token).await;
        account["config"]["configuredWorkflows"][id("gold")]["enabled"].clone()
    };
    let enable =
        async || world.call("POST", &format!("/sdk/workflows/{}", id("gold")), &token).await;
    describe("silver").await;
    world.api.connect(&token, DESK, "anna").await.unwrap();
    assert_eq!(shown().await, (0, json!([id("gold")])));
    assert_eq!(enabled().await, false);
    let refused = enable().await;
    assert_eq!(refused.json()["meta"]["error"], "WORKFLOW_UNPERMITTED", "{}", refused.shown());
    describe("gold").await;
    assert_eq!(shown().await, (1, json!([])));
    assert_eq!(enable().await.status, 200);
    world.order(&token, &json!({ "n": 1 })).await;
    world.ended("", 1).await;
    describe("silver").await;
    describe("gold").await;
    assert_eq!(enabled().await, false, "it does not come back by itself");
    world.order(&token, &json!({ "n": 2 })).await;
    assert_eq!(enable().await.status, 200);
    world.order(&token, &json!({ "n": 3 })).await;
    world.ended("", 2).await;
    let sent: Vec<Value> =
        server.seen("/desk/gold").iter().map(|one| one["body"]["n"].clone()).collect();
    assert_eq!(sent, [1, 3]);
}

#[tokio::test]
async fn a_trigger_gives_the_payload_as_the_user_mapped_it() {
    let server = Server::start().await;
    let send = json!([{ "name": "send", "integration_request": {
        "method": "POST", "path": "/{{trigger.objectName}}",
        "json": { "new": "{{trigger.mappedIntegrationObject}}", "old": "{{1.originalPayload}}" } } }]);
    let mut push = on_order("push", &send);
    push["trigger"]["field_mapping"] = json!("task");
    let mut file = project(&server.url("/desk"), &[push]);
    file["integrations"][0]["inputs"] =
        json!([{ "id": "task", "type": "field_mapping", "fields": ["title"], "required": true }]);
    let world = World::start(&file).await;
    let token = world.connected("anna").await;
    let task = json!({ "objectMapping": "Task", "fieldMappings": { "title": "Subject" } });
    let shared = json!({ "sharedSettings": { "task": task } });
    assert_eq!(save(&world, &token, &shared).await.status, 200);
    let payload = json!({ "title": "Call", "more": { "title": "x" } });
    world.order(&token, &payload).await;
    let runs = world.ended("", 1).await;
    let sent = server.seen("/desk/Task");
    assert_eq!(sent[0]["body"], json!({ "new": { "Subject": "Call" }, "old": payload }));
    let trigger = world.step(&world.run(&text(&runs[0]["id"])).await, 0).await;
    assert_eq!(trigger["output"]["mappedIntegrationObject"], json!({ "Subject": "Call" }));
}
