//! Whole steps.

use super::job::{NOW, action, get, job, local_runner, post};
use super::server::{Server, answer};
use domain::workflow::Action;
use ports::Outbound;
use serde_json::json;
use std::sync::Arc;

#[tokio::test]
async fn an_answer_becomes_the_step_s_output() {
    let server = Server::start(|_| {
        answer(201, &[("content-type", "application/json"), ("X-Request-Id", "r1")], r#"{"id":1}"#)
    })
    .await;
    let mut request = post(&server.url("/tasks"));
    request.body = domain::workflow::Body::Json(json!({ "event": "{{1.event.id}}" }));
    let outcome = local_runner().perform(job(Action::Request(request))).await;
    assert_eq!(outcome.failure, None);
    assert_eq!(outcome.started_at, NOW);
    assert_eq!(outcome.status, Some(201));
    let response = &outcome.output["response"];
    assert_eq!(response["statusCode"], 201);
    assert_eq!(response["body"], json!({ "id": 1 }));
    assert_eq!(response["headers"]["x-request-id"], "r1");
    assert_eq!(outcome.input["body"], json!({ "event": 7 }));
    assert_eq!(outcome.input["method"], "POST");
    let seen = server.seen().pop().unwrap();
    assert_eq!(seen.body, r#"{"event":7}"#);
    assert_eq!(seen.header("host").unwrap(), format!("127.0.0.1:{}", server.port));
}

#[tokio::test]
async fn a_refusal_by_the_provider_keeps_its_answer_and_says_when_to_come_back() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/busy" => answer(429, &[("retry-after", "3")], "slow down"),
        "/date" => answer(503, &[("retry-after", "Thu, 01 Jan 1970 00:16:42 GMT")], ""),
        _ => answer(404, &[], "nothing"),
    })
    .await;
    for (path, status, wait) in
        [("/busy", 429, Some(3000)), ("/date", 503, Some(2000)), ("/gone", 404, None)]
    {
        let outcome = local_runner().perform(job(get(&server.url(path)))).await;
        let failure = outcome.failure.unwrap();
        assert_eq!(failure.code, "REQUEST_FAILED");
        assert_eq!((failure.retryable, failure.retry_after_ms), (true, wait), "{path}");
        assert_eq!(outcome.output["response"]["statusCode"], status);
        assert_eq!(outcome.output["error"]["code"], "REQUEST_FAILED");
        assert_eq!(outcome.status, Some(status));
    }
}

#[tokio::test]
async fn an_integration_s_request_carries_its_token_and_history_does_not() {
    let server = Server::start(|_| answer(200, &[], "")).await;
    let step = json!({ "integration_request": { "method": "GET", "url": "/me" } });
    let mut job = job(action(step));
    Arc::make_mut(&mut job.integration).base_url = server.url("");
    let outcome = local_runner().perform(job).await;
    assert_eq!(outcome.failure, None, "{}", outcome.output);
    let seen = server.seen().pop().unwrap();
    assert_eq!(seen.header("authorization"), Some("Bearer t0ken"));
    assert!(!outcome.input.to_string().contains("t0ken"), "{}", outcome.input);
}

#[tokio::test]
async fn another_domain_is_refused_in_the_words_that_people_know() {
    let server = Server::start(|_| answer(200, &[], "")).await;
    let step = json!({ "integration_request": { "method": "GET", "url": server.url("/") } });
    let outcome = local_runner().perform(job(action(step))).await;
    assert_eq!(outcome.failure.unwrap().code, "DOMAIN_INVALID");
    let expected = "This domain is invalid for the current integration";
    assert_eq!(outcome.output["error"]["message"], expected);
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn attempts_share_their_idempotency_key() {
    let server = Server::start(|_| answer(500, &[], "")).await;
    for _ in 0..2 {
        let request = Action::Request(post(&server.url("/")));
        local_runner().perform(job(request)).await;
    }
    let keys: Vec<_> = server
        .seen()
        .iter()
        .map(|seen| seen.header("idempotency-key").map(str::to_owned))
        .collect();
    assert!(keys[0].is_some());
    assert_eq!(keys[0], keys[1]);
}

#[tokio::test]
async fn a_function_sees_its_parameters_and_history_no_secrets() {
    let step = json!({ "function": {
        "code": "function yourFunction({ id, key }, libraries) {\n return { id: id + 1, length: key.length, libraries };\n}",
        "parameters": { "id": "{{1.event.id}}", "key": "{{secrets.KEY}}" },
    }});
    let outcome = local_runner().perform(job(action(step))).await;
    assert_eq!(outcome.output, json!({ "result": { "id": 8, "length": 6, "libraries": {} } }));
    assert_eq!(outcome.failure, None);
    assert_eq!(outcome.status, None);
    assert_eq!(outcome.input["parameters"], json!({ "id": 7, "key": "[hidden]" }));
}

#[tokio::test]
async fn a_function_that_throws_is_a_failure_with_its_words() {
    let step = json!({ "function": { "code": "function yourFunction() { throw new Error('no such task'); }" }});
    let outcome = local_runner().perform(job(action(step))).await;
    assert_eq!(outcome.failure.unwrap().code, "FUNCTION_FAILED");
    let message = outcome.output["error"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("Error: no such task\n    at yourFunction (function.js:1:"),
        "{message}"
    );
}

#[tokio::test]
async fn a_secret_that_was_deleted_is_named() {
    let step = json!({ "function": { "code": "", "parameters": { "key": "{{secrets.OLD}}" } }});
    let outcome = local_runner().perform(job(action(step))).await;
    assert_eq!(outcome.failure.unwrap().code, "SECRET_UNKNOWN");
    assert!(outcome.output["error"]["message"].as_str().unwrap().contains("OLD"));
}

#[tokio::test]
async fn steps_that_do_not_act_and_steps_that_are_not_there_fail_clearly() {
    let mut nowhere = job(get("http://127.0.0.1/"));
    nowhere.call.index = 9;
    let outcome = local_runner().perform(nowhere).await;
    assert_eq!(outcome.failure.unwrap().code, "STEP_UNKNOWN");
    let delay = action(json!({ "delay": { "value": 1 } }));
    let outcome = local_runner().perform(job(delay)).await;
    assert_eq!(outcome.failure.unwrap().code, "STEP_NOT_OUTBOUND");
}
