//! Commands that were parked: listed, sent again, or left undone.

use crate::project::PROJECT;
use crate::token::NOW_S;
use crate::world::{Reply, World};
use domain::command::Command;
use domain::event::{Event, Settlement};
use domain::id::EventId;
use domain::meta::Recorded;
use domain::time::Timestamp;
use domain::view::Parked;
use serde_json::{Value, json};
use uuid::Uuid;

const ID: EventId = EventId(Uuid::from_u128(1));

fn row(command: &Recorded<Command>) -> Parked {
    Parked {
        id: ID,
        parked_at: Timestamp(NOW_S * 1_000),
        command: "ReceiveEvent".into(),
        key: command.meta.key.clone(),
        execution: None,
        reason: "The node crashed.".into(),
        partition: 0,
        offset: 0,
        settled: None,
    }
}

/// An event of a user that history has as parked.
async fn parked(world: &World) -> Recorded<Command> {
    let event = r#"{"name":"Contact Created","payload":{"n":1}}"#;
    assert_eq!(world.call("POST", "events/trigger", event).await.status, 201);
    let is_event = |command: &Recorded<Command>| matches!(command.body, Command::ReceiveEvent(_));
    let commands = world.commands().await;
    let command = commands.into_iter().find(is_event).unwrap();
    *world.readers.tasks.parked.lock().unwrap() = vec![(row(&command), Some(command.clone()))];
    command
}

async fn settle(world: &World, id: EventId, how: &str) -> Reply {
    world.admin("POST", &format!("/admin/v1/projects/{PROJECT}/parked/{id}/{how}"), "").await
}

async fn settled(world: &World) -> Vec<Settlement> {
    let settled = world.events().await.into_iter().filter_map(|event| match event {
        Event::ParkedSettled(e) if e.parked == ID => Some(e.settlement),
        _ => None,
    });
    settled.collect()
}

#[tokio::test(start_paused = true)]
async fn a_parked_command_is_sent_again_as_a_new_one_that_its_record_caused() {
    let world = World::start().await;
    let command = parked(&world).await;
    let before = world.commands().await.len();
    assert_eq!(settle(&world, ID, "retry").await.status, 200);
    let sent = world.commands().await;
    assert_eq!(sent.len(), before + 2);
    let again = sent.iter().find(|sent| sent.meta.causation_id == Some(ID.0)).unwrap();
    assert_eq!(again.body, command.body);
    assert_eq!((&again.meta.key, again.meta.actor), (&command.meta.key, command.meta.actor));
    assert_ne!(again.meta.command_id, command.meta.command_id);
    assert_eq!(settled(&world).await, [Settlement::Retried]);
    // Whoever asks before history knows sends the same command.
    assert_eq!(settle(&world, ID, "retry").await.status, 200);
    let repeats =
        world.events().await.into_iter().filter(
            |event| matches!(event, Event::CommandRepeated(e) if e.command == "ReceiveEvent"),
        );
    assert_eq!(repeats.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_parked_command_is_listed_and_settled_once() {
    let world = World::start().await;
    let path = format!("/admin/v1/projects/{PROJECT}/parked");
    assert_eq!(world.admin("GET", &path, "").await.json(), json!({ "parked": [] }));
    let command = parked(&world).await;
    let listed = world.admin("GET", &path, "").await.json();
    let user = command.meta.parsed_key().unwrap().user().unwrap().to_owned();
    assert_eq!(listed["parked"][0]["userId"], json!(user));
    assert_eq!(listed["parked"][0]["settlement"], Value::Null);
    let unknown = settle(&world, EventId(Uuid::nil()), "discard").await;
    assert_eq!(unknown.problem(), (404, "PARKED_UNKNOWN".into()));
    // What the log has forgotten can be discarded all the same.
    world.readers.tasks.parked.lock().unwrap()[0].1 = None;
    assert_eq!(settle(&world, ID, "retry").await.problem(), (410, "COMMAND_GONE".into()));
    assert_eq!(settle(&world, ID, "discard").await.status, 200);
    assert_eq!(settled(&world).await, [Settlement::Discarded]);
    let at = Timestamp(NOW_S * 1_000 + 5);
    world.readers.tasks.parked.lock().unwrap()[0].0.settled = Some((Settlement::Discarded, at));
    assert_eq!(settle(&world, ID, "retry").await.problem(), (409, "PARKED_SETTLED".into()));
    let listed = world.admin("GET", &path, "").await.json();
    assert_eq!(listed["parked"][0]["settlement"], "DISCARDED");
}
