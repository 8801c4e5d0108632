//! Workflows that run by themselves.

use crate::project::{DESK, id, project, workflow};
use crate::world::{World, text, until};
use serde_json::{Value, json};
use tests::harness::Api;

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
