//! Workflows that are called.

use crate::project::PROJECT;
use crate::world::{Reply, World, request};
use axum::body::Body;
use domain::command::Command;
use serde_json::{Value, json};

async fn call(world: &World, name: &str, query: &str, content_type: &str, body: Vec<u8>) -> Reply {
    let path = format!("triggers/{}{query}", world.workflow(name));
    let mut call = request("u1", "POST", &path).body(Body::from(body)).unwrap();
    call.headers_mut().remove("content-type");
    if !content_type.is_empty() {
        call.headers_mut().insert("content-type", content_type.parse().unwrap());
    }
    call.headers_mut().insert("cookie", "a=b".parse().unwrap());
    world.send(call).await
}

/// What the workflow saw, which the workflow `echo` answers with.
async fn echoed(world: &World, content_type: &str, body: &[u8]) -> Value {
    let reply = call(world, "echo", "?a=1&a=2&b=x%20y", content_type, body.to_vec()).await;
    assert_eq!(reply.status, 203, "{}", reply.json());
    assert_eq!(reply.headers["content-type"], "application/json");
    reply.json()
}

#[tokio::test(start_paused = true)]
async fn the_response_step_answers_with_what_the_workflow_saw() {
    let world = World::start().await;
    world.connect().await;
    let seen = echoed(&world, "application/json; charset=utf-8", br#"{"x":[1]}"#).await;
    assert_eq!(seen["body"], json!({ "x": [1] }));
    assert_eq!(seen["params"], json!({ "a": ["1", "2"], "b": "x y" }));
    assert_eq!(seen["file"], Value::Null);
    let headers = seen["headers"].as_object().unwrap();
    assert_eq!(headers["x-paragon-sdk-version"], "2.4.0");
    assert_eq!(headers["content-type"], "application/json; charset=utf-8");
    assert!(!headers.contains_key("authorization") && !headers.contains_key("cookie"));
}

#[tokio::test(start_paused = true)]
async fn a_body_is_read_by_its_content_type() {
    let world = World::start().await;
    world.connect().await;
    let file = |data: &str, mime: &str| json!({ "name": "", "data": data, "mimeType": mime, "dataType": "FILE" });
    let cases: [(&str, &[u8], Value); 12] = [
        ("application/json", b"", json!({})),
        ("application/json", b"\"text\"", json!("text")),
        ("application/problem+json", b"[1]", json!([1])),
        ("auto", b"{\"a\":1}", json!({ "a": 1 })),
        ("auto, text/plain", b"plain", json!("plain")),
        ("auto", b"\xff\x00", file("ff00", "application/octet-stream")),
        ("", b"7", json!(7)),
        ("", b"seven", json!("seven")),
        ("text/plain", b"{\"a\":1}", json!("{\"a\":1}")),
        ("application/xml", b"<a/>", json!("<a/>")),
        ("image/png", b"\x89PNG", file("89504e47", "image/png")),
        ("application/x-www-form-urlencoded", b"a=1&b=%C3%BC", json!({ "a": "1", "b": "\u{fc}" })),
    ];
    for (content_type, body, expected) in cases {
        assert_eq!(echoed(&world, content_type, body).await["body"], expected, "{content_type}");
    }
    let reply = call(&world, "echo", "", "application/json", b"{".to_vec()).await;
    assert_eq!(reply.problem(), (400, "BODY_MALFORMED".into()));
}

#[tokio::test(start_paused = true)]
async fn parts_of_a_form_become_body_and_file() {
    let world = World::start().await;
    world.connect().await;
    let body = "--xx\r\nContent-Disposition: form-data; name=\"login\"\r\n\r\nada\r\n\
        --xx\r\nContent-Disposition: form-data; name=\"paragon-file\"; filename=\"a.txt\"\r\n\
        Content-Type: text/plain\r\n\r\nThis is a sample text.\r\n\
        --xx\r\nContent-Disposition: form-data; name=\"other\"; filename=\"b.bin\"\r\n\r\n\u{1}\r\n--xx--\r\n";
    let seen = echoed(&world, "multipart/form-data; boundary=xx", body.as_bytes()).await;
    assert_eq!(seen["body"]["login"], "ada");
    assert_eq!(seen["body"]["other"]["data"], "01");
    let expected = json!({
        "name": "a.txt",
        "data": "5468697320697320612073616d706c6520746578742e",
        "mimeType": "text/plain",
        "dataType": "FILE",
    });
    assert_eq!(seen["file"], expected);
    for (content_type, body) in [
        ("multipart/form-data", body),
        ("multipart/form-data; boundary=yy", body),
        ("multipart/form-data; boundary=xx", &body[..100]),
    ] {
        let reply = call(&world, "echo", "", content_type, body.as_bytes().to_vec()).await;
        assert_eq!(reply.problem(), (400, "BODY_MALFORMED".into()), "{content_type}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_response_step_the_call_is_accepted_and_names_the_run() {
    let world = World::start().await;
    world.connect().await;
    let reply = call(&world, "fire", "?", "application/json", b"{}".to_vec()).await;
    assert_eq!(reply.status, 202);
    let body = reply.json();
    assert_eq!(body["projectId"], PROJECT);
    assert_eq!(body["workflowId"], world.workflow("fire").to_string());
    assert!(body["executionId"].as_str().unwrap().parse::<domain::id::ExecutionId>().is_ok());
    world.pause_owner();
    let reply = call(&world, "fire", "", "application/json", b"{}".to_vec()).await;
    assert_eq!(reply.status, 202, "durable, though not decided in time");
}

#[tokio::test(start_paused = true)]
async fn a_breach_is_told_at_once_and_starts_nothing() {
    let world = World::start().await;
    world.connect().await;
    let before = world.commands().await.len();
    let reply = call(&world, "strict", "", "application/json", b"{\"login\":7}".to_vec()).await;
    assert_eq!(reply.problem(), (400, "REQUEST_REFUSED".into()));
    assert_eq!(reply.json()["meta"]["breaches"].as_array().unwrap().len(), 3);
    assert_eq!(world.commands().await.len(), before);
    let path = format!("triggers/{}?page=1", world.workflow("strict"));
    let good = request("u1", "POST", &path).header("x-request-source", "app");
    let reply = world.send(good.body(Body::from(r#"{"login":"ada"}"#)).unwrap()).await;
    assert_eq!((reply.status, reply.json()), (200, json!({ "hello": "ada" })));
}

#[tokio::test(start_paused = true)]
async fn a_response_that_does_not_come_in_time_is_542() {
    let world = World::start().await;
    world.connect().await;
    let before = tokio::time::Instant::now();
    let reply = call(&world, "late", "", "application/json", b"{}".to_vec()).await;
    assert_eq!(before.elapsed().as_secs(), 55);
    assert_eq!(
        (reply.status, &reply.headers["content-type"].to_str().unwrap()),
        (542, &"application/json")
    );
    let body = reply.json();
    assert_eq!(body["message"], "Workflow has been enqueued but has not completed.");
    assert_eq!(body["dateSubmitted"], "2023-11-14T22:13:20.000Z");
    let fields: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["dateSubmitted", "executionId", "message", "projectId", "workflowId"]);
    assert_eq!(reply.headers["access-control-allow-origin"], "*");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_called_is_refused_without_signing_the_user_out() {
    let world = World::start().await;
    let call_by = async |path: String| world.call("POST", &path, "{}").await.problem();
    let fire = world.workflow("fire");
    assert_eq!(call_by(format!("triggers/{fire}")).await, (409, "WORKFLOW_DISABLED".into()));
    let notify = world.workflow("notify");
    assert_eq!(call_by(format!("triggers/{notify}")).await, (400, "TRIGGER_MISMATCH".into()));
    for unknown in ["00000000-0000-4000-8000-000000000000", "nonsense"] {
        let path = format!("triggers/{unknown}");
        assert_eq!(call_by(path).await, (404, "WORKFLOW_UNKNOWN".into()));
    }
    let reply = world.call("GET", &format!("triggers/{fire}"), "").await;
    assert_eq!(reply.problem(), (405, "METHOD_UNSUPPORTED".into()));
    world.connect().await;
    let path = format!("/admin/v1/projects/{PROJECT}/users/u1/disable");
    assert_eq!(world.admin("POST", &path, "").await.status, 200);
    assert_eq!(call_by(format!("triggers/{fire}")).await, (403, "USER_DISABLED".into()));
}

#[tokio::test(start_paused = true)]
async fn the_selected_account_goes_along() {
    let world = World::start().await;
    let credential = world.connect().await["id"].as_str().unwrap().to_owned();
    let path = format!("triggers/{}", world.workflow("fire"));
    let send = |selector: &str| {
        let call = request("u1", "POST", &path)
            .header("x-paragon-credential", selector)
            .header("x-paragon-configuration-id", "whatever");
        world.send(call.body(Body::from("{}")).unwrap())
    };
    assert_eq!(send(&credential).await.status, 202);
    let other = "a5e995c2-7709-43fd-9cdf-f759faa52497";
    assert_eq!(send(other).await.problem(), (409, "WORKFLOW_DISABLED".into()));
    let commands = world.commands().await;
    let selected = commands.iter().rev().find_map(|command| match &command.body {
        Command::ReceiveRequest(request) => Some(request.credential.unwrap().to_string()),
        _ => None,
    });
    assert_eq!(selected.as_deref(), Some(other));
}
