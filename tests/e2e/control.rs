//! Answers, repeats, cancels, switches: how a caller steers what runs.

use crate::project::{API_KEY, DESK, id, nobody, on_request, project, workflow};
use crate::server::Server;
use crate::world::{World, assert_error, text, until};
use serde_json::{Value, json};
use tests::harness::root;

fn respond(status: u16, body: &Value) -> Value {
    json!([{ "name": "answer", "response": { "status": status, "body": body } }])
}

#[tokio::test]
async fn a_response_step_answers_the_caller_and_without_one_it_is_accepted() {
    let server = Server::start().await;
    let body =
        json!({ "got": "{{trigger.request.body.n}}", "text": "n={{trigger.request.body.n}}" });
    let file_steps = json!([{ "name": "answer", "response": { "type": "file", "body": {
        "name": "a.csv", "data": "612c620a", "mimeType": "text/csv", "dataType": "FILE" } } }]);
    let later = json!([
        { "name": "answer", "response": { "status": 201, "body": { "done": false } } },
        { "name": "tell", "request": { "method": "POST", "url": server.url("/told"), "json": {} } },
    ]);
    let never = json!([{ "name": "choose", "if": { "{{trigger.request.body.n}}": { "equals": 1 } },
        "then": [{ "name": "answer", "response": { "status": 200 } }] }]);
    let file = project(
        &server.url(""),
        &[
            on_request("answer", &respond(418, &body)),
            on_request("file", &file_steps),
            on_request("later", &later),
            on_request("never", &never),
            on_request("none", &json!([{ "name": "f", "function": "function yourFunction() {}" }])),
        ],
    );
    let world = World::start(&file).await;
    let token = world.connected("anna").await;
    let ask =
        async |name: &str, body: Value| world.api.request(&token, &id(name), &body).await.unwrap();
    let answer = ask("answer", json!({ "n": 7 })).await;
    assert_eq!((answer.status, answer.json()), (418, json!({ "got": 7, "text": "n=7" })));
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let answer = ask("file", json!({})).await;
    assert_eq!((answer.status, &answer.body[..]), (200, &b"a,b\n"[..]));
    assert_eq!(answer.header("content-type"), "text/csv");
    let answer = ask("later", json!({})).await;
    assert_eq!((answer.status, answer.json()), (201, json!({ "done": false })));
    until("what comes after", async || (server.seen("/told").len() == 1).then_some(())).await;
    assert_error(&ask("never", json!({ "n": 2 })).await, 500, "EXECUTION_WITHOUT_RESPONSE");
    assert_eq!(ask("never", json!({ "n": 1 })).await.status, 200);
    let answer = ask("none", json!({})).await;
    assert_eq!(answer.status, 202, "{}", answer.shown());
    let run = world.run(&text(&answer.json()["executionId"])).await;
    assert_eq!(run["status"], "SUCCEEDED");
}

#[tokio::test]
async fn a_response_that_is_late_is_542_and_its_run_goes_on() {
    let server = Server::start().await;
    let steps = json!([
        { "name": "wait", "request": { "url": server.url("/gate") } },
        { "name": "answer", "response": { "status": 200, "body": {} } },
    ]);
    let file = project(&server.url(""), &[on_request("late", &steps)]);
    let world = World::start_with(&file, &[("HTTP__RESPONSE_TIMEOUT_MS", "300")]).await;
    let token = world.connected("anna").await;
    let answer = world.api.request(&token, &id("late"), &json!({})).await.unwrap();
    assert_eq!(answer.status, 542, "{}", answer.shown());
    let body = answer.json();
    assert_eq!(body["message"], "Workflow has been enqueued but has not completed.");
    assert_eq!(
        (&body["projectId"], &body["workflowId"]),
        (&json!(id("project")), &json!(id("late")))
    );
    assert!(text(&body["dateSubmitted"]).ends_with('Z'), "{body}");
    let execution = text(&body["executionId"]);
    let running = world.peek(&execution).await.expect("the id that was answered leads to the run");
    assert_eq!(running["status"], "EXECUTING");
    server.open();
    assert_eq!(world.run(&execution).await["status"], "SUCCEEDED");
}

#[tokio::test]
async fn what_a_workflow_does_not_admit_is_answered_at_once_and_starts_nothing() {
    let trigger = json!({ "request": {
        "headers": { "X-Source": { "value": "app" } },
        "params": { "page": { "required": true } },
        "body": {
            "login": { "type": "string", "required": true },
            "mail": { "type": "email" }, "count": { "type": "non_decimal" },
            "on": { "type": "date" }, "tags": { "type": "array" },
        },
    } });
    let file = workflow("strict", &trigger, &respond(200, &json!({ "in": "{{trigger.request}}" })));
    let world = World::start(&project("http://127.0.0.1:9", &[file])).await;
    let token = world.connected("anna").await;
    let bearer = format!("Bearer {token}");
    let path = format!("/sdk/triggers/{}", id("strict"));
    let ask = async |query: &str, source: &str, body: &str| {
        let headers = [
            ("authorization", bearer.as_str()),
            ("x-source", source),
            ("content-type", "application/json"),
        ];
        world.post(&format!("{path}{query}"), &headers, body.to_owned().into()).await
    };
    let good = r#"{"login":"a","mail":"a@b","count":2,"on":"2024-05-01","tags":[]}"#;
    let answer = ask("?page=2&page=3", "app", good).await;
    assert_eq!(answer.status, 200, "{}", answer.shown());
    let seen = &answer.json()["in"];
    assert_eq!(seen["headers"]["x-source"], "app", "{seen}");
    assert_eq!(seen["body"]["count"], 2);
    let refused = [
        ("", "app", good, "page"),
        ("?page=1", "other", good, "X-Source"),
        ("?page=1", "app", "{}", "login"),
        ("?page=1", "app", r#"{"login":7}"#, "STRING"),
        ("?page=1", "app", r#"{"login":"a","mail":"nobody"}"#, "EMAIL"),
        ("?page=1", "app", r#"{"login":"a","count":1.5}"#, "NON_DECIMAL"),
        ("?page=1", "app", r#"{"login":"a","on":"soon"}"#, "DATE"),
        ("?page=1", "app", r#"{"login":"a","tags":{}}"#, "ARRAY"),
        ("?page=1", "app", r#"{"login":"a","more":1}"#, "more"),
        ("?page=1", "app", "[]", "object"),
    ];
    for (query, source, body, word) in refused {
        let answer = ask(query, source, body).await;
        assert_error(&answer, 400, "REQUEST_REFUSED");
        assert!(answer.shown().contains(word), "{word}: {}", answer.shown());
    }
    assert_eq!(world.ended("", 1).await.len(), 1);
}

#[tokio::test]
async fn a_request_may_be_a_form_a_text_or_a_file() {
    let file = on_request("echo", &respond(200, &json!("{{trigger.request.body}}")));
    let with_file = on_request("file", &respond(200, &json!("{{trigger.request}}")));
    let world = World::start(&project("http://127.0.0.1:9", &[file, with_file])).await;
    let bearer = format!("Bearer {}", world.connected("anna").await);
    let ask = async |name: &str, kind: &str, body: &str| {
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        let path = format!("/sdk/triggers/{}?", id(name));
        let answer = world.post(&path, &headers, body.to_owned().into()).await;
        assert_eq!(answer.status, 200, "{kind}: {}", answer.shown());
        answer.json()
    };
    assert_eq!(ask("echo", "application/json", r#"{"a":[1]}"#).await, json!({ "a": [1] }));
    assert_eq!(
        ask("echo", "application/x-www-form-urlencoded", "a=1&b=x+y").await,
        json!({ "a": "1", "b": "x y" })
    );
    assert_eq!(ask("echo", "text/plain", "hello").await, json!("hello"));
    let part = |name: &str, more: &str, body: &str| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n{body}\r\n")
    };
    let form = part("note", "", "hi")
        + &part("paragon-file", "; filename=\"a.txt\"\r\nContent-Type: text/plain", "abc")
        + "--x--\r\n";
    let seen = ask("file", "multipart/form-data; boundary=x", &form).await;
    assert_eq!(seen["body"], json!({ "note": "hi" }));
    let file = &seen["file"];
    assert_eq!(
        (&file["name"], &file["data"], &file["mimeType"], &file["dataType"]),
        (&json!("a.txt"), &json!("616263"), &json!("text/plain"), &json!("FILE"))
    );
}

#[tokio::test]
async fn a_repeated_idempotency_key_gives_the_first_answer() {
    let server = Server::start().await;
    let steps = json!([
        { "name": "ask", "request": { "method": "POST", "url": server.url("/asked"), "json": {} } },
        { "name": "answer", "response": { "status": 200, "body": { "n": "{{trigger.request.body.n}}" } } },
    ]);
    let slow = json!([
        { "name": "wait", "request": { "url": server.url("/gate") } },
        { "name": "answer", "response": { "status": 200, "body": { "slow": true } } },
    ]);
    let file = project(&server.url(""), &[on_request("ask", &steps), on_request("slow", &slow)]);
    let world = World::start(&file).await;
    let (anna, bert) = (world.connected("anna").await, world.connected("bert").await);
    let send = async |token: &str, path: &str, key: &str, body: Value| {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
        world.post(path, &headers, body.to_string().into()).await
    };
    let path = format!("/sdk/triggers/{}", id("ask"));
    let first = send(&anna, &path, "k-1", json!({ "n": 1 })).await;
    assert_eq!((first.status, first.json()), (200, json!({ "n": 1 })));
    let again = send(&anna, &path, "k-1", json!({ "n": 1 })).await;
    assert_eq!((again.status, again.json()), (200, json!({ "n": 1 })));
    assert_error(
        &send(&anna, &path, "k-1", json!({ "n": 2 })).await,
        422,
        "IDEMPOTENCY_KEY_REUSED",
    );
    // The key is anna's alone, and the address's.
    assert_eq!(send(&bert, &path, "k-1", json!({ "n": 3 })).await.json(), json!({ "n": 3 }));
    let event = json!({ "name": "Order Placed", "payload": {} });
    for _ in 0..2 {
        assert_eq!(send(&anna, "/sdk/events/trigger", "k-1", event.clone()).await.status, 201);
    }
    let other = json!({ "name": "Order Placed", "payload": { "x": 1 } });
    let answer = send(&anna, "/sdk/events/trigger", "k-1", other).await;
    assert_error(&answer, 422, "IDEMPOTENCY_KEY_REUSED");
    for key in ["", " ", &"k".repeat(256)] {
        let answer = send(&anna, &path, key, json!({ "n": 1 })).await;
        assert_error(&answer, 400, "IDEMPOTENCY_KEY_MALFORMED");
    }
    assert_eq!(server.seen("/asked").len(), 2);
    // Still running: the repeat waits for the one answer.
    let path = format!("/sdk/triggers/{}", id("slow"));
    let two = futures_util::future::join(
        send(&anna, &path, "k-2", json!({})),
        send(&anna, &path, "k-2", json!({})),
    );
    let open = async {
        until("the one call", async || (server.seen("/gate").len() == 1).then_some(())).await;
        server.open();
    };
    let ((one, other), ()) = futures_util::future::join(two, open).await;
    assert_eq!((one.status, other.status), (200, 200), "{} {}", one.shown(), other.shown());
    assert_eq!(one.json(), other.json());
    assert_eq!(server.seen("/gate").len(), 1);
}

#[tokio::test]
async fn a_delayed_execution_can_be_cancelled_once() {
    let server = Server::start().await;
    let steps = json!([
        { "name": "pause", "delay": { "value": 1, "unit": "days" } },
        { "name": "tell", "request": { "url": server.url("/told") } },
    ]);
    let world = World::start(&project(&server.url(""), &[on_request("pause", &steps)])).await;
    let token = world.connected("anna").await;
    let answer = world.api.request(&token, &id("pause"), &json!({})).await.unwrap();
    let execution = text(&answer.json()["executionId"]);
    let delayed = world.peek(&execution).await.unwrap();
    assert_eq!((&delayed["status"], &delayed["dateEnded"]), (&json!("DELAYED"), &Value::Null));
    let path = format!("/executions/{execution}/cancel");
    let answer = world.admin("POST", &path).await;
    assert!((200..300).contains(&answer.status), "{}", answer.shown());
    let run = world.peek(&execution).await.unwrap();
    assert_eq!((&run["status"], &run["errorCode"]), (&json!("FAILED"), &json!("CANCELLED")));
    assert_error(&world.admin("POST", &path).await, 409, "EXECUTION_FINISHED");
    let answer = world.admin("POST", &format!("/executions/{}/cancel", nobody())).await;
    assert!(answer.status == 404 || answer.status == 409, "{}", answer.shown());
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn a_workflow_is_switched_off_and_on_by_its_user_alone() {
    let file = on_request("answer", &respond(200, &json!({})));
    let world = World::start(&project("http://127.0.0.1:9", &[file])).await;
    let (anna, bert) = (world.connected("anna").await, world.connected("bert").await);
    let switch = format!("/sdk/workflows/{}", id("answer"));
    let ask =
        async |token: &str| world.api.request(token, &id("answer"), &json!({})).await.unwrap();
    assert_eq!(ask(&anna).await.status, 200);
    for _ in 0..2 {
        assert_eq!(world.call("DELETE", &switch, &anna).await.status, 200);
        assert_error(&ask(&anna).await, 409, "WORKFLOW_DISABLED");
    }
    assert_eq!(ask(&bert).await.status, 200, "bert's is on as before");
    let me = world.call("GET", "/sdk/me", &anna).await.json();
    let shown = &me["integrations"][DESK]["workflowSettings"][id("answer")]["enabled"];
    assert_eq!(shown, &json!(false), "{me}");
    assert_eq!(world.call("POST", &switch, &anna).await.status, 200);
    assert_eq!(ask(&anna).await.status, 200);
    // A disabled user starts nothing; enabled again, what was on is on.
    assert_eq!(world.admin("POST", "/users/anna/disable").await.status, 200);
    assert_error(&ask(&anna).await, 403, "USER_DISABLED");
    assert_eq!(world.admin("POST", "/users/anna/enable").await.status, 200);
    assert_eq!(ask(&anna).await.status, 200);
    // Disconnected, nothing is left.
    let gone = world.call("DELETE", &format!("/sdk/integrations/{DESK}"), &anna).await;
    assert_eq!(gone.status, 200, "{}", gone.shown());
    assert_error(&ask(&anna).await, 409, "WORKFLOW_DISABLED");
    assert_error(&world.call("POST", &switch, &anna).await, 404, "CREDENTIAL_UNKNOWN");
    let unknown = format!("/sdk/workflows/{}", nobody());
    assert_error(&world.call("POST", &unknown, &bert).await, 404, "WORKFLOW_UNKNOWN");
    assert_error(&world.call("POST", "/sdk/workflows/x", &bert).await, 404, "WORKFLOW_UNKNOWN");
}

#[tokio::test]
async fn browsers_of_any_origin_may_call() {
    let world = World::start(&project("http://127.0.0.1:9", &[])).await;
    let wanted = "authorization,content-type,x-paragon-sdk-version,x-my-own";
    for path in ["/sdk/me", "/sdk/events/trigger", "/sdk/workflows/x", "/nowhere"] {
        let request = hyper::Request::options(world.api.url(path))
            .header("origin", "https://app.example.com")
            .header("access-control-request-method", "PATCH")
            .header("access-control-request-headers", wanted)
            .body(http_body_util::Full::default());
        let answer = world.api.client.send(request.unwrap()).await.unwrap();
        assert_eq!(answer.status, 204, "{path}: {}", answer.shown());
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("access-control-allow-headers"), wanted);
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let methods = answer.header("access-control-allow-methods");
            assert!(methods.split(", ").any(|one| one == method), "{method}: {methods}");
        }
        assert!(answer.header("access-control-max-age").parse::<u32>().unwrap() >= 600);
    }
    let answer = world.call("GET", "/sdk/me", &world.token("anna")).await;
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(!answer.header("x-request-id").is_empty());
}

#[tokio::test]
async fn health_metrics_and_the_description_are_served() {
    let steps = json!([{ "name": "f", "function": "function yourFunction() { return 1; }" }]);
    let world = World::start(&project("http://127.0.0.1:9", &[on_request("f", &steps)])).await;
    let token = world.connected("anna").await;
    world.run_through(&token, &id("f"), &json!({})).await;
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(world.open("GET", path).await.status, 200, "{path}");
    }
    let metrics = world.open("GET", "/metrics").await;
    assert_eq!(metrics.status, 200);
    assert!(metrics.header("content-type").starts_with("text/plain"));
    let shown = String::from_utf8_lossy(&metrics.body).into_owned();
    for name in [
        "millrace_http_request_seconds",
        "millrace_log_end",
        "millrace_projection_lag",
        "millrace_effects_running",
        "millrace_effects_waiting",
        "millrace_partitions_held",
    ] {
        assert!(shown.contains(&format!("# TYPE {name} ")), "{name}");
    }
    assert!(shown.contains("status=\"202\""), "the request is not counted");
    for line in [
        "millrace_executions_started_total{trigger=\"request\"} 1",
        "millrace_executions_finished_total{ending=\"succeeded\"} 1",
        "millrace_step_attempts_total{kind=\"function\",outcome=\"succeeded\"} 1",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
    }
    assert!(!shown.contains("anna") && !shown.contains(API_KEY), "it tells of a user");
    let served = world.open("GET", "/openapi.json").await;
    let file = std::fs::read_to_string(root().join("ingest/openapi.json")).unwrap();
    assert_eq!(served.json(), serde_json::from_str::<Value>(&file).unwrap());
}
