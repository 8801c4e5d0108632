//! The same steps for each item of an array.

use crate::project::{id, on_request, project};
use crate::world::{World, text, until};
use serde_json::{Value, json};

/// A function that gives an array of so many numbers as the request says.
fn list() -> Value {
    json!({ "name": "list", "function":
        "function yourFunction({ n }) { return Array.from({ length: n }, (_, i) => ({ i })); }",
        "parameters": { "n": "{{1.request.body.n}}" } })
}

/// Each item is doubled; the last step sums up what they gave, and says how many they were.
fn summing() -> Value {
    json!([
        list(),
        { "name": "each", "fan_out": "{{list.result}}", "steps": [
            { "name": "double", "function": "function yourFunction({ item }) { return item.i * 2; }",
              "parameters": { "item": "{{each.instance}}" } },
        ] },
        { "name": "sum", "function":
            "function yourFunction({ all }) { return [all.length, all.reduce((a, b) => a + b, 0), all[1]]; }",
          "parameters": { "all": "{{double.result}}" } },
    ])
}

fn nested() -> Value {
    json!([
        { "name": "each", "fan_out": [[1, 2], [], [3]], "steps": [
            { "name": "inner", "fan_out": "{{each.instance}}", "steps": [
                { "name": "square", "function": "function yourFunction({ n }) { return n * n; }",
                  "parameters": { "n": "{{inner.instance}}" } },
            ] },
            { "name": "total", "function":
                "function yourFunction({ all }) { return (all || []).reduce((a, b) => a + b, 0); }",
              "parameters": { "all": "{{square.result}}" } },
        ] },
        { "name": "last", "function": "function yourFunction({ all }) { return all; }",
          "parameters": { "all": "{{total.result}}" } },
    ])
}

/// Odd items fail.
fn failing(goes_on: bool) -> Value {
    json!([
        list(),
        { "name": "each", "continue_on_error": goes_on, "fan_out": "{{list.result}}", "steps": [
            { "name": "odd", "function":
                "function yourFunction({ item }) { if (item.i % 2) throw new Error('odd'); return item.i; }",
              "parameters": { "item": "{{each.instance}}" } },
        ] },
        { "name": "last", "function": "function yourFunction({ all, each }) { return { all, each }; }",
          "parameters": { "all": "{{odd.result}}", "each": "{{each}}" } },
    ])
}

fn file() -> Value {
    let over = |value: Value| {
        json!([
            { "name": "each", "fan_out": value, "steps": [{ "name": "wait", "delay": { "value": 0 } }] },
        ])
    };
    project(
        "http://127.0.0.1:9",
        &[
            on_request("sum", &summing()),
            on_request("nested", &nested()),
            on_request("failing", &failing(false)),
            on_request("in spite", &failing(true)),
            on_request("over", &over(json!("{{1.request.body.over}}"))),
        ],
    )
}

fn of_type(run: &Value, kind: &str) -> Vec<Value> {
    let steps = run["stepExecutions"].as_array().unwrap();
    steps.iter().filter(|step| step["type"] == kind).cloned().collect()
}

/// The position of the step executions of a kind.
fn place(run: &Value, step: &Value) -> usize {
    let steps = run["stepExecutions"].as_array().unwrap();
    steps.iter().position(|found| found["id"] == step["id"]).unwrap()
}

#[tokio::test]
async fn items_run_and_what_they_gave_is_an_array_in_their_order() {
    let world = World::start(&file()).await;
    let token = world.connected("anna").await;
    let run = world.run_through(&token, &id("sum"), &json!({ "n": 1_500 })).await;
    assert_eq!((&run["status"], &run["taskCount"]), (&json!("SUCCEEDED"), &json!(1_502)), "{run}");
    let fans = of_type(&run, "TRANSITION/MAP");
    assert_eq!((fans.len(), &fans[0]["status"]), (1, &json!("SUCCEEDED")));
    // The step behind the fan out stands before its items.
    let last = of_type(&run, "ACTION/FUNCTION")[1].clone();
    let last = world.step(&run, place(&run, &last)).await;
    assert_eq!(last["output"], json!({ "result": [1_500, 1_499 * 1_500, 2] }));
    let items = of_type(&run, "TRANSITION/MAP_ITEM");
    assert_eq!(items.len(), 100, "the first ones are shown");
    let item = world.run(&text(&items[3]["workflowExecutionId"])).await;
    assert_eq!(world.step(&item, 0).await["output"], json!({ "i": 3 }));
    assert_eq!(world.step(&item, 1).await["output"], json!({ "result": 6 }));
    let listed = world.history("").await;
    assert_eq!(listed["total"], 1, "items are no executions of their own");
}

#[tokio::test]
async fn a_fan_out_within_a_fan_out_and_one_over_nothing_are_joined() {
    let world = World::start(&file()).await;
    let token = world.connected("anna").await;
    let run = world.run_through(&token, &id("nested"), &json!({})).await;
    assert_eq!(run["status"], "SUCCEEDED", "{run}");
    let last = of_type(&run, "ACTION/FUNCTION")[0].clone();
    let last = world.step(&run, place(&run, &last)).await;
    assert_eq!(last["output"], json!({ "result": [5, 0, 9] }));
}

/// Not only for what is performed, as a function is: also for what is decided at once.
#[tokio::test]
async fn what_items_gave_is_an_array_for_a_conditional_and_a_response_too() {
    let double = json!({ "name": "double", "function":
        "function yourFunction({ item }) { return item * 2; }",
        "parameters": { "item": "{{each.instance}}" } });
    let answer = |name: &str, is: bool| json!([{ "name": name, "response": { "body": { "is": is, "all": "{{double.result}}" } } }]);
    let steps = json!([
        { "name": "each", "fan_out": "{{1.request.body.over}}", "steps": [double] },
        { "name": "two", "if": { "{{double.result[1]}}": { "equals": 4 } },
            "then": answer("yes", true), "else": answer("no", false) },
    ]);
    let world = World::start(&project("http://127.0.0.1:9", &[on_request("is", &steps)])).await;
    let token = world.connected("anna").await;
    let answer = world.api.request(&token, &id("is"), &json!({ "over": [1, 2, 3] })).await.unwrap();
    let expected = json!({ "is": true, "all": [2, 4, 6] });
    assert_eq!((answer.status, answer.json()), (200, expected), "{}", answer.shown());
}

#[tokio::test]
async fn items_that_fail_leave_the_others_alone() {
    let world = World::start(&file()).await;
    let token = world.connected("anna").await;
    let run = world.run_through(&token, &id("failing"), &json!({ "n": 4 })).await;
    assert_eq!((&run["status"], &run["errorCode"]), (&json!("FAILED"), &json!("FUNCTION_FAILED")));
    let items = of_type(&run, "ACTION/FUNCTION");
    assert_eq!(items.iter().filter(|step| step["status"] == "SUCCEEDED").count(), 3, "{run}");
    let run = world.run_through(&token, &id("in spite"), &json!({ "n": 4 })).await;
    assert_eq!(run["status"], "SUCCEEDED", "{run}");
    let last = of_type(&run, "ACTION/FUNCTION")[1].clone();
    let output = world.step(&run, place(&run, &last)).await["output"].clone();
    assert_eq!(output["result"]["all"], json!([0, null, 2, null]));
    assert_eq!(output["result"]["each"]["failed"], 2);
}

#[tokio::test]
async fn what_is_no_array_fails_by_name_and_what_is_not_there_is_passed_over() {
    let world = World::start(&file()).await;
    let token = world.connected("anna").await;
    for over in [json!(5), json!("x"), json!({ "a": 1 })] {
        let run = world.run_through(&token, &id("over"), &json!({ "over": over })).await;
        assert_eq!(run["errorCode"], "FAN_OUT_INVALID", "{run}");
    }
    for over in [json!([]), json!(null)] {
        let run = world.run_through(&token, &id("over"), &json!({ "over": over })).await;
        assert_eq!(run["status"], "SUCCEEDED", "{run}");
    }
}

#[tokio::test]
async fn a_fan_out_goes_on_where_it_was_when_the_node_is_killed() {
    let world = World::start(&file()).await;
    let token = world.connected("anna").await;
    let answer = world.api.request(&token, &id("sum"), &json!({ "n": 3_000 })).await.unwrap();
    let execution = text(&answer.json()["executionId"]);
    until("some items", async || {
        let run = world.peek(&execution).await?;
        (run["taskCount"].as_i64()? > 200).then_some(())
    })
    .await;
    let world = world.killed().await;
    let run = world.run(&execution).await;
    assert_eq!((&run["status"], &run["taskCount"]), (&json!("SUCCEEDED"), &json!(3_002)), "{run}");
}

#[tokio::test]
async fn cancelling_ends_every_item() {
    let world = World::start(&file()).await;
    let token = world.connected("anna").await;
    let answer = world.api.request(&token, &id("sum"), &json!({ "n": 2_000 })).await.unwrap();
    let execution = text(&answer.json()["executionId"]);
    until("some items", async || {
        let run = world.peek(&execution).await?;
        (run["taskCount"].as_i64()? > 50).then_some(())
    })
    .await;
    let answer = world.admin("POST", &format!("/executions/{execution}/cancel")).await;
    assert_eq!(answer.status, 200, "{}", answer.shown());
    assert_eq!(world.run(&execution).await["status"], "FAILED");
    until("no step that waits", async || {
        let metrics = world.open("GET", "/metrics").await;
        let text = String::from_utf8_lossy(&metrics.body).into_owned();
        let mut waiting = text.lines().filter(|line| line.starts_with("millrace_effects_waiting"));
        waiting.all(|line| line.ends_with(" 0")).then_some(())
    })
    .await;
}
