//! A project changes while its workflows run.

use crate::project::{id, on_order, on_request, project};
use crate::server::Server;
use crate::world::{World, assert_error, text, until};
use serde_json::{Value, json};
use tests::harness::Api;

/// Waits until the gate is open, pauses, and tells `path`.
fn steps(server: &Server, path: &str) -> Value {
    json!([
        { "name": "wait", "request": { "url": server.url("/gate") } },
        { "name": "pause", "delay": { "value": 1, "unit": "seconds" } },
        { "name": "tell", "request": { "method": "POST", "url": server.url(path), "json": {} } },
    ])
}

async fn apply(world: &World, file: &Value) {
    Api::apply(&world.node, world.data(), file).await.unwrap();
}

/// Starts the workflow, and waits until it stands at the gate.
async fn begin(world: &World, server: &Server, token: &str) -> String {
    let before = server.seen("/gate").len();
    let answer = world.api.request(token, &id("run"), &json!({})).await.unwrap();
    assert_eq!(answer.status, 202, "{}", answer.shown());
    until("the gate", async || (server.seen("/gate").len() > before).then_some(())).await;
    text(&answer.json()["executionId"])
}

#[tokio::test]
async fn an_execution_ends_as_the_version_that_it_began_as() {
    let server = Server::start().await;
    let file = |steps: &Value| project(&server.url(""), &[on_request("run", steps)]);
    let world = World::start(&file(&steps(&server, "/first"))).await;
    let token = world.connected("anna").await;
    let old = begin(&world, &server, &token).await;
    // The second version has other steps at every place.
    let second = json!([
        { "name": "tell", "request": { "method": "POST", "url": server.url("/second"), "json": {} } },
    ]);
    apply(&world, &file(&second)).await;
    let new = world.run_through(&token, &id("run"), &json!({})).await;
    assert_eq!((new["status"].as_str(), server.seen("/second").len()), (Some("SUCCEEDED"), 1));
    assert!(server.seen("/first").is_empty());
    server.open();
    let run = world.run(&old).await;
    assert_eq!(run["status"], "SUCCEEDED", "{run}");
    assert_eq!(run["stepExecutions"].as_array().map(Vec::len), Some(4), "{run}");
    assert_eq!((server.seen("/first").len(), server.seen("/second").len()), (1, 1));
}

#[tokio::test]
async fn a_workflow_that_is_not_deployed_starts_nothing_and_ends_what_runs() {
    let server = Server::start().await;
    let told = json!([
        { "name": "tell", "request": { "method": "POST", "url": server.url("/order"), "json": {} } },
    ]);
    let file = |deployed: bool| {
        let mut workflows = [on_request("run", &steps(&server, "/told")), on_order("order", &told)];
        workflows.iter_mut().for_each(|workflow| workflow["deployed"] = json!(deployed));
        project(&server.url(""), &workflows)
    };
    let world = World::start(&file(true)).await;
    let token = world.connected("anna").await;
    let running = begin(&world, &server, &token).await;
    apply(&world, &file(false)).await;
    let answer = world.api.request(&token, &id("run"), &json!({})).await.unwrap();
    assert_error(&answer, 404, "WORKFLOW_UNKNOWN");
    let switch = format!("/sdk/workflows/{}", id("run"));
    assert_error(&world.call("POST", &switch, &token).await, 404, "WORKFLOW_UNKNOWN");
    world.order(&token, &json!({ "id": 1 })).await;
    server.open();
    assert_eq!(world.run(&running).await["status"], "SUCCEEDED");
    assert_eq!(server.seen("/told").len(), 1);
    // Deployed again, it is on for whom it was on.
    apply(&world, &file(true)).await;
    let again = world.run_through(&token, &id("run"), &json!({})).await;
    assert_eq!(again["status"], "SUCCEEDED");
    world.order(&token, &json!({ "id": 2 })).await;
    assert_eq!(world.ended("", 3).await.len(), 3, "the order of meanwhile started something");
    assert_eq!(server.seen("/order").len(), 1);
}

#[tokio::test]
async fn an_inactive_integration_starts_nothing_and_its_waiting_steps_go_on_afterwards() {
    let server = Server::start().await;
    let steps = json!([
        { "name": "wait", "request": { "url": server.url("/gate") } },
        { "name": "tell", "request": { "method": "POST", "url": server.url("/told"), "json": {} } },
    ]);
    let told = json!([
        { "name": "tell", "request": { "method": "POST", "url": server.url("/order"), "json": {} } },
    ]);
    let file = |active: bool| {
        let workflows = [on_request("run", &steps), on_order("order", &told)];
        let mut file = project(&server.url(""), &workflows);
        file["integrations"][0]["active"] = json!(active);
        file
    };
    let world = World::start(&file(true)).await;
    let token = world.connected("anna").await;
    let running = begin(&world, &server, &token).await;
    apply(&world, &file(false)).await;
    let answer = world.api.request(&token, &id("run"), &json!({})).await.unwrap();
    assert_error(&answer, 409, "WORKFLOW_DISABLED");
    world.order(&token, &json!({ "id": 1 })).await;
    server.open();
    // The step on its way ends; the next one waits.
    until("the pause", async || {
        let run = world.peek(&running).await?;
        (run["status"] == "DELAYED" && run["stepExecutions"][2]["status"] == "DELAYED")
            .then_some(())
    })
    .await;
    apply(&world, &file(true)).await;
    assert_eq!(world.run(&running).await["status"], "SUCCEEDED");
    assert_eq!(server.seen("/told").len(), 1);
    world.order(&token, &json!({ "id": 2 })).await;
    until("the second order", async || (!server.seen("/order").is_empty()).then_some(())).await;
    assert_eq!(server.seen("/order").len(), 1, "the order of meanwhile started something");
}

#[tokio::test]
async fn the_next_step_uses_a_secret_as_it_is_then() {
    let server = Server::start().await;
    let call = |name: &str, path: &str| {
        json!({ "name": name, "request": {
            "url": server.url(path), "headers": { "X-Key": "{{secrets.KEY}}" } } })
    };
    let steps = json!([call("before", "/before"), call("wait", "/gate"), call("after", "/after")]);
    let file = |secret: &str| {
        let mut file = project(&server.url(""), &[on_request("run", &steps)]);
        file["secrets"] = json!({ "KEY": secret });
        file
    };
    let world = World::start(&file("the old one")).await;
    let token = world.connected("anna").await;
    let running = begin(&world, &server, &token).await;
    apply(&world, &file("the new one")).await;
    server.open();
    assert_eq!(world.run(&running).await["status"], "SUCCEEDED");
    let sent = |path: &str| text(&server.seen(path)[0]["headers"]["x-key"]);
    assert_eq!((sent("/before"), sent("/after")), ("the old one".into(), "the new one".into()));
}

#[tokio::test]
async fn a_step_whose_secret_is_deleted_fails_and_names_it() {
    let server = Server::start().await;
    let after = json!({ "name": "after", "request": {
        "url": server.url("/after"), "headers": { "X-Key": "{{secrets.KEY}}" } } });
    let wait = json!({ "name": "wait", "request": { "url": server.url("/gate") } });
    let mut file = project(&server.url(""), &[on_request("run", &json!([wait, after]))]);
    file["secrets"] = json!({ "KEY": "k-1" });
    let world = World::start(&file).await;
    let token = world.connected("anna").await;
    let running = begin(&world, &server, &token).await;
    // A secret can only go when no workflow that is deployed refers to it.
    apply(&world, &project(&server.url(""), &[on_request("run", &json!([wait]))])).await;
    server.open();
    let run = world.run(&running).await;
    assert_eq!((&run["status"], &run["errorCode"]), (&json!("FAILED"), &json!("SECRET_UNKNOWN")));
    let error = world.step(&run, 2).await["output"]["error"].clone();
    assert!(text(&error["message"]).contains("KEY"), "{error}");
    assert_eq!(server.seen("/after").len(), 0);
}

#[tokio::test]
async fn steps_see_the_metadata_of_their_user() {
    let server = Server::start().await;
    let body = json!({
        "whole": "{{settings.metadata}}",
        "seats": "{{settings.metadata.team.seats}}",
        "short": "{{settings.plan}}",
        "text": "{{settings.userId}} is {{settings.metadata.plan}}",
    });
    let steps = json!([{ "name": "tell", "request": {
        "method": "POST", "url": server.url("/told"), "json": body } }]);
    let world = World::start(&project(&server.url(""), &[on_request("run", &steps)])).await;
    let meta = json!({ "plan": "gold", "team": { "seats": 3 } });
    for user in ["anna", "bert"] {
        let token = world.connected(user).await;
        if user == "anna" {
            let patch = json!({ "meta": meta });
            let path = "/sdk/me";
            let answer = world.api.call(hyper::Method::PATCH, path, &token, Some(&patch)).await;
            assert_eq!(answer.unwrap().status, 200);
        }
        world.run_through(&token, &id("run"), &json!({})).await;
    }
    let told: Vec<Value> = server.seen("/told").iter().map(|seen| seen["body"].clone()).collect();
    let annas = json!({ "whole": meta, "seats": 3, "short": "gold", "text": "anna is gold" });
    assert_eq!(told[0], annas);
    assert_ne!(told.get(1), Some(&annas), "bert has anna's metadata");
}

#[tokio::test]
async fn requests_go_out_with_the_method_that_the_step_says() {
    let server = Server::start().await;
    let with_body = ["POST", "PUT", "PATCH", "DELETE"];
    let mut steps = Vec::new();
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
        let mut plain = json!({ "method": method, "url": server.url("/plain") });
        let mut own = json!({ "method": method, "path": "/own" });
        if with_body.contains(&method) {
            plain["json"] = json!({ "a": method });
            own["json"] = json!({ "a": method });
        }
        steps.push(json!({ "name": format!("plain {method}"), "request": plain }));
        steps.push(json!({ "name": format!("own {method}"), "integration_request": own }));
    }
    let count = steps.len();
    let file = project(&server.url("/desk"), &[on_request("run", &Value::Array(steps))]);
    let world = World::start(&file).await;
    let token = world.connected("anna").await;
    let run = world.run_through(&token, &id("run"), &json!({})).await;
    assert_eq!(run["status"], "SUCCEEDED", "{run}");
    for step in 1..=count {
        let output = &world.step(&run, step).await["output"]["response"];
        assert_eq!(output["statusCode"], 200, "{step}: {output}");
    }
    for path in ["/plain", "/desk/own"] {
        let seen = server.seen(path);
        let methods: Vec<String> = seen.iter().map(|seen| text(&seen["method"])).collect();
        assert_eq!(methods, ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"], "{path}");
        for seen in seen.iter().filter(|seen| with_body.contains(&seen["method"].as_str().unwrap()))
        {
            assert_eq!(seen["body"], json!({ "a": seen["method"] }), "{path}");
        }
        for seen in &seen[..2] {
            assert_eq!(seen["body"], "", "{path}: {seen}");
        }
    }
}

#[tokio::test]
async fn an_earlier_version_is_named_restored_and_run_once_more() {
    let says = |text: &str| {
        on_request(
            "say",
            &json!([{ "name": "answer", "response": { "status": 200, "body": text } }]),
        )
    };
    let world = World::start(&project("http://127.0.0.1:9", &[says("one")])).await;
    let token = world.connected("anna").await;
    world.reapply(&project("http://127.0.0.1:9", &[says("two")])).await;
    let ask = async || world.api.request(&token, &id("say"), &json!({})).await.unwrap().json();
    assert_eq!(ask().await, "two");
    let path = |rest: &str| format!("/workflows/{}/versions{rest}", id("say"));
    let named = json!({ "name": "the first" });
    let answer = world.admin_with("PUT", &path("/1/name"), "", &named).await;
    assert_eq!(answer.status, 200, "{}", answer.shown());
    let answer =
        world.admin_with("POST", &path("/1/restore"), "", &json!({ "deploy": true })).await;
    let versions = answer.json()["versions"].clone();
    assert_eq!(versions.as_array().map(Vec::len), Some(3), "{}", answer.shown());
    assert_eq!((&versions[0]["version"], &versions[0]["isDeployed"]), (&json!(3), &json!(true)));
    assert_eq!((&versions[2]["name"], &versions[1]["name"]), (&json!("the first"), &json!(null)));
    until("the restored version", async || (ask().await == "one").then_some(())).await;
    let named = world.admin("GET", &path("?kind=named")).await.json();
    assert_eq!(named["versions"].as_array().map(Vec::len), Some(1));
    let answer = world.admin("POST", &path("/3/restore")).await;
    assert_error(&answer, 409, "VERSION_CURRENT");
    assert_error(&world.admin("GET", &path("?kind=good")).await, 400, "QUERY_MALFORMED");
}
