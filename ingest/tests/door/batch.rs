//! Many events in one request.

use crate::world::{World, request};
use axum::body::Body;
use domain::command::Command;
use serde_json::{Value, json};

fn batch(count: usize) -> String {
    let event = |n| json!({ "name": "Contact Created", "payload": { "n": n } });
    json!({ "events": (0..count).map(event).collect::<Vec<_>>() }).to_string()
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_one_append_in_order() {
    let world = World::start().await;
    assert_eq!(world.call("POST", "events/batch", &batch(1)).await.status, 201);
    let before = world.appends().len();
    world.pause_owner();
    let reply = world.call("POST", "events/batch", &batch(1_000)).await;
    assert_eq!(reply.status, 201);
    let results = reply.json()["results"].as_array().unwrap().clone();
    assert_eq!(results, vec![json!({ "status": 201 }); 1_000]);
    assert_eq!(world.appends()[before..], [1_000]);
    let mut seen = Vec::new();
    for command in &world.commands().await[1..] {
        let Command::ReceiveEvent(event) = &command.body else { panic!() };
        seen.push(world.opened(command, &event.sealed).await["event"]["n"].as_u64().unwrap());
    }
    assert_eq!(seen, (0..1_000).collect::<Vec<u64>>());
}

#[tokio::test(start_paused = true)]
async fn each_event_has_its_own_result() {
    let world = World::start().await;
    let body = r#"{"events":[
        {"name":"Contact Created","payload":1},
        {"name":"Unknown"},
        7,
        {"name":"Contact Created","payload":1e999},
        {"name":"Contact Created"}
    ]}"#;
    let reply = world.call("POST", "events/batch", body).await;
    assert_eq!(reply.status, 201);
    let results: Value = reply.json()["results"].clone();
    let statuses: Vec<u64> =
        results.as_array().unwrap().iter().map(|r| r["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [201, 404, 400, 400, 201]);
    assert_eq!(results[1]["code"], "EVENT_UNKNOWN");
    assert_eq!(world.commands().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_bounded_and_may_be_empty() {
    let world = World::start().await;
    let reply = world.call("POST", "events/batch", &batch(1_001)).await;
    assert_eq!(reply.problem(), (400, "BATCH_TOO_LARGE".into()));
    let reply = world.call("POST", "events/batch", r#"{"events":[]}"#).await;
    assert_eq!((reply.status, reply.json()), (201, json!({ "results": [] })));
    for body in ["{}", r#"{"events":{}}"#, "[]", ""] {
        let reply = world.call("POST", "events/batch", body).await;
        assert_eq!(reply.problem(), (400, "BODY_MALFORMED".into()), "{body}");
    }
    assert!(world.commands().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_repeated_batch_does_nothing_twice_and_tells_what_differs() {
    let world = World::start().await;
    world.connect().await;
    let send = |body: String| {
        let call = request("u1", "POST", "events/batch").header("idempotency-key", "b-1");
        world.send(call.body(Body::from(body)).unwrap())
    };
    let first = send(batch(3)).await.json();
    assert_eq!(send(batch(3)).await.json(), first);
    let changed = batch(3).replace("\"n\":2", "\"n\":9");
    let results = send(changed).await.json()["results"].clone();
    assert_eq!(results[0], json!({ "status": 201 }));
    assert_eq!(results[2]["code"], "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(results[2]["status"], 422);
}
