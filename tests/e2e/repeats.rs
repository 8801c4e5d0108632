//! `Idempotency-Key` on everything that changes something: done once, answered the same.

use crate::project::{DESK, id, on_request, project};
use crate::server::Server;
use crate::world::{World, assert_error, text, until};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};
use tests::harness::{Answer, Node};

/// A request with an `Idempotency-Key`.
struct Keyed<'a> {
    method: &'a str,
    url: String,
    bearer: &'a str,
    body: &'a Value,
    /// A header that says which account is meant; empty: none does.
    account: &'a str,
}

async fn send(world: &World, key: &str, request: &Keyed<'_>) -> Answer {
    let mut built = Request::builder()
        .method(request.method)
        .uri(&request.url)
        .header("authorization", format!("Bearer {}", request.bearer))
        .header("content-type", "application/json")
        .header("idempotency-key", key);
    if !request.account.is_empty() {
        built = built.header("x-paragon-credential", request.account);
    }
    let body = match request.body {
        Value::Null => Bytes::new(),
        body => Bytes::from(body.to_string()),
    };
    world.api.client.send(built.body(Full::new(body)).unwrap()).await.unwrap()
}

/// Records of a type in the log.
async fn logged(world: &World, kind: &str) -> usize {
    let said = Node::tell(world.data(), &["log", "grep", "--json", "--type", kind]).await.unwrap();
    said.out.lines().count()
}

/// Sends it three times: it is done once, and each answer is the first.
async fn assert_done_once(world: &World, kind: &str, key: &str, request: &Keyed<'_>) {
    let before = logged(world, kind).await;
    let first = send(world, key, request).await;
    assert_eq!(first.status, 200, "{kind}: {}", first.shown());
    for _ in 0..2 {
        let again = send(world, key, request).await;
        assert_eq!((again.status, again.json()), (200, first.json()), "{kind}: {}", again.shown());
    }
    assert_eq!(logged(world, kind).await - before, 1, "{kind}");
}

async fn assert_reused(world: &World, key: &str, request: &Keyed<'_>) {
    let answer = send(world, key, request).await;
    assert_error(&answer, 422, "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test]
async fn whatever_a_user_changes_is_changed_once() {
    let steps = json!([{ "name": "answer", "response": { "status": 200 } }]);
    let world = World::start(&project("http://127.0.0.1:9", &[on_request("run", &steps)])).await;
    let token = world.token("anna");
    let ask = |method, path: &str, body| Keyed {
        method,
        url: world.api.url(path),
        bearer: &token,
        body,
        account: "",
    };
    let account =
        |token: &str| json!({ "integrationId": DESK, "payload": { "accessToken": token } });
    let (one, other) = (account("one"), account("other"));
    let connect = ask("POST", "/sdk/credentials", &one);
    assert_done_once(&world, "CredentialConnected", "connect", &connect).await;
    assert_reused(&world, "connect", &ask("POST", "/sdk/credentials", &other)).await;

    let (meta, more) =
        (json!({ "meta": { "plan": "gold" } }), json!({ "meta": { "plan": "tin" } }));
    let describe = ask("PATCH", "/sdk/me", &meta);
    assert_done_once(&world, "UserDescribed", "describe", &describe).await;
    assert_reused(&world, "describe", &ask("PATCH", "/sdk/me", &more)).await;
    let me = world.call("GET", "/sdk/me", &token).await.json();
    assert_eq!(me["meta"]["plan"], "gold", "{me}");

    let accounts = world.call("GET", "/sdk/credentials", &token).await.json();
    let credential = text(&accounts[0]["id"]);
    let switch = format!("/sdk/workflows/{}", id("run"));
    for (method, key) in [("DELETE", "off"), ("POST", "on")] {
        let whole = ask(method, &switch, &Value::Null);
        assert_done_once(&world, "WorkflowSwitched", key, &whole).await;
        let narrowed = Keyed { account: &credential, ..whole };
        assert_reused(&world, key, &narrowed).await;
    }
    // The repeated switch of before does not undo what came after it.
    send(&world, "off", &ask("DELETE", &switch, &Value::Null)).await;
    let answer = world.api.request(&token, &id("run"), &json!({})).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.shown());

    let path = format!("/sdk/integrations/{DESK}");
    let remove = ask("DELETE", &path, &Value::Null);
    assert_done_once(&world, "CredentialRemoved", "remove", &remove).await;
    // Connected again, the repeated removal does not take it away.
    world.api.connect(&token, DESK, "anna").await.unwrap();
    assert_eq!(send(&world, "remove", &remove).await.status, 200);
    let accounts = world.call("GET", "/sdk/credentials", &token).await.json();
    assert_eq!(accounts.as_array().map(Vec::len), Some(1), "{accounts}");
    let narrowed = Keyed { account: &text(&accounts[0]["id"]), ..remove };
    assert_reused(&world, "remove", &narrowed).await;
}

#[tokio::test]
async fn what_was_connected_and_removed_is_answered_as_the_first_time() {
    let steps = json!([{ "name": "answer", "response": { "status": 200 } }]);
    let world = World::start(&project("http://127.0.0.1:9", &[on_request("run", &steps)])).await;
    let token = world.token("anna");
    let body = json!({
        "integrationId": DESK, "payload": { "accessToken": "one" }, "providerId": "7",
        "installOptions": { "externalId": "work" },
    });
    let connect = Keyed {
        method: "POST",
        url: world.api.url("/sdk/credentials"),
        bearer: &token,
        body: &body,
        account: "",
    };
    let first = send(&world, "connect", &connect).await;
    assert_eq!(first.status, 200, "{}", first.shown());
    let remove = Keyed {
        method: "DELETE",
        url: world.api.url(&format!("/sdk/integrations/{DESK}")),
        bearer: &token,
        body: &Value::Null,
        account: "ext:work",
    };
    assert_done_once(&world, "CredentialRemoved", "remove", &remove).await;
    until("the account is gone", async || {
        let left = world.call("GET", "/sdk/credentials", &token).await.json();
        (left == json!([])).then_some(())
    })
    .await;
    assert_eq!(send(&world, "remove", &remove).await.status, 200);
    assert_error(&send(&world, "another", &remove).await, 404, "CREDENTIAL_UNKNOWN");
    let again = send(&world, "connect", &connect).await;
    assert_eq!((again.status, again.json()), (200, first.json()));
}

#[tokio::test]
async fn whatever_the_team_changes_is_changed_once() {
    let pause = json!([{ "name": "pause", "delay": { "value": 1, "unit": "days" } }]);
    let world = World::start(&project("http://127.0.0.1:9", &[on_request("pause", &pause)])).await;
    let token = world.connected("anna").await;
    let key = std::fs::read_to_string(world.data().join("admin.key")).unwrap();
    let ask = |path: &str| Keyed {
        method: "POST",
        url: format!("http://{}/admin/v1/projects/{}{path}", world.node.address, id("project")),
        bearer: key.trim(),
        body: &Value::Null,
        account: "",
    };
    let started = world.api.request(&token, &id("pause"), &json!({})).await.unwrap().json();
    let execution = text(&started["executionId"]);
    until("its run", async || world.peek(&execution).await).await;
    let cancelled = format!("/executions/{execution}/cancel");
    let cancel = ask(&cancelled);
    assert_done_once(&world, "ExecutionFinished", "cancel", &cancel).await;
    assert_reused(&world, "cancel", &Keyed { body: &json!({ "why": "late" }), ..ask(&cancelled) })
        .await;
    // Another key is another cancel, and the run is over.
    assert_error(&send(&world, "cancel it again", &cancel).await, 409, "EXECUTION_FINISHED");

    assert_done_once(&world, "UserSwitched", "key", &ask("/users/anna/disable")).await;
    let other = json!({ "why": "late" });
    assert_reused(&world, "key", &Keyed { body: &other, ..ask("/users/anna/disable") }).await;
    assert_done_once(&world, "UserSwitched", "key", &ask("/users/anna/enable")).await;
    send(&world, "key", &ask("/users/anna/disable")).await;
    let answer = world.api.request(&token, &id("pause"), &json!({})).await.unwrap();
    assert_eq!(answer.status, 202, "the repeat disabled her again: {}", answer.shown());
}

#[tokio::test]
async fn a_542_is_not_the_answer_and_the_key_gets_it_later() {
    let server = Server::start().await;
    let steps = json!([
        { "name": "wait", "request": { "url": server.url("/gate") } },
        { "name": "answer", "response": { "status": 201, "body": { "done": true } } },
    ]);
    let file = project(&server.url(""), &[on_request("late", &steps)]);
    let world = World::start_with(&file, &[("HTTP__RESPONSE_TIMEOUT_MS", "300")]).await;
    let token = world.connected("anna").await;
    let body = json!({ "n": 1 });
    let request = Keyed {
        method: "POST",
        url: world.api.url(&format!("/sdk/triggers/{}", id("late"))),
        bearer: &token,
        body: &body,
        account: "",
    };
    let mut executions = Vec::new();
    for _ in 0..2 {
        let answer = send(&world, "k", &request).await;
        assert_eq!(answer.status, 542, "{}", answer.shown());
        executions.push(text(&answer.json()["executionId"]));
    }
    assert_eq!(executions[0], executions[1]);
    server.open();
    assert_eq!(world.run(&executions[0]).await["status"], "SUCCEEDED");
    for _ in 0..2 {
        let answer = send(&world, "k", &request).await;
        assert_eq!((answer.status, answer.json()), (201, json!({ "done": true })));
    }
    assert_reused(&world, "k", &Keyed { body: &json!({ "n": 2 }), ..request }).await;
    assert_eq!(world.history("").await["total"], 1);
    assert_eq!(server.seen("/gate").len(), 1);
}
