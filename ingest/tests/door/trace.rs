//! One id from the request to what is recorded.

use crate::world::{World, request};
use axum::body::Body;
use domain::command::Command;
use uuid::Uuid;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test(start_paused = true)]
async fn what_a_request_appends_carries_its_trace() {
    let world = World::start().await;
    world.connect().await;
    let send = async |traceparent: Option<&str>| {
        let mut request = request("u1", "POST", "events/trigger");
        if let Some(value) = traceparent {
            request = request.header("traceparent", value);
        }
        let body = Body::from(r#"{"name":"Contact Created","payload":{}}"#);
        let reply = world.send(request.body(body).unwrap()).await;
        assert_eq!(reply.status, 201, "{}", reply.json());
        reply.headers["x-request-id"].to_str().unwrap().to_owned()
    };
    let given = format!("00-{TRACE}-00f067aa0ba902b7-01");
    assert_eq!(send(Some(&given)).await, TRACE);
    let made = send(None).await;
    let commands = world.commands().await;
    let sent = commands.iter().filter(|command| matches!(command.body, Command::ReceiveEvent(_)));
    let mut found: Vec<Uuid> = sent.map(|command| command.meta.correlation_id).collect();
    let mut expected: Vec<Uuid> = [TRACE, &made].map(|id| id.parse().unwrap()).to_vec();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}
