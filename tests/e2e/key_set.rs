//! User tokens that are signed with a key which somebody else publishes (JWKS).

use crate::project::{DESK, id, on_request, project};
use crate::server::Server;
use crate::world::{World, assert_error};
use hyper::Method;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use tests::harness::{Api, Signer};

/// A signer whose key the project under test does not have.
async fn stranger(world: &World, name: &str) -> Signer {
    let mut other = project("http://127.0.0.1:9", &[]);
    other["project"]["id"] = json!(id(name));
    other["integrations"] = json!([]);
    Api::apply(&world.node, world.data(), &other).await.unwrap().1
}

fn token(signer: &Signer, key: &str) -> String {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({ "sub": "anna", "iat": now_s, "exp": now_s + 600 });
    signer.forge(&json!({ "alg": "RS256", "typ": "JWT", "kid": key }), &claims).unwrap()
}

#[tokio::test]
async fn a_published_key_is_the_projects_key() {
    let server = Server::start().await;
    let steps = json!([{ "name": "answer", "response": { "status": 201 } }]);
    let mut file = project(&server.url(""), &[on_request("run", &steps)]);
    let world = World::start(&file).await;
    let (publisher, other) = (stranger(&world, "one").await, stranger(&world, "two").await);
    let own = world.token("anna");
    let foreign = token(&publisher, "k-1");
    let read = async |token: &str| world.call("GET", "/sdk/me", token).await;
    assert_error(&read(&foreign).await, 401, "TOKEN_INVALID");

    server.keep(json!({ "keys": [publisher.public_jwk("k-1").unwrap()] }));
    file["signing_keys"] = json!({ "jwks_url": server.url("/kept") });
    Api::apply(&world.node, world.data(), &file).await.unwrap();
    let me = read(&foreign).await;
    assert_eq!((me.status, &me.json()["userId"]), (200, &Value::from("anna")), "{}", me.shown());
    // From here on it is a token like any other.
    world.api.connect(&foreign, DESK, "anna").await.unwrap();
    let answer = world.api.request(&foreign, &id("run"), &json!({})).await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.shown());
    // A key that is not published is none, whatever it calls itself; nor is one that was dropped.
    for refused in [token(&other, "k-1"), token(&other, "k-2"), own] {
        assert_error(&read(&refused).await, 401, "TOKEN_INVALID");
    }
    assert_eq!(read(&token(&publisher, "k-1")).await.status, 200);
    let asked = server.seen("/kept").len();
    assert!((1..=2).contains(&asked), "bad tokens made it ask {asked} times");
    let path = "/sdk/credentials";
    let listed = world.api.call(Method::GET, path, &foreign, None).await.unwrap().json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
}
