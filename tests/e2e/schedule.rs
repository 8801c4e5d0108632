//! Workflows that run by themselves.

use crate::project::{DESK, id, project, workflow};
use crate::world::{World, text, until};
use serde_json::{Value, json};
use tests::harness::{Api, Node};

fn every_second(name: &str, default_enabled: bool) -> Value {
    let trigger =
        json!({ "schedule": { "cron": "* * * * * *", "timezone": "UTC", "exact": true } });
    let steps = json!([{ "name": "run", "function": "function yourFunction() { return 1; }" }]);
    let mut workflow = workflow(name, &trigger, &steps);
    workflow["default_enabled"] = json!(default_enabled);
    workflow
}

async fn apply(world: &World, file: &Value) {
    Api::apply(&world.node, world.data(), file).await.unwrap();
}

fn file(workflows: &[Value]) -> Value {
    project("http://127.0.0.1:9", workflows)
}

/// The seconds in which a user's executions of a workflow began.
async fn seconds(world: &World, user: &str, name: &str) -> Vec<String> {
    let page = world.history(&format!("?userId={user}&workflowId={}", id(name))).await;
    let rows = page["workflowExecutions"].as_array().unwrap();
    let mut seconds: Vec<String> =
        rows.iter().map(|row| text(&row["dateStarted"])[..19].to_owned()).collect();
    seconds.sort();
    seconds
}

async fn ran(world: &World, user: &str, name: &str, count: usize) -> Vec<String> {
    until(&format!("{count} runs of {name} for {user}"), async || {
        let found = seconds(world, user, name).await;
        (found.len() >= count).then_some(found)
    })
    .await
}

#[tokio::test]
async fn it_runs_for_each_user_who_has_it_on_and_each_moment_once() {
    let world =
        World::start(&file(&[every_second("tick", true), every_second("off", false)])).await;
    world.connected("anna").await;
    world.connected("bob").await;
    for user in ["anna", "bob"] {
        ran(&world, user, "tick", 2).await;
    }
    let page = world.history(&format!("?workflowId={}", id("tick"))).await;
    let row = &page["workflowExecutions"][0];
    assert_eq!(
        (&row["triggerType"], &row["triggerDetail"]),
        (&json!("TRIGGER/CRON"), &json!("Every second"))
    );
    assert_eq!(seconds(&world, "anna", "off").await.len(), 0);
    // After a kill it goes on, and no moment comes again.
    let world = world.killed().await;
    let before = seconds(&world, "anna", "tick").await.len();
    let found = ran(&world, "anna", "tick", before + 2).await;
    let mut once = found.clone();
    once.dedup();
    assert_eq!(once, found, "a moment came twice");
}

#[tokio::test]
async fn it_stops_when_it_is_switched_off_and_starts_when_it_is_switched_on() {
    let world = World::start(&file(&[every_second("tick", false)])).await;
    let token = world.connected("anna").await;
    let path = format!("/sdk/workflows/{}", id("tick"));
    assert_eq!(world.call("POST", &path, &token).await.status, 200);
    ran(&world, "anna", "tick", 1).await;
    assert_eq!(world.call("DELETE", &path, &token).await.status, 200);
    let stopped = seconds(&world, "anna", "tick").await.len();
    // Another user's clock shows that time goes on.
    let other = world.connected("bob").await;
    assert_eq!(world.call("POST", &path, &other).await.status, 200);
    ran(&world, "bob", "tick", 3).await;
    assert!(seconds(&world, "anna", "tick").await.len() <= stopped + 1);
}

#[tokio::test]
async fn what_is_deployed_later_runs_for_those_who_had_it_on() {
    let mut paused = every_second("tick", true);
    paused["trigger"] = json!({ "app_event": "Order Placed" });
    let world = World::start(&file(&[paused])).await;
    world.connected("anna").await;
    apply(&world, &file(&[every_second("tick", true)])).await;
    ran(&world, "anna", "tick", 1).await;
    let mut inactive = file(&[every_second("tick", true)]);
    let desk = inactive["integrations"].as_array_mut().unwrap().iter_mut();
    let desk = desk.filter(|integration| integration["type"] == DESK);
    desk.for_each(|desk| desk["active"] = json!(false));
    apply(&world, &inactive).await;
    let before = seconds(&world, "anna", "tick").await.len();
    apply(&world, &file(&[every_second("tick", true)])).await;
    ran(&world, "anna", "tick", before + 2).await;
}

/// A file whose only workflow has this schedule.
fn scheduled(cron: &str, timezone: &str) -> Value {
    let mut tick = every_second("tick", true);
    tick["trigger"]["schedule"] = json!({ "cron": cron, "timezone": timezone });
    file(&[tick])
}

/// The options of the page, as cron patterns; then what has no moment.
#[tokio::test]
async fn what_never_comes_is_refused_when_it_is_saved() {
    let world = World::start(&file(&[])).await;
    let apply = async |file: &Value| {
        let path = world.data().join("tried.json");
        std::fs::write(&path, file.to_string()).unwrap();
        Node::tell(world.data(), &["apply", "--dry-run", &path.to_string_lossy()]).await.unwrap()
    };
    let zone = "America/Los_Angeles";
    for (cron, zone) in [
        ("*/5 * * * * *", zone),
        ("*/30 * * * *", zone),
        ("15 * * * *", zone),
        ("0 9 */2 * *", zone),
        ("0 12 * * 1", zone),
        ("0 0 9 */1 * *", zone),
        ("0 0 9 * * *", "Etc/Universal"),
        ("0 9 29 2 *", "{{settings.metadata.zone}}"),
    ] {
        let said = apply(&scheduled(cron, zone)).await;
        assert_eq!(said.code, Some(0), "{cron} in {zone}: {}", said.err);
    }
    for (cron, zone, key, word) in [
        ("0 9 * * *", "Mars/Olympus", "timezone", "Europe/Berlin"),
        ("0 9 * * *", "UTC+25", "timezone", "Europe/Berlin"),
        ("0 9 * * *", "../../etc/passwd", "timezone", "Europe/Berlin"),
        ("0 0 30 2 *", "UTC", "cron", "next moment"),
        ("0 0 0 31 11 *", "UTC", "cron", "next moment"),
        ("61 * * * *", "UTC", "cron", "minute hour day"),
        ("* * * *", "UTC", "cron", "minute hour day"),
        ("every minute", "UTC", "cron", "minute hour day"),
    ] {
        let said = apply(&scheduled(cron, zone)).await;
        assert_eq!(said.code, Some(2), "{cron} in {zone}: {}{}", said.out, said.err);
        let place = format!("workflows[0].trigger.schedule.{key}");
        for part in [place.as_str(), word] {
            assert!(said.err.contains(part), "{cron} in {zone}, {part}: {}", said.err);
        }
    }
}

/// What was decided of a user's schedule last.
async fn set(world: &World, user: &str, count: usize) -> Value {
    let said = until(&format!("{count} settings of {user}"), async || {
        let grep = ["log", "grep", "--user", user, "--type", "ScheduleSet"];
        let said = Node::tell(world.data(), &grep).await.unwrap();
        (said.out.lines().count() >= count).then_some(said)
    })
    .await;
    serde_json::from_str::<Value>(said.out.lines().last().unwrap()).unwrap()["body"].clone()
}

#[tokio::test]
async fn nine_o_clock_is_when_it_is_nine_where_the_user_says_to_be() {
    const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
    let mut daily = scheduled("0 0 9 * * *", "{{settings.metadata.zone}}");
    daily["workflows"][0]["trigger"]["schedule"]["exact"] = json!(true);
    let world = World::start(&daily).await;
    let describe = async |user: &str, zone: &str| {
        let body = json!({ "meta": { "zone": zone } });
        let token = world.token(user);
        let answer = world.api.call(hyper::Method::PATCH, "/sdk/me", &token, Some(&body)).await;
        assert_eq!(answer.unwrap().status, 200);
    };
    let minutes = |set: &Value| set["due"].as_i64().map(|due| due % DAY_MS / 60_000);
    // Places whose clocks do not change.
    for (user, zone, in_utc) in [
        ("anna", "Asia/Tokyo", 0),
        ("bert", "Asia/Kolkata", 3 * 60 + 30),
        ("carl", "Etc/Universal", 9 * 60),
    ] {
        describe(user, zone).await;
        world.connected(user).await;
        let set = set(&world, user, 1).await;
        assert_eq!((minutes(&set), &set["code"]), (Some(in_utc), &json!("")), "{zone}: {set}");
    }
    // Nowhere it is never nine, until the user says where else.
    describe("dora", "Mars/Olympus").await;
    world.connected("dora").await;
    let never = set(&world, "dora", 1).await;
    assert_eq!((&never["due"], &never["code"]), (&Value::Null, &json!("TIME_ZONE_UNKNOWN")));
    describe("dora", "Asia/Tokyo").await;
    let moved = set(&world, "dora", 2).await;
    assert_eq!((minutes(&moved), &moved["code"]), (Some(0), &json!("")), "{moved}");
}
