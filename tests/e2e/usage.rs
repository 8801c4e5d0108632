//! What is metered.

use crate::project::{DESK, id, on_request, project};
use crate::server::Server;
use crate::world::{World, assert_error, text, until};
use serde_json::{Value, json};

#[tokio::test]
async fn tasks_and_connected_users_are_counted_by_month_and_user() {
    let server = Server::start().await;
    let steps = json!([
        { "name": "pause", "delay": { "value": 0 } },
        { "name": "each", "fan_out": [1, 2, 3], "steps": [
            { "name": "work", "function": "function yourFunction() { return 1; }" },
        ] },
        { "name": "again", "request": { "url": server.url("/status/404") }, "continue_on_error": true },
        { "name": "last", "request": { "url": server.url("/kept") } },
    ]);
    let world = World::start(&project(&server.url(""), &[on_request("work", &steps)])).await;
    let (anna, bert) = (world.connected("anna").await, world.connected("bert").await);
    let run = world.run_through(&anna, &id("work"), &json!({})).await;
    assert_eq!(run["taskCount"], 4, "what failed is not counted, nor what is done on the way");
    world.run_through(&anna, &id("work"), &json!({})).await;
    world.run_through(&bert, &id("work"), &json!({})).await;
    let gone = world.call("DELETE", &format!("/sdk/integrations/{DESK}"), &bert).await;
    assert_eq!(gone.status, 200);
    let usage = async |path: &str| {
        let answer = world.admin("GET", &format!("/usage{path}")).await;
        assert_eq!(answer.status, 200, "{}", answer.shown());
        answer.json()
    };
    let month = until("the tasks of three runs", async || {
        let months = usage("").await["months"].as_array().unwrap().clone();
        let tasks: i64 = months.iter().filter_map(|month| month["taskCount"].as_i64()).sum();
        (tasks == 12).then(|| months[0].clone())
    })
    .await;
    assert_eq!(month["connectedUsers"], 2, "bert was connected this month");
    // A run may end in the next month.
    let mut users = Vec::<Value>::new();
    for month in usage("").await["months"].as_array().unwrap() {
        let page = usage(&format!("/{}", text(&month["month"]))).await;
        assert_eq!(page["next"], Value::Null);
        users.extend(page["users"].as_array().unwrap().iter().cloned());
    }
    let of = |user: &str| -> i64 {
        let rows = users.iter().filter(|row| row["userId"] == user);
        rows.filter_map(|row| row["taskCount"].as_i64()).sum()
    };
    assert_eq!((of("anna"), of("bert")), (8, 4), "{users:?}");
    let behind = usage(&format!("/{}?after=bert", text(&month["month"]))).await;
    assert_eq!(behind["users"], json!([]));
    assert_error(&world.admin("GET", "/usage/2026-13").await, 400, "MONTH_MALFORMED");
}

#[tokio::test]
async fn only_new_users_are_refused_where_there_may_be_no_more() {
    let mut file = project("http://127.0.0.1:9", &[]);
    file["project"]["connected_users_max"] = json!(1);
    let other =
        json!({ "type": "custom.other", "name": "Other", "base_url": "http://127.0.0.1:9" });
    file["integrations"].as_array_mut().unwrap().push(other);
    let world = World::start(&file).await;
    world.connected("anna").await;
    let counted = async |users: i64| {
        until("the count of users", async || {
            let usage = world.admin("GET", "/usage").await.json();
            (usage["connectedUsers"] == users).then_some(usage)
        })
        .await
    };
    assert_eq!(counted(1).await["connectedUsersMax"], 1);
    let connect = async |user: &str, integration: &str| {
        let body = json!({ "integrationId": integration, "payload": {} });
        let token = world.token(user);
        let path = "/sdk/credentials";
        world.api.call(hyper::Method::POST, path, &token, Some(&body)).await.unwrap()
    };
    assert_error(&connect("bert", DESK).await, 409, "CONNECTED_USERS_TOO_MANY");
    assert_eq!(connect("anna", "custom.other").await.status, 200);
    assert_eq!(world.admin("DELETE", "/users/anna").await.status, 200);
    counted(0).await;
    assert_eq!(connect("bert", DESK).await.status, 200);
}
