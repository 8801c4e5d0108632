//! One user's floods and poison beside other users.

use crate::project::{id, on_order, on_request, project, workflow};
use crate::server::Server;
use crate::world::{World, text, until};
use serde_json::{Value, json};
use tests::harness::Node;

const DOUBLE: &str = "function yourFunction({ n }) { return n * 2; }";

fn double(from: &str) -> Value {
    json!([{ "name": "double", "function": DOUBLE, "parameters": { "n": from } }])
}

fn answered() -> Value {
    let mut steps = double("{{trigger.request.body.n}}");
    let answer = json!({ "name": "answer", "response": { "body": { "n": "{{double.result}}" } } });
    steps.as_array_mut().unwrap().push(answer);
    on_request("answer", &steps)
}

fn file() -> Value {
    project("http://127.0.0.1:9", &[on_order("double", &double("{{1.event.n}}")), answered()])
}

/// Sends a thousand orders so many times. What is told to come later is sent again.
async fn flood(world: &World, token: &str, batches: usize) {
    let event = json!({ "name": "Order Placed", "payload": { "n": 1 } });
    let mut left = batches * 1_000;
    while left > 0 {
        let body = json!({ "events": vec![&event; left.min(1_000)] });
        let path = "/sdk/events/batch";
        let answer = world.api.call(hyper::Method::POST, path, token, Some(&body)).await.unwrap();
        assert_eq!(answer.status, 201, "{}", answer.shown());
        let results = answer.json()["results"].as_array().unwrap().clone();
        assert!(results.iter().all(|one| one["status"] == 201 || one["status"] == 429));
        left -= results.iter().filter(|one| one["status"] == 201).count();
    }
}

async fn assert_answered(world: &World, token: &str, n: u32) {
    let answer = world.api.request(token, &id("answer"), &json!({ "n": n })).await.unwrap();
    assert_eq!((answer.status, answer.json()), (200, json!({ "n": n * 2 })), "{}", answer.shown());
}

#[tokio::test]
async fn ten_thousand_events_of_a_disabled_user_start_nothing() {
    let world = World::start(&file()).await;
    let (anna, mallory) = (world.connected("anna").await, world.connected("mallory").await);
    assert_eq!(world.admin("POST", "/users/mallory/disable").await.status, 200);
    flood(&world, &mallory, 10).await;
    assert_answered(&world, &anna, 4).await;
    world.order(&anna, &json!({ "n": 1 })).await;
    world.ended("?userId=anna", 2).await;
    until("every event of mallory", async || {
        let metrics = world.open("GET", "/metrics").await.shown();
        let lags = metrics.lines().filter(|line| line.starts_with("millrace_projection_lag{"));
        lags.clone().all(|line| line.ends_with(" 0")).then_some(())
    })
    .await;
    assert_eq!(world.history("?userId=mallory").await["total"], 0);
    let folder = world.stop().await;
    let count = async |arguments: &[&str]| {
        let said =
            Node::tell(folder.path(), &[&["log", "grep"], arguments].concat()).await.unwrap();
        said.out.lines().count()
    };
    // Each was decided, and left its record.
    assert_eq!(count(&["--user", "mallory", "--type", "EventReceived"]).await, 10_000);
    assert_eq!(count(&["--user", "mallory", "--type", "ExecutionStarted"]).await, 0);
}

#[tokio::test]
async fn events_of_a_workflow_that_is_off_start_nothing() {
    let world = World::start(&file()).await;
    let (anna, mallory) = (world.connected("anna").await, world.connected("mallory").await);
    let switch = format!("/sdk/workflows/{}", id("double"));
    assert_eq!(world.call("DELETE", &switch, &mallory).await.status, 200);
    flood(&world, &mallory, 5).await;
    assert_answered(&world, &anna, 4).await;
    assert_answered(&world, &mallory, 5).await;
    assert_eq!(world.call("POST", &switch, &mallory).await.status, 200);
    world.order(&mallory, &json!({ "n": 2 })).await;
    let rows = world.ended(&format!("?workflowId={}", id("double")), 1).await;
    assert_eq!(rows.len(), 1, "only what came after it was on");
}

#[tokio::test]
async fn a_flood_of_one_user_leaves_others_their_turns() {
    let world = World::start(&file()).await;
    let (anna, mallory) = (world.connected("anna").await, world.connected("mallory").await);
    flood(&world, &mallory, 20).await;
    let waiting = async || {
        let done = world.history("?userId=mallory&status=SUCCEEDED").await["total"].as_u64();
        20_000 - done.unwrap()
    };
    let before = waiting().await;
    for n in 0..10 {
        assert_answered(&world, &anna, n).await;
    }
    let after = waiting().await;
    assert!(before > 0 && after > 0, "anna waited for all of mallory: {before}, then {after}");
    assert!(world.resident_bytes() < 1 << 30, "{} bytes", world.resident_bytes());
    until("the whole flood", async || (waiting().await == 0).then_some(())).await;
}

/// What no step after it can do anything with.
fn poisons(server: &Server) -> Vec<(&'static str, Value)> {
    let function = |code: &str| json!({ "name": "make", "function": code });
    let deep =
        "function yourFunction() { let a = 1; for (let i = 0; i < 1000; i++) a = [a]; return a; }";
    let large = "function yourFunction() { return 'x'.repeat(900000); }";
    let many = "function yourFunction() { return Array(200000).fill(1.5); }";
    let surrogate = "function yourFunction() { return '\\ud83d'; }";
    let numbers =
        "function yourFunction() { return { a: 1e308 * 10, b: NaN, c: -0, d: 2 ** 70 }; }";
    let proto =
        "function yourFunction() { return JSON.parse('{\"__proto__\":{\"x\":1},\"\":[]}'); }";
    let choose =
        |left: &str| json!({ "name": "choose", "if": { left: { "contains": "x" } }, "then": [] });
    let echo = |value: &str| {
        json!({ "name": "echo", "function": "function yourFunction(p) { return p; }",
        "parameters": { "value": value, "again": [value, value] } })
    };
    let wait =
        |value: &str| json!({ "name": "wait", "delay": { "value": value, "unit": "seconds" } });
    let ask = |path: &str| json!({ "name": "ask", "request": { "url": server.url(path) } });
    vec![
        ("deep", json!([function(deep), choose("{{make.result}}"), echo("{{make.result}}")])),
        ("deep delay", json!([function(deep), wait("{{make.result}}")])),
        ("deep answer", json!([ask("/deep/5000"), choose("{{ask.response.body}}")])),
        ("large", json!([function(large), choose("{{make.result}}"), echo("{{make.result}}")])),
        ("large text", json!([function(large), choose("a {{make.result}} {{make.result}}")])),
        ("many", json!([function(many), choose("{{make.result}}"), echo("{{make.result}}")])),
        (
            "surrogate",
            json!([function(surrogate), choose("{{make.result}}"), echo("{{make.result}}")]),
        ),
        ("numbers", json!([function(numbers), choose("{{make.result}}"), echo("{{make.result}}")])),
        ("proto", json!([function(proto), choose("{{make.result}}"), echo("{{make.result}}")])),
        (
            "word",
            json!([
                function("function yourFunction() { return 'soon'; }"),
                wait("{{make.result}}")
            ]),
        ),
        (
            "ages",
            json!([function("function yourFunction() { return 1e300; }"), wait("{{make.result}}")]),
        ),
        (
            "past",
            json!([function("function yourFunction() { return -5; }"), wait("{{make.result}}")]),
        ),
        ("address", json!([{ "name": "ask", "request": { "url": "{{1.request.body}}" } }])),
        ("file", json!([{ "name": "answer", "response": { "type": "file", "body": "no file" } }])),
        (
            "garbage",
            json!([
                ask("/garbage"),
                choose("{{ask.response.body}}"),
                echo("{{ask.response.body}}")
            ]),
        ),
    ]
}

#[tokio::test]
async fn a_poisoned_execution_ends_and_those_behind_it_run() {
    let server = Server::start().await;
    let mut workflows = vec![answered()];
    for (name, steps) in poisons(&server) {
        workflows.push(workflow(name, &json!({ "request": {} }), &steps));
    }
    let mut file = project(&server.url(""), &workflows);
    file["project"]["step_bytes_max"] = json!(1_000_000);
    let world = World::start(&file).await;
    let (anna, mallory) = (world.connected("anna").await, world.connected("mallory").await);
    let mut runs = Vec::new();
    for (name, _) in poisons(&server) {
        let answer = world.api.request(&mallory, &id(name), &json!({})).await.unwrap();
        let execution = text(&answer.json()["executionId"]);
        assert!(answer.status == 202 || answer.status >= 400, "{name}: {}", answer.shown());
        runs.push((name, execution));
        assert_answered(&world, &mallory, 1).await;
        assert_answered(&world, &anna, 2).await;
    }
    for (name, execution) in runs.iter().filter(|(_, execution)| !execution.is_empty()) {
        let run = world.run(execution).await;
        let last = run["stepExecutions"].as_array().unwrap().len() - 1;
        let step = world.step(&run, last).await;
        if run["status"] == "FAILED" {
            let message = text(&step["output"]["error"]["message"]);
            assert!(!message.is_empty(), "{name}: {step}");
        }
        for index in 0..last {
            world.step(&run, index).await;
        }
    }
    let folder = world.stop().await;
    let said = Node::tell(folder.path(), &["verify"]).await.unwrap();
    assert!(said.out.contains(" 0 differ from a rebuild"), "{}{}", said.out, said.err);
}
