//! App events.

use crate::project::PROJECT;
use crate::world::{World, request};
use axum::body::Body;
use domain::command::Command;
use domain::key::Key;
use domain::meta::Actor;
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn a_known_event_is_durable_when_it_is_answered_even_if_nobody_listens() {
    let world = World::start().await;
    world.pause_owner();
    let body = r#"{"name":"Contact Created","payload":{"n":1.50,"a":[null]}}"#;
    for path in ["events/trigger", &format!("/v2/projects/{PROJECT}/sdk/events/trigger")] {
        let reply = world.call("POST", path, body).await;
        assert_eq!((reply.status, reply.json()), (201, json!({})));
    }
    let commands = world.commands().await;
    assert_eq!(commands.len(), 2);
    for command in &commands {
        let Command::ReceiveEvent(event) = &command.body else { panic!("{command:?}") };
        let key = Key::User(PROJECT.parse().unwrap(), "u1".into());
        assert_eq!((&command.meta.key, command.meta.actor), (&key.name(), Actor::User));
        assert_eq!(
            (event.name.as_str(), event.size, event.credential),
            ("Contact Created", 21, None)
        );
        assert_eq!((command.meta.command_offset, command.meta.n), (-1, 1));
        assert!(command.meta.body_hash.is_none() && !command.meta.command_id.is_derived());
        let opened = world.opened(command, &event.sealed).await;
        assert_eq!(opened, json!({ "event": { "n": 1.5, "a": [null] } }));
    }
    assert_ne!(commands[0].meta.command_id, commands[1].meta.command_id);
}

#[tokio::test(start_paused = true)]
async fn the_payload_is_passed_on_as_it_is_and_may_be_left_out() {
    let world = World::start().await;
    world.pause_owner();
    for body in [
        r#"{"name":"Contact \u0043reated"}"#,
        r#"{"payload":"text","name":"Contact Created","more":1}"#,
        r#"{"name":"Contact Created","payload":null}"#,
    ] {
        assert_eq!(world.call("POST", "events/trigger", body).await.status, 201, "{body}");
    }
    let mut opened = Vec::new();
    for command in world.commands().await {
        let Command::ReceiveEvent(event) = &command.body else { panic!("{command:?}") };
        opened.push(world.opened(&command, &event.sealed).await);
    }
    let expected = [json!({ "event": {} }), json!({ "event": "text" }), json!({ "event": {} })];
    assert_eq!(opened, expected);
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_is_refused_and_leaves_nothing() {
    let world = World::start().await;
    let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
    let with = |payload: &str| format!(r#"{{"name":"Contact Created","payload":{payload}}}"#);
    let cases = [
        (r#"{"name":"Unknown","payload":{}}"#.to_owned(), 404, "EVENT_UNKNOWN"),
        (r#"{"name":"","payload":{}}"#.to_owned(), 400, "BODY_MALFORMED"),
        (r#"{"payload":{}}"#.to_owned(), 400, "BODY_MALFORMED"),
        (r#"{"name":7,"payload":{}}"#.to_owned(), 400, "BODY_MALFORMED"),
        (String::new(), 400, "BODY_MALFORMED"),
        ("[]".to_owned(), 400, "BODY_MALFORMED"),
        (r#"["Contact Created",{}]"#.to_owned(), 400, "BODY_MALFORMED"),
        ("{".to_owned(), 400, "BODY_MALFORMED"),
        (with("{"), 400, "BODY_MALFORMED"),
        (with(&deep), 400, "BODY_MALFORMED"),
        (with("1e999"), 400, "BODY_MALFORMED"),
        (with(r#""\ud800""#), 400, "BODY_MALFORMED"),
    ];
    for (body, status, error) in cases {
        let reply = world.call("POST", "events/trigger", &body).await;
        assert_eq!(reply.problem(), (status, error.to_owned()), "{body}");
    }
    let bytes = b"{\"name\":\"Contact Created\",\"payload\":\"\xff\"}".to_vec();
    let raw = request("u1", "POST", "events/trigger").body(Body::from(bytes)).unwrap();
    assert_eq!(world.send(raw).await.problem(), (400, "BODY_MALFORMED".into()));
    assert!(world.commands().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_large_payload_is_kept_whole() {
    let world = World::start().await;
    world.pause_owner();
    let text = "x".repeat(500_000);
    let body = json!({ "name": "Contact Created", "payload": text }).to_string();
    assert_eq!(world.call("POST", "events/trigger", &body).await.status, 201);
    let command = &world.commands().await[0];
    let Command::ReceiveEvent(event) = &command.body else { panic!() };
    assert!(event.sealed.sealed().unwrap().len() < 1_000, "it lies apart");
    assert_eq!(world.opened(command, &event.sealed).await, json!({ "event": text }));
}

#[tokio::test(start_paused = true)]
async fn an_account_is_selected_by_id_or_name() {
    let world = World::start().await;
    let body = json!({
        "integrationId": "slack", "payload": {}, "installOptions": { "externalId": "work" },
    });
    let credential = world.call("POST", "credentials", &body.to_string()).await.json();
    let id = credential["id"].as_str().unwrap();
    world.pause_owner();
    for selector in [id, "work", "ext:work"] {
        let call = request("u1", "POST", "events/trigger").header("x-paragon-credential", selector);
        let call = call.body(Body::from(r#"{"name":"Contact Created"}"#)).unwrap();
        assert_eq!(world.send(call).await.status, 201, "{selector}");
    }
    let selected = world.commands().await.into_iter().filter_map(|command| match command.body {
        Command::ReceiveEvent(event) => Some(event.credential.unwrap().to_string()),
        _ => None,
    });
    assert_eq!(selected.collect::<Vec<_>>(), [id, id, id]);
    let call = request("u1", "POST", "events/trigger").header("x-paragon-credential", "home");
    let call = call.body(Body::from(r#"{"name":"Contact Created"}"#)).unwrap();
    let reply = world.send(call).await;
    assert_eq!(reply.problem(), (404, "CREDENTIAL_UNKNOWN".into()));
    assert_eq!(reply.json()["message"], "Credential with externalId \"home\" not found.");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_recorded_is_not_acknowledged() {
    let world = World::start().await;
    let body = r#"{"name":"Contact Created","payload":{}}"#;
    assert_eq!(world.call("POST", "events/trigger", body).await.status, 201);
    world.close_log();
    let reply = world.call("POST", "events/trigger", body).await;
    assert_eq!(reply.problem(), (503, "LOG_UNAVAILABLE".into()));
    assert_eq!(reply.headers["retry-after"], "1");
    assert_eq!(world.commands().await.len(), 1);
}
