//! Webhooks that were kept, handed on once more.

use crate::project::{GITHUB_SECRET, project, workflow};
use crate::server::Server;
use crate::world::{World, assert_error, text, until};
use bytes::Bytes;
use serde_json::{Value, json};
use tests::harness::{Answer, Delivery};

/// Every issue at GitHub is noted at the server.
async fn start(server: &Server) -> World {
    let note = json!([{ "name": "note", "request": {
        "method": "POST", "url": server.url("/note"), "json": "{{trigger.body}}" } }]);
    let trigger = json!({ "webhook": "issues.opened", "of": "github" });
    World::start(&project(&server.url("/desk"), &[workflow("note", &trigger, &note)])).await
}

/// Anna has a desk, and is account 7 at GitHub.
async fn connect(world: &World) {
    let token = world.connected("anna").await;
    world.api.connect(&token, "github", "7").await.unwrap();
}

async fn deliver(world: &World, id: &str, secret: &str) -> u16 {
    let body = json!({ "action": "opened", "installation": { "id": 7 }, "n": id }).to_string();
    let body = Bytes::from(body);
    let delivery = Delivery { kind: "issues", id, account: "7", secret, body };
    world.api.webhook("github", delivery).await.unwrap().status
}

async fn admin(world: &World, call: &str, key: &str, body: &Value) -> Answer {
    let (method, path) = call.split_once(' ').unwrap();
    world.admin_with(method, &format!("/webhooks{path}"), key, body).await
}

/// The rows of the inbox that a filter lets pass, once there are so many.
async fn rows(world: &World, filter: &str, count: usize) -> Vec<Value> {
    until(&format!("{count} webhooks of {filter}"), async || {
        let page = world.inbox(filter).await;
        let rows = page["webhooks"].as_array().unwrap().clone();
        (rows.len() >= count).then_some(rows)
    })
    .await
}

#[tokio::test]
async fn one_is_matched_as_accounts_are_now_and_is_seen_as_a_replay() {
    let server = Server::start().await;
    let world = start(&server).await;
    assert_eq!(deliver(&world, "d-1", GITHUB_SECRET).await, 200);
    assert_eq!(deliver(&world, "d-2", "another secret").await, 401);
    let missed = text(&rows(&world, "?delivery=d-1", 1).await[0]["id"]);
    let forged = text(&rows(&world, "?delivery=d-2", 1).await[0]["id"]);
    connect(&world).await;
    let world = world.killed().await;
    let call = format!("POST /{missed}/replay");
    for _ in 0..2 {
        // The second one is the first once more.
        let answer = admin(&world, &call, "once", &Value::Null).await;
        assert_eq!(answer.status, 200, "{}", answer.shown());
    }
    world.ended("", 1).await;
    assert_eq!(server.seen("/note")[0]["body"]["n"], "d-1");
    let all = rows(&world, "?name=issues.opened&unmatched=false", 1).await;
    assert_eq!((&all[0]["replayOf"], &all[0]["recipientCount"]), (&json!(missed), &json!(1)));
    assert_eq!(all.len(), 1);
    // What was refused needs a word.
    let call = format!("POST /{forged}/replay");
    let refused = admin(&world, &call, "", &Value::Null).await;
    assert_error(&refused, 409, "WEBHOOK_REFUSED");
    let call = format!("{call}?despiteRefusal=true");
    assert_eq!(admin(&world, &call, "", &Value::Null).await.status, 200);
    world.ended("", 2).await;
    let replayed = rows(&world, "?verdict=FORGED", 2).await;
    assert_eq!(replayed[0]["replayOf"], json!(forged));
    assert_eq!(server.seen("/note").last().unwrap()["body"]["n"], "d-2");
}

#[tokio::test]
async fn many_are_replayed_at_their_pace_once_each_though_the_node_is_killed() {
    const COUNT: usize = 60;
    let server = Server::start().await;
    let world = start(&server).await;
    for n in 0..COUNT {
        assert_eq!(deliver(&world, &format!("d-{n}"), GITHUB_SECRET).await, 200);
    }
    assert_eq!(deliver(&world, "forged", "another secret").await, 401);
    connect(&world).await;
    let wanted = json!({ "integration": "github", "unmatched": true, "perSecond": 40 });
    let begun = admin(&world, "POST /replays", "all", &wanted).await;
    assert_eq!(begun.status, 202, "{}", begun.shown());
    let again = admin(&world, "POST /replays", "all", &wanted).await;
    assert_eq!(again.json(), begun.json());
    let progress = async |world: &World| {
        let all = admin(world, "GET /replays", "", &Value::Null).await.json();
        all["replays"][0].clone()
    };
    until("the first piece", async || {
        let replay = progress(&world).await;
        (replay["replayed"].as_u64().unwrap_or(0) > 0).then_some(())
    })
    .await;
    let world = world.killed().await;
    let done = until("the end of the replay", async || {
        let replay = progress(&world).await;
        (replay["isDone"] == true).then_some(replay)
    })
    .await;
    assert_eq!((&done["replayed"], &done["skipped"]), (&json!(COUNT), &json!(0)), "{done}");
    assert_eq!(done["id"], begun.json()["replays"][0]["id"]);
    world.ended("", COUNT).await;
    assert_eq!(world.history("").await["total"], COUNT, "once each, and none that was forged");
    let mut noted: Vec<String> =
        server.seen("/note").iter().map(|note| text(&note["body"]["n"])).collect();
    noted.sort();
    noted.dedup();
    assert_eq!(noted.len(), COUNT);
}
