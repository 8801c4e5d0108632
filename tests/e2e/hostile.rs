//! Data that means harm: each step that it reaches fails with a clear error, and nothing else does.

use crate::project::{id, on_request, project};
use crate::server::Server;
use crate::world::{World, text};
use serde_json::{Value, json};

/// A function that gives so many items as the request says.
fn zeros() -> Value {
    json!({ "name": "list", "function":
        "function yourFunction({ n }) { return Array.from({ length: n }, () => 0); }",
        "parameters": { "n": "{{1.request.body.n}}" } })
}

/// A function that gives a text of so many letters as the request says.
fn large() -> Value {
    json!({ "name": "large", "function":
        "function yourFunction({ n }) { return 'x'.repeat(n); }",
        "parameters": { "n": "{{1.request.body.n}}" } })
}

fn over(value: &Value) -> Value {
    json!({ "name": "each", "fan_out": value, "steps": [{ "name": "wait", "delay": { "value": 0 } }] })
}

/// The error of a run's step; what it says is short, whatever it was given.
async fn error_of(world: &World, run: &Value, step: usize) -> (String, String) {
    assert_eq!(run["status"], "FAILED", "{run}");
    let output = world.step(run, step).await["output"].clone();
    assert!(output.to_string().len() < 10_000, "the error is a flood");
    (text(&output["error"]["code"]), text(&output["error"]["message"]))
}

#[tokio::test]
async fn a_fan_out_takes_a_million_items_and_fifty_megabytes_and_fails_by_name_over_more() {
    let often = vec!["{{large.result}}"; 60];
    let workflows = [
        on_request("many", &json!([zeros(), over(&json!("{{list.result}}"))])),
        on_request("large", &json!([large(), over(&json!(often))])),
    ];
    let world = World::start(&project("http://127.0.0.1:9", &workflows)).await;
    let token = world.connected("anna").await;
    let run = world.run_through(&token, &id("many"), &json!({ "n": 1_000_001 })).await;
    let (code, message) = error_of(&world, &run, 2).await;
    assert_eq!(code, "FAN_OUT_INVALID");
    assert_eq!(message, "The array has 1000001 items; a fan out takes 1000000.");
    let run = world.run_through(&token, &id("large"), &json!({ "n": 1_000_000 })).await;
    let (code, message) = error_of(&world, &run, 2).await;
    assert_eq!(code, "INPUT_TOO_LARGE");
    assert!(message.contains("52428800 bytes"), "{message}");
    // Few and small ones run as ever.
    for (name, n) in [("many", 3), ("large", 3), ("many", 0)] {
        let run = world.run_through(&token, &id(name), &json!({ "n": n })).await;
        assert_eq!(run["status"], "SUCCEEDED", "{name}: {run}");
    }
}

/// A step of each kind that is given a text of the template.
fn given(server: &Server, template: &str) -> Vec<(&'static str, Value)> {
    let request = |key: &str, value: Value| {
        let mut request = json!({ "method": "POST", "url": server.url("/sent") });
        request[key] = value;
        json!({ "request": request })
    };
    vec![
        ("json", request("json", json!({ "all": template }))),
        ("raw", request("raw", json!(template))),
        ("form", request("form", json!({ "all": template }))),
        ("multipart", request("multipart", json!({ "all": template }))),
        ("xml", request("xml", json!(format!("<a>{template}</a>")))),
        ("params", request("params", json!({ "all": template }))),
        ("headers", request("headers", json!({ "X-All": template }))),
        ("url", request("url", json!(server.url(&format!("/sent?{template}"))))),
        ("bearer", request("authorization", json!({ "bearer": template }))),
        ("path", json!({ "integration_request": { "path": format!("/sent?{template}") } })),
        (
            "parameters",
            json!({ "function": "function yourFunction() {}", "parameters": { "all": template } }),
        ),
        ("if", json!({ "if": { template: { "exactly_matches": "x" } } })),
        ("delay", json!({ "delay": { "value": template } })),
    ]
}

#[tokio::test]
async fn a_template_that_repeats_a_large_value_fails_by_name_in_every_kind_of_step() {
    let server = Server::start().await;
    let often = "{{large.result}}".repeat(20);
    let steps = given(&server, &often);
    let mut workflows = Vec::new();
    for (name, step) in &steps {
        let mut step = step.clone();
        step["name"] = json!("give");
        workflows.push(on_request(name, &json!([large(), step])));
    }
    let answer = json!({ "name": "give", "response": { "body": { "all": often } } });
    workflows.push(on_request("response", &json!([large(), answer])));
    let mut file = project(&server.url(""), &workflows);
    file["project"]["step_bytes_max"] = json!(1_000_000);
    let world = World::start(&file).await;
    let token = world.connected("anna").await;
    for (name, _) in &steps {
        let run = world.run_through(&token, &id(name), &json!({ "n": 100_000 })).await;
        let (code, message) = error_of(&world, &run, 2).await;
        assert_eq!(code, "INPUT_TOO_LARGE", "{name}: {message}");
        assert!(message.contains("bytes"), "{name}: {message}");
    }
    let asked = world.api.request(&token, &id("response"), &json!({ "n": 100_000 })).await.unwrap();
    assert_eq!(asked.status, 500, "{}", asked.shown());
    assert!(asked.body.len() < 10_000, "the answer is a flood");
    assert_eq!(server.count(), 0, "something was sent");
}

#[tokio::test]
async fn steps_that_double_what_they_are_given_end_where_it_gets_too_large() {
    const STEPS: usize = 40;
    let mut steps = vec![large()];
    for step in 0..STEPS {
        let before = if step == 0 { "large".to_owned() } else { format!("double {}", step - 1) };
        let before = format!("{{{{{before}.result}}}}");
        steps.push(json!({ "name": format!("double {step}"),
            "function": "function yourFunction({ all }) { return all; }",
            "parameters": { "all": [before, before] } }));
    }
    let mut file = project("http://127.0.0.1:9", &[on_request("double", &Value::Array(steps))]);
    file["project"]["step_bytes_max"] = json!(1_000_000);
    let world = World::start(&file).await;
    let token = world.connected("anna").await;
    let before = world.resident_bytes();
    let run = world.run_through(&token, &id("double"), &json!({ "n": 10_000 })).await;
    let last = run["stepExecutions"].as_array().unwrap().len() - 1;
    assert!(last < STEPS, "it was never too large: {last} steps");
    let (code, message) = error_of(&world, &run, last).await;
    assert!(["INPUT_TOO_LARGE", "FUNCTION_OUTPUT_TOO_LARGE"].contains(&code.as_str()), "{code}");
    assert!(message.contains("1000000 bytes"), "{message}");
    let grown = world.resident_bytes().saturating_sub(before);
    assert!(grown < 128 << 20, "the node grew by {grown} bytes");
}

#[tokio::test]
async fn what_looks_like_a_variable_stays_text_through_every_step() {
    let tricky = "{{secrets.KEY}} {{1.request.body}} {{list.result}}";
    let list = format!("function yourFunction() {{ return [{tricky:?}, {{ {tricky:?}: 1 }}]; }}");
    let pass = "function yourFunction({ item }) { return item; }";
    let steps = json!([
        { "name": "list", "function": list },
        { "name": "each", "fan_out": "{{list.result}}", "steps": [
            { "name": "pass", "function": pass, "parameters": { "item": "{{each.instance}}" } },
        ] },
        { "name": "join", "function": pass, "parameters": { "item": "{{pass.result}}" } },
        { "name": "same", "if": { "{{join.result[0]}}": { "exactly_matches": "{{list.result[0]}}" } },
            "then": [{ "name": "answer", "response": { "body":
                { "all": "{{join.result}}", "text": "is {{join.result[0]}}" } } }] },
    ]);
    let mut file = project("http://127.0.0.1:9", &[on_request("pass", &steps)]);
    file["secrets"] = json!({ "KEY": "s3cret" });
    let world = World::start(&file).await;
    let token = world.connected("anna").await;
    let answer = world.api.request(&token, &id("pass"), &json!({ "n": 1 })).await.unwrap();
    let expected = json!({ "all": [tricky, { tricky: 1 }], "text": format!("is {tricky}") });
    assert_eq!((answer.status, answer.json()), (200, expected), "{}", answer.shown());
}
