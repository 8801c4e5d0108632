//! Webhooks that were kept, handed on once more.

use crate::project::PROJECT;
use crate::token::NOW_S;
use crate::world::{Reply, World, project_id};
use domain::command::{Command, ReplayWebhook};
use domain::event::Verdict;
use domain::id::EventId;
use domain::key::Key;
use domain::payload::Payload;
use domain::time::Timestamp;
use domain::view::Delivery;
use serde_json::{Value, json};
use uuid::Uuid;

const ID: EventId = EventId(Uuid::from_u128(1));

/// A webhook of `custom.tasklab` that was kept.
async fn keep(world: &World, verdict: Verdict, content: &Value, size: usize) {
    let config = world.feed.current();
    let project = config.project(project_id()).unwrap();
    let integration = project.integration_of_kind("custom.tasklab").unwrap().id;
    let key = Key::App(project_id(), integration);
    world.vault.prepare(&key).await.unwrap();
    let sealed = world.vault.store(&key, content.to_string().as_bytes()).await.unwrap();
    *world.readers.webhooks.sent.lock().unwrap() = Some(sealed);
    *world.readers.webhooks.rows.lock().unwrap() = vec![Delivery {
        id: ID,
        received_at: Timestamp(NOW_S * 1_000),
        integration,
        verdict,
        delivery: "d".into(),
        name: "old".into(),
        provider_id: "old".into(),
        repeated: false,
        recipient_count: 0,
        size: i64::try_from(size).unwrap(),
        replay_of: None,
    }];
}

async fn replay(world: &World, query: &str) -> Reply {
    let path = format!("/admin/v1/projects/{PROJECT}/webhooks/{ID}/replay{query}");
    world.admin("POST", &path, "").await
}

async fn sent(world: &World) -> (ReplayWebhook, Value) {
    let commands = world.commands().await;
    let command = commands.last().unwrap();
    let Command::ReplayWebhook(body) = &command.body else { panic!("{command:?}") };
    (body.clone(), world.opened(command, &body.sealed).await)
}

#[tokio::test(start_paused = true)]
async fn a_webhook_is_named_and_matched_as_the_settings_read_it_now() {
    let world = World::start().await;
    let content = json!({ "headers": { "x-tenant": "t-9" }, "params": {},
        "body": { "type": "task.done" } });
    keep(&world, Verdict::Verified, &content, 20).await;
    assert_eq!(replay(&world, "").await.status, 200);
    let (command, shown) = sent(&world).await;
    assert_eq!((command.name.as_str(), command.provider_id.as_str()), ("task.done", "t-9"));
    assert_eq!((command.webhook, command.despite), (ID, false));
    assert_eq!(shown, content);
    let unknown = format!("/admin/v1/projects/{PROJECT}/webhooks/{}/replay", Uuid::nil());
    assert_eq!(world.admin("POST", &unknown, "").await.problem().1, "WEBHOOK_UNKNOWN");
}

#[tokio::test(start_paused = true)]
async fn a_refused_webhook_needs_a_word_and_all_of_its_body() {
    let world = World::start().await;
    let text = r#"{"type":"task.done"}"#;
    let content = json!({ "headers": { "x-tenant": "t-9" }, "params": {}, "body": text,
        "refused": { "code": "WEBHOOK_FORGED", "message": "m", "missed": 0 } });
    keep(&world, Verdict::Forged, &content, text.len()).await;
    assert_eq!(replay(&world, "").await.problem(), (409, "WEBHOOK_REFUSED".into()));
    assert_eq!(replay(&world, "?despiteRefusal=true").await.status, 200);
    let (command, shown) = sent(&world).await;
    assert_eq!((command.verdict, command.name.as_str()), (Verdict::Forged, "task.done"));
    assert_eq!(shown["body"], json!({ "type": "task.done" }));
    assert_eq!(shown["refused"], Value::Null);
    keep(&world, Verdict::Forged, &content, text.len() + 1).await;
    let reply = replay(&world, "?despiteRefusal=true").await;
    assert_eq!(reply.problem(), (409, "WEBHOOK_CUT".into()));
    *world.readers.webhooks.sent.lock().unwrap() = Some(Payload::empty());
    assert_eq!(replay(&world, "?despiteRefusal=x").await.problem().1, "QUERY_MALFORMED");
}

#[tokio::test(start_paused = true)]
async fn a_replay_of_many_is_a_wish_for_each_integration_and_a_repeat_is_the_same() {
    let world = World::start().await;
    let path = format!("/admin/v1/projects/{PROJECT}/webhooks/replays");
    let body = json!({ "unmatched": true, "afterDate": "2023-01-01", "perSecond": 7 });
    let begun = world.admin("POST", &path, &body.to_string()).await;
    assert_eq!(begun.status, 202, "{}", begun.json());
    // GitHub and Task Lab take webhooks, Slack does not.
    assert_eq!(begun.json()["replays"].as_array().unwrap().len(), 2);
    let wishes = |commands: Vec<domain::meta::Recorded<Command>>| {
        let wishes = commands.into_iter().filter_map(|command| match command.body {
            Command::ReplayWebhooks(wish) => Some((command.meta.command_id, wish)),
            _ => None,
        });
        wishes.collect::<Vec<_>>()
    };
    let sent = wishes(world.commands().await);
    assert_eq!(sent.len(), 2);
    assert!(sent.iter().all(|(_, wish)| wish.unmatched == Some(true) && wish.per_second == 7));
    for (wrong, name) in [
        (json!({}), "BODY_MALFORMED"),
        (json!({ "afterDate": "soon" }), "BODY_MALFORMED"),
        (json!({ "integration": "custom.nothing" }), "INTEGRATION_UNKNOWN"),
        (json!({ "integration": "github", "verdict": "FORGED" }), "WEBHOOK_REFUSED"),
    ] {
        let reply = world.admin("POST", &path, &wrong.to_string()).await;
        assert_eq!(reply.problem().1, name, "{wrong}");
    }
    let listed = world.admin("GET", &path, "").await.json();
    assert_eq!(listed, json!({ "replays": [] }));
}
