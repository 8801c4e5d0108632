//! Who sends more than is worked off.

use crate::project::PROJECT;
use crate::world::World;
use domain::id::ProjectId;
use domain::key::Key;
use ports::backlog::{Place, WAITING_MIN};
use serde_json::json;

const EVENT: &str = r#"{"name":"Contact Created","payload":{}}"#;

fn key(user: &str) -> Key {
    Key::User(PROJECT.parse::<ProjectId>().unwrap(), user.into())
}

/// Owners take 10 ms for a command, and this user has so many waiting.
fn waiting(world: &World, user: &str, count: usize) {
    world.backlog.decided(std::iter::empty(), (10_000, 1_000));
    for _ in 0..count {
        world.backlog.enter(&key(user), u64::MAX).map(Place::keep).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_is_taken_in_of_a_user_with_too_much_waiting() {
    let world = World::start().await;
    waiting(&world, "u1", 350);
    let reply = world.call("POST", "events/trigger", EVENT).await;
    assert_eq!((reply.status, reply.json()["code"].clone()), (429, json!("BACKLOG_FULL")));
    assert_eq!(reply.headers["retry-after"], "3");
    assert!(world.commands().await.is_empty(), "nothing of it is recorded");
    // Neither other users nor what lightens the load wait for it.
    assert_eq!(world.call_as("u2", "POST", "events/trigger", EVENT).await.status, 201);
    let name = key("u1").name();
    world.backlog.decided((0..300).map(|_| name.as_str()), (3_000, 300));
    assert_eq!(world.call("POST", "events/trigger", EVENT).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn of_a_batch_as_much_is_taken_in_as_may_wait() {
    let world = World::start().await;
    waiting(&world, "u1", WAITING_MIN as usize - 3);
    world.pause_owner();
    let event: serde_json::Value = serde_json::from_str(EVENT).unwrap();
    let body = json!({ "events": vec![event; 5] }).to_string();
    let reply = world.call("POST", "events/batch", &body).await;
    assert_eq!(reply.status, 201);
    let results = reply.json()["results"].as_array().unwrap().clone();
    let statuses: Vec<_> = results.iter().map(|one| one["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [201, 201, 201, 429, 429]);
    assert_eq!(world.commands().await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_append_that_fails_leaves_nothing_waiting() {
    let world = World::start().await;
    let before = world.backlog.len();
    world.close_log();
    assert_eq!(world.call("POST", "events/trigger", EVENT).await.status, 503);
    assert_eq!(world.backlog.len(), before);
}
