//! Browsers, and what every answer has.

use crate::project::PROJECT;
use crate::world::{World, request};
use axum::body::Body;
use axum::http::Request;

#[tokio::test(start_paused = true)]
async fn a_preflight_needs_no_token_and_echoes_what_is_asked() {
    let world = World::start().await;
    for path in [format!("/projects/{PROJECT}/sdk/me"), "/nowhere".to_owned()] {
        let preflight = Request::options(path)
            .header("origin", "https://app.example.com")
            .header("access-control-request-method", "PATCH")
            .header("access-control-request-headers", "authorization,x-anything-else");
        let reply = world.send(preflight.body(Body::empty()).unwrap()).await;
        assert_eq!((reply.status, reply.body.len()), (204, 0));
        let header = |name: &str| reply.headers[name].to_str().unwrap().to_owned();
        assert_eq!(header("access-control-allow-origin"), "*");
        assert_eq!(header("access-control-allow-headers"), "authorization,x-anything-else");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            assert!(header("access-control-allow-methods").contains(method));
        }
        assert!(header("access-control-max-age").parse::<u32>().unwrap() >= 600);
    }
}

#[tokio::test(start_paused = true)]
async fn every_answer_can_be_read_by_a_browser_and_errors_are_json() {
    let world = World::start().await;
    let large = "x".repeat(10 * 1024 * 1024 + 1);
    let compressed = request("u1", "POST", "events/trigger").header("content-encoding", "gzip");
    let replies = [
        (world.call("GET", "me", "").await, 200),
        (world.call("GET", "/nowhere", "").await, 404),
        (world.call("GET", "/", "").await, 404),
        (world.call("PUT", "me", "").await, 405),
        (world.call("OPTIONS", "me", "").await, 405),
        (world.call("POST", "events/trigger", &large).await, 413),
        (world.call("POST", "events/trigger", "{").await, 400),
        (world.send(compressed.body(Body::from("x")).unwrap()).await, 415),
        (
            world
                .send(
                    Request::get(format!("/projects/{PROJECT}/sdk/me"))
                        .body(Body::empty())
                        .unwrap(),
                )
                .await,
            401,
        ),
    ];
    for (reply, status) in &replies {
        assert_eq!(reply.status, *status);
        assert_eq!(reply.headers["access-control-allow-origin"], "*", "{status}");
        assert_eq!(reply.headers["x-content-type-options"], "nosniff");
        assert_eq!(reply.headers["content-type"], "application/json");
        assert!(!reply.headers.contains_key("x-frame-options"), "trap 14");
        assert!(!reply.headers.contains_key("cross-origin-resource-policy"));
        if *status != 200 {
            reply.problem();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_keeps_its_id_or_gets_one() {
    let world = World::start().await;
    let given = request("u1", "GET", "me").header("x-request-id", "abc-1");
    let reply = world.send(given.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.headers["x-request-id"], "abc-1");
    let (first, second) = (world.call("GET", "me", "").await, world.call("GET", "me", "").await);
    let id = first.headers["x-request-id"].to_str().unwrap();
    assert_eq!(id.len(), 32);
    assert_ne!(second.headers["x-request-id"], id);
    let long = request("u1", "GET", "me").header("x-request-id", "x".repeat(200));
    let reply = world.send(long.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.headers["x-request-id"].len(), 32);
}

#[tokio::test(start_paused = true)]
async fn the_description_is_served() {
    let world = World::start().await;
    let reply = world.send(Request::get("/openapi.json").body(Body::empty()).unwrap()).await;
    assert_eq!((reply.status, reply.json()["openapi"].as_str().unwrap()), (200, "3.1.0"));
    assert_eq!(String::from_utf8_lossy(&reply.body), ingest::document());
}
