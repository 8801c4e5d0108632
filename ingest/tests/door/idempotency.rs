//! `Idempotency-Key`.

use crate::world::{Reply, World, request};
use axum::body::Body;
use domain::command::Command;
use serde_json::json;

async fn send(world: &World, user: &str, path: &str, key: &str, body: &str) -> Reply {
    let call = request(user, "POST", path).header("idempotency-key", key);
    world.send(call.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn a_repeated_event_is_one_event() {
    let world = World::start().await;
    world.connect().await;
    let body = r#"{"name":"Contact Created","payload":{"n":1}}"#;
    for _ in 0..3 {
        let reply = send(&world, "u1", "events/trigger", "k-1", body).await;
        assert_eq!((reply.status, reply.json()), (201, json!({})));
    }
    let ids: Vec<_> = world
        .commands()
        .await
        .into_iter()
        .filter(|command| matches!(command.body, Command::ReceiveEvent(_)))
        .map(|command| (command.meta.command_id, command.meta.body_hash))
        .collect();
    assert_eq!(ids, [ids[0]; 3]);
    assert!(ids[0].0.is_derived() && ids[0].1.is_some_and(|hash| hash >= 0));
    let changed = r#"{"name":"Contact Created","payload":{"n":2}}"#;
    let reply = send(&world, "u1", "events/trigger", "k-1", changed).await;
    assert_eq!(reply.problem(), (422, "IDEMPOTENCY_KEY_REUSED".into()));
    assert_eq!(send(&world, "u1", "events/trigger", "k-2", changed).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn keys_of_users_and_operations_are_apart() {
    let world = World::start().await;
    world.connect().await;
    let event = r#"{"name":"Contact Created"}"#;
    let fire = format!("triggers/{}", world.workflow("fire"));
    let echo = format!("triggers/{}", world.workflow("echo"));
    assert_eq!(send(&world, "u1", "events/trigger", "k", event).await.status, 201);
    assert_eq!(
        send(&world, "u2", "events/trigger", "k", "{\"name\":\"Contact Created\",\"payload\":1}")
            .await
            .status,
        201
    );
    assert_eq!(send(&world, "u1", &fire, "k", "{}").await.status, 202);
    assert_eq!(send(&world, "u1", &echo, "k", "{}").await.status, 203);
}

#[tokio::test(start_paused = true)]
async fn a_repeated_call_is_answered_as_the_first_time() {
    let world = World::start().await;
    world.connect().await;
    let echo = format!("triggers/{}", world.workflow("echo"));
    let first = send(&world, "u1", &echo, "k", r#"{"a":1}"#).await;
    let again = send(&world, "u1", &echo, "k", r#"{"a":1}"#).await;
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    let other = send(&world, "u1", &format!("{echo}?b=2"), "k", r#"{"a":1}"#).await;
    assert_eq!(other.problem(), (422, "IDEMPOTENCY_KEY_REUSED".into()), "the query counts");
    let fire = format!("triggers/{}", world.workflow("fire"));
    let first = send(&world, "u1", &fire, "k", "{}").await.json();
    assert_eq!(send(&world, "u1", &fire, "k", "{}").await.json(), first, "the same run");
}

#[tokio::test(start_paused = true)]
async fn a_repeated_connect_connects_once() {
    let world = World::start().await;
    let body = json!({
        "integrationId": "slack", "payload": { "accessToken": "1" },
        "installOptions": { "allowMultipleCredentials": true },
    });
    let body = body.to_string();
    let first = send(&world, "u1", "credentials", "k", &body).await.json();
    assert_eq!(send(&world, "u1", "credentials", "k", &body).await.json()["id"], first["id"]);
    assert_eq!(world.call("GET", "credentials", "").await.json().as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_repeat_is_answered_as_before_although_its_account_is_gone() {
    let world = World::start().await;
    let body = json!({
        "integrationId": "slack", "payload": { "accessToken": "1" }, "providerId": "T-1",
        "installOptions": { "externalId": "work" },
    });
    let body = body.to_string();
    let connected = send(&world, "u1", "credentials", "connect", &body).await.json();
    let keyed = async |method: &str, path: &str, key: &str, body: &str| {
        let call = request("u1", method, path).header("idempotency-key", key);
        let call = call.header("x-paragon-credential", "ext:work");
        world.send(call.body(Body::from(body.to_owned())).unwrap()).await
    };
    let event = r#"{"name":"Contact Created"}"#;
    let batch = format!(r#"{{"events":[{event},{event}]}}"#);
    let (fire, switch) = (
        format!("triggers/{}", world.workflow("fire")),
        format!("workflows/{}", world.workflow("fire")),
    );
    let calls = [
        ("POST", "events/trigger", event, 201),
        ("POST", "events/batch", &batch, 201),
        ("POST", &fire, "{}", 202),
        ("POST", &switch, "", 200),
        ("DELETE", "integrations/slack", "", 200),
    ];
    let mut first = Vec::new();
    for (method, path, body, status) in calls {
        let reply = keyed(method, path, "k", body).await;
        assert_eq!(reply.status, status, "{path}: {}", reply.json());
        first.push(reply.json());
    }
    // The rows show it a little later.
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    for ((method, path, body, status), first) in calls.into_iter().zip(first) {
        let again = keyed(method, path, "k", body).await;
        assert_eq!((again.status, again.json()), (status, first), "{path}");
        let another = keyed(method, path, "another", body).await;
        assert_eq!(another.problem(), (404, "CREDENTIAL_UNKNOWN".into()), "{path}");
    }
    let begun = tokio::time::Instant::now();
    let again = send(&world, "u1", "credentials", "connect", &body).await;
    assert_eq!((again.status, again.json()), (200, connected));
    assert!(begun.elapsed().as_millis() < 100, "it waited for what will never come");
    assert_eq!(world.call("GET", "credentials", "").await.json(), json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_key_with_another_body_is_refused_on_admin_addresses_too() {
    let world = World::start().await;
    world.connect().await;
    let path = format!("/admin/v1/projects/{}/users/u1/disable", crate::project::PROJECT);
    let disable = async |body: &str| {
        let key = format!("Bearer {}", crate::project::ADMIN_KEY);
        let call = axum::http::Request::post(&path).header("authorization", key);
        let call = call.header("idempotency-key", "k");
        world.send(call.body(Body::from(body.to_owned())).unwrap()).await
    };
    assert_eq!(disable("{}").await.status, 200);
    assert_eq!(disable("{}").await.status, 200);
    let other = disable(r#"{"why":"late"}"#).await;
    assert_eq!(other.problem(), (422, "IDEMPOTENCY_KEY_REUSED".into()));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_none_is_refused() {
    let world = World::start().await;
    let body = r#"{"name":"Contact Created"}"#;
    for key in ["", "  ", &"x".repeat(256), "\u{e4}"] {
        let reply = send(&world, "u1", "events/trigger", key, body).await;
        assert_eq!(reply.problem(), (400, "IDEMPOTENCY_KEY_MALFORMED".into()), "{key:?}");
    }
    let twice = request("u1", "POST", "events/trigger")
        .header("idempotency-key", "a")
        .header("idempotency-key", "b");
    let reply = world.send(twice.body(Body::from(body)).unwrap()).await;
    assert_eq!(reply.problem(), (400, "IDEMPOTENCY_KEY_MALFORMED".into()));
    assert_eq!(send(&world, "u1", "events/trigger", &"x".repeat(255), body).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn an_undecided_command_is_not_told_as_done() {
    let world = World::start().await;
    world.pause_owner();
    let body = r#"{"name":"Contact Created"}"#;
    let reply = send(&world, "u1", "events/trigger", "k", body).await;
    assert_eq!(reply.problem(), (503, "DECISION_LATE".into()));
    assert_eq!(reply.headers["retry-after"], "1");
}
