//! Steps that are under way when their node stops, or dies.

use crate::project::{id, on_request, project};
use crate::server::Server;
use crate::world::{World, text, until};
use serde_json::{Value, json};

/// A run whose step waits at the gate.
async fn at_the_gate(server: &Server) -> (World, String) {
    let step = json!([{ "name": "ask", "request": { "method": "POST", "url": server.url("/gate"), "json": {} } }]);
    let world = World::start(&project(&server.url(""), &[on_request("ask", &step)])).await;
    let token = world.connected("anna").await;
    let asked = world.api.request(&token, &id("ask"), &json!({})).await.unwrap();
    let run = text(&asked.json()["executionId"]);
    came(server, 1).await;
    (world, run)
}

async fn came(server: &Server, times: usize) {
    until("the request", async || (server.seen("/gate").len() >= times).then_some(())).await;
}

/// Status and code of each attempt of the first step.
fn attempts(run: &Value) -> Vec<(String, Value)> {
    let attempts = run["stepExecutions"][1]["attempts"].as_array().unwrap();
    attempts.iter().map(|one| (text(&one["status"]), one["errorCode"].clone())).collect()
}

#[tokio::test]
async fn a_step_whose_node_dies_is_tried_again_and_the_attempt_is_counted() {
    let server = Server::start().await;
    let (world, run) = at_the_gate(&server).await;
    let world = world.killed().await;
    came(&server, 2).await;
    server.open();
    let run = world.run(&run).await;
    assert_eq!(run["status"], "SUCCEEDED", "{run}");
    let lost = ("FAILED".to_owned(), json!("NODE_LOST"));
    assert_eq!(attempts(&run), [lost, ("SUCCEEDED".to_owned(), Value::Null)]);
    let seen = server.seen("/gate");
    let keys: Vec<&Value> = seen.iter().map(|one| &one["headers"]["idempotency-key"]).collect();
    assert!(keys.len() == 2 && keys[0].is_string() && keys[0] == keys[1], "{keys:?}");
}

#[tokio::test]
async fn a_node_that_stops_finishes_what_it_performs() {
    let server = Server::start().await;
    let (world, run) = at_the_gate(&server).await;
    let address = world.node.address;
    let closed = until("a door that is closed", async || {
        tokio::net::TcpStream::connect(address).await.err().map(|_| server.open())
    });
    let (world, ()) = tokio::join!(world.restarted(), closed);
    let run = world.run(&run).await;
    assert_eq!(attempts(&run), [("SUCCEEDED".to_owned(), Value::Null)]);
    assert_eq!(server.seen("/gate").len(), 1);
}
