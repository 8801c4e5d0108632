//! Bodies that are slow, broken, or odd.

use crate::project::PROJECT;
use crate::world::{World, project_id, request};
use axum::body::Body;
use bytes::Bytes;
use domain::key::Key;
use futures_util::StreamExt;
use futures_util::stream;
use serde_json::json;
use std::io;

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_given_up() {
    let world = World::start().await;
    let first = stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"{\"name\":"))]);
    let body = Body::from_stream(first.chain(stream::pending()));
    let begun = tokio::time::Instant::now();
    let reply = world.send(request("u1", "POST", "events/trigger").body(body).unwrap()).await;
    assert_eq!(reply.problem(), (408, "BODY_LATE".into()));
    assert_eq!(begun.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_off_is_refused() {
    let world = World::start().await;
    let parts = [
        Ok(Bytes::from_static(b"{\"name\":")),
        Err(io::Error::new(io::ErrorKind::ConnectionReset, "gone")),
    ];
    let body = Body::from_stream(stream::iter(parts));
    let reply = world.send(request("u1", "POST", "events/trigger").body(body).unwrap()).await;
    assert_eq!(reply.problem(), (400, "BODY_MALFORMED".into()));
}

#[tokio::test(start_paused = true)]
async fn a_body_without_a_length_is_bounded_too() {
    let world = World::start().await;
    let chunk = Bytes::from(vec![b' '; 1024 * 1024]);
    let endless = stream::repeat(chunk).map(Ok::<_, io::Error>);
    let call = request("u1", "POST", "events/trigger").body(Body::from_stream(endless)).unwrap();
    assert_eq!(world.send(call).await.problem(), (413, "BODY_TOO_LARGE".into()));
}

#[tokio::test(start_paused = true)]
async fn odd_users_are_told_apart_and_find_their_way() {
    let world = World::start().await;
    for user in ["a/b", "..", "\u{fc}ser \u{1f600}", "null", PROJECT, "a\u{0}b"] {
        let body = json!({ "name": "Contact Created", "payload": user }).to_string();
        assert_eq!(world.call_as(user, "POST", "events/trigger", &body).await.status, 201);
        let me = world.call_as(user, "GET", "me", "").await.json();
        assert_eq!(me["userId"], user);
    }
    let commands = world.commands().await;
    assert_eq!(commands.len(), 6);
    for command in commands {
        let Some(Key::User(project, _)) = command.meta.parsed_key() else { panic!() };
        assert_eq!(project, project_id());
    }
}

#[tokio::test(start_paused = true)]
async fn odd_addresses_are_answered() {
    let world = World::start().await;
    let paths = [
        format!("/projects/{PROJECT}/sdk/credentials/%2e%2e%2fme"),
        format!("/projects/{PROJECT}/sdk/workflows/%00"),
        format!("/projects/{PROJECT}//sdk/me"),
        format!("/projects/{}/sdk/me", PROJECT.to_uppercase()),
        format!("/projects/{PROJECT}/sdk/me/"),
        format!("/projects/{PROJECT}/sdk/credentials?integration=%ff"),
    ];
    for path in paths {
        let reply = world.call("GET", &path, "").await;
        assert!([200, 404, 405].contains(&reply.status), "{path}: {}", reply.status);
        reply.json();
    }
}
