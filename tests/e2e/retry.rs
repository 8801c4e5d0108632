//! Steps that fail: repeated, passed over, or the end of the run.

use crate::project::{id, on_request, project};
use crate::server::Server;
use crate::world::{World, text, until};
use serde_json::{Value, json};

fn call(name: &str, url: &str) -> Value {
    json!({ "name": name, "request": { "method": "POST", "url": url, "json": { "a": 1 } } })
}

/// The step with one more key.
fn with(mut step: Value, key: &str) -> Value {
    step[key] = json!(true);
    step
}

#[tokio::test]
async fn a_step_that_failed_is_tried_again_and_says_so() {
    let server = Server::start().await;
    let retried = with(call("push", &server.url("/flaky/push")), "auto_retry");
    let plain = call("push", &server.url("/flaky/other"));
    let file = project(
        &server.url(""),
        &[on_request("retried", &json!([retried])), on_request("plain", &json!([plain]))],
    );
    let world = World::start(&file).await;
    let token = world.connected("anna").await;
    let answer = world.api.request(&token, &id("retried"), &json!({})).await.unwrap();
    let execution = text(&answer.json()["executionId"]);
    // Meanwhile: one without retries fails at once.
    let failed = world.run_through(&token, &id("plain"), &json!({})).await;
    assert_eq!(failed["status"], "FAILED");
    assert_eq!(world.step(&failed, 1).await["output"]["error"]["code"], "REQUEST_FAILED");
    // It waits for its next attempt: the run is not over.
    let waiting = until("the first attempt", async || {
        let run = world.peek(&execution).await.expect("the run that was accepted");
        (server.seen("/flaky/push").len() == 1 && run["stepExecutions"][1]["status"] != "EXECUTING"
            || server.seen("/flaky/push").len() == 2)
            .then_some(run)
    })
    .await;
    assert!(waiting["dateEnded"].is_null() || server.seen("/flaky/push").len() == 2);
    let run = world.run(&execution).await;
    assert_eq!(run["status"], "SUCCEEDED");
    assert_eq!(run["taskCount"], 1, "all attempts are one task");
    let seen = server.seen("/flaky/push");
    assert_eq!(seen.len(), 2);
    let key = |n: usize| text(&seen[n]["headers"]["idempotency-key"]);
    assert_eq!((key(0), key(0).is_empty()), (key(1), false), "attempts share their key");
    let step = world.step(&run, 1).await;
    assert_eq!(step["output"]["response"]["statusCode"], 200);
    // Both attempts are told, and what each gave.
    let told = &run["stepExecutions"][1];
    assert_eq!((&told["attemptCount"], &told["errorCode"]), (&json!(2), &Value::Null));
    let attempts = told["attempts"].as_array().unwrap();
    assert_eq!(
        (&attempts[0]["status"], &attempts[1]["status"]),
        (&json!("FAILED"), &json!("SUCCEEDED"))
    );
    assert_eq!(attempts[0]["errorCode"], "REQUEST_FAILED");
    assert!(attempts[0]["end"].as_str() < attempts[0]["retryAt"].as_str(), "{told}");
    assert!(attempts[0]["retryAt"].as_str() <= attempts[1]["start"].as_str(), "{told}");
    let first = world.attempt(&run, 1, 1).await;
    assert_eq!(first["output"]["error"]["code"], "REQUEST_FAILED");
    assert_eq!((&step["attempt"], &first["attempt"]), (&json!(2), &json!(1)));
    // About ten seconds, a tenth more or less.
    let began = chrono_ms(&run["stepExecutions"][1]["start"]);
    let ended = chrono_ms(&run["stepExecutions"][1]["end"]);
    assert!((8_900..30_000).contains(&(ended - began)), "{} ms", ended - began);
}

/// Milliseconds of the day of an ISO 8601 moment.
fn chrono_ms(moment: &Value) -> i64 {
    let text = text(moment);
    let time = text.split('T').nth(1).unwrap().trim_end_matches('Z').to_owned();
    let part = |range: std::ops::Range<usize>| time[range].parse::<i64>().unwrap();
    (part(0..2) * 3_600 + part(3..5) * 60 + part(6..8)) * 1_000 + part(9..12)
}

#[tokio::test]
async fn a_step_that_is_passed_over_leaves_its_error_to_later_ones() {
    let server = Server::start().await;
    let over = |step: Value| with(step, "continue_on_error");
    let broken = json!({ "name": "calc", "function": "function yourFunction() { throw new Error('no luck'); }" });
    let steps = json!([
        over(call("ask", &server.url("/status/404"))),
        over(broken),
        { "name": "was it",
          "if": { "{{ask.response.statusCode}}": { "equals": 404 }, "{{calc.error.message}}": "exists" },
          "then": [{ "name": "tell", "request": { "method": "POST", "url": server.url("/told"),
              "json": { "status": "{{ask.response.statusCode}}", "why": "{{calc.error.message}}" } } }] },
    ]);
    let world = World::start(&project(&server.url(""), &[on_request("over", &steps)])).await;
    let token = world.connected("anna").await;
    let run = world.run_through(&token, &id("over"), &json!({})).await;
    assert_eq!(run["status"], "SUCCEEDED", "{run}");
    let told = &server.seen("/told")[0]["body"];
    assert_eq!(told["status"], 404);
    assert!(text(&told["why"]).contains("no luck"), "{told}");
    let statuses: Vec<String> =
        run["stepExecutions"].as_array().unwrap().iter().map(|s| text(&s["status"])).collect();
    assert_eq!(statuses, ["SUCCEEDED", "FAILED", "FAILED", "SUCCEEDED", "SUCCEEDED"]);
    assert_eq!(run["taskCount"], 1, "only what succeeded is a task");
}

#[tokio::test]
async fn a_step_that_failed_for_good_ends_the_run_and_nothing_after_it_happens() {
    let server = Server::start().await;
    let steps =
        json!([call("ask", &server.url("/status/400")), call("tell", &server.url("/told"))]);
    let world = World::start(&project(&server.url(""), &[on_request("end", &steps)])).await;
    let token = world.connected("anna").await;
    let run = world.run_through(&token, &id("end"), &json!({})).await;
    assert_eq!(run["status"], "FAILED");
    assert_eq!(run["stepExecutions"].as_array().unwrap().len(), 2);
    assert_eq!(server.seen("/told").len(), 0);
    let step = world.step(&run, 1).await;
    assert_eq!(step["output"]["error"]["code"], "REQUEST_FAILED");
    assert_eq!(step["output"]["response"]["statusCode"], 400);
    assert_eq!(step["input"]["method"], "POST", "{step}");
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_a_clear_error() {
    let server = Server::start().await;
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let cases = [
        ("closed port", format!("http://{gone}/"), "CONNECTION_FAILED"),
        ("not HTTP", "ftp://127.0.0.1/".to_owned(), "URL_INVALID"),
        ("no host", "http://".to_owned(), "URL_INVALID"),
        ("no name", "http://nothing.invalid/".to_owned(), "CONNECTION_FAILED"),
    ];
    let steps = json!([{ "name": "ask", "request": { "url": "{{trigger.request.body.url}}" } }]);
    let world = World::start(&project(&server.url(""), &[on_request("ask", &steps)])).await;
    let token = world.connected("anna").await;
    for (what, url, code) in cases {
        let run = world.run_through(&token, &id("ask"), &json!({ "url": url })).await;
        assert_eq!(run["status"], "FAILED", "{what}");
        let step = world.step(&run, 1).await;
        assert_eq!(step["output"]["error"]["code"], code, "{what}: {step}");
        assert!(!text(&step["output"]["error"]["message"]).is_empty(), "{what}");
    }
}
