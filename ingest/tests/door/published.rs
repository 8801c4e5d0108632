//! Tokens of an identity provider that publishes its keys.

use crate::project::{PROJECT, file};
use crate::token::{OTHER, OURS, claims};
use crate::world::World;
use axum::body::Body;
use axum::http::Request;
use ingest::Limits;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

async fn started(keys: &[Value]) -> World {
    started_with(&json!({ "jwks_url": "https://idp.test/jwks.json" }), keys).await
}

async fn started_with(signing_keys: &Value, keys: &[Value]) -> World {
    let mut file = file();
    file["signing_keys"] = signing_keys.clone();
    let world = World::with(Limits::default(), &file).await;
    publish(&world, keys);
    world
}

fn publish(world: &World, keys: &[Value]) {
    let document = json!({ "keys": keys }).to_string();
    *world.readers.provider.document.lock().unwrap() = Some(document);
}

fn fetches(world: &World) -> u32 {
    *world.readers.provider.fetches.lock().unwrap()
}

async fn status(world: &World, token: &str) -> u16 {
    let request = Request::get(format!("/projects/{PROJECT}/sdk/me"));
    let request = request.header("authorization", format!("Bearer {token}"));
    world.send(request.body(Body::empty()).unwrap()).await.status
}

#[tokio::test(start_paused = true)]
async fn a_published_key_verifies_by_name_and_is_fetched_once() {
    let symmetric = json!({ "kty": "oct", "k": "AAAA", "kid": "b", "alg": "HS256" });
    let world = started(&[symmetric, OTHER.jwk("b"), OURS.jwk("a")]).await;
    let named = OURS.sign_as(Algorithm::RS256, Some("a"), &claims("u1"));
    let mut foreign = claims("u1");
    foreign["aud"] = json!("client-id-at-the-provider");
    let unnamed = OURS.sign(&foreign);
    for _ in 0..3 {
        assert_eq!((status(&world, &named).await, status(&world, &unnamed).await), (200, 200));
    }
    let wrong_name = OURS.sign_as(Algorithm::RS256, Some("b"), &claims("u1"));
    assert_eq!(status(&world, &wrong_name).await, 401);
    foreign["aud"] = json!("useparagon.com/another-project");
    assert_eq!(status(&world, &OURS.sign(&foreign)).await, 401);
    assert_eq!(fetches(&world), 1, "a moment ago it was asked");
}

#[tokio::test(start_paused = true)]
async fn a_rotated_key_is_found_and_the_old_one_ends() {
    let world = started(&[OURS.jwk("a")]).await;
    let old = OURS.sign_as(Algorithm::RS256, Some("a"), &claims("u1"));
    let new = OTHER.sign_as(Algorithm::RS256, Some("b"), &claims("u1"));
    assert_eq!(status(&world, &old).await, 200);
    publish(&world, &[OTHER.jwk("b")]);
    assert_eq!(status(&world, &new).await, 401, "the provider was asked a moment ago");
    world.clock.step_ms(10_000);
    assert_eq!(status(&world, &new).await, 200);
    assert_eq!(status(&world, &old).await, 401);
    assert_eq!(fetches(&world), 2);
}

#[tokio::test(start_paused = true)]
async fn strangers_cannot_make_the_door_ask_the_provider_again_and_again() {
    let world = started(&[OURS.jwk("a")]).await;
    for n in 0..20 {
        let kid = format!("k{n}");
        let token = OTHER.sign_as(Algorithm::RS256, Some(&kid), &claims("u1"));
        assert_eq!(status(&world, &token).await, 401);
    }
    assert_eq!(fetches(&world), 1);
}

#[tokio::test(start_paused = true)]
async fn while_the_provider_is_down_its_last_keys_are_good_for_an_hour() {
    let world = started(&[OURS.jwk("a")]).await;
    let token = OURS.sign(&claims("u1"));
    assert_eq!(status(&world, &token).await, 200);
    *world.readers.provider.document.lock().unwrap() = None;
    world.clock.step_ms(3_590_000);
    assert_eq!(status(&world, &token).await, 200);
    world.clock.step_ms(10_000);
    assert_eq!(status(&world, &token).await, 401);
}

/// Claims of a provider.
fn issued(iss: &str, aud: &Value) -> String {
    let mut claims = claims("u1");
    claims["iss"] = json!(iss);
    claims["aud"] = aud.clone();
    OURS.sign_as(Algorithm::RS256, Some("a"), &claims)
}

#[tokio::test(start_paused = true)]
async fn an_auth0_tenants_tokens_are_of_that_tenant() {
    let keys = [OURS.jwk("a")];
    let world = started_with(&json!({ "auth0": "acme.eu.auth0.com" }), &keys).await;
    let (issuer, any) = ("https://acme.eu.auth0.com/", json!("client"));
    assert_eq!(status(&world, &issued(issuer, &any)).await, 200);
    let asked = world.readers.provider.asked_at.lock().unwrap().clone();
    assert_eq!(asked, "https://acme.eu.auth0.com/.well-known/jwks.json");
    for other in ["https://acme.eu.auth0.com", "https://evil.auth0.com/", ""] {
        assert_eq!(status(&world, &issued(other, &any)).await, 401, "{other}");
    }
    // A token that was good is judged again when the project asks for more.
    let mut narrowed = file();
    narrowed["signing_keys"] = json!({ "auth0": "acme.eu.auth0.com", "audience": "ours" });
    assert_eq!(world.apply(&narrowed).await.status, 200);
    assert_eq!(status(&world, &issued(issuer, &any)).await, 401);
    for aud in [json!("ours"), json!(["theirs", "ours"])] {
        assert_eq!(status(&world, &issued(issuer, &aud)).await, 200, "{aud}");
    }
    assert_eq!(status(&world, &issued(issuer, &json!(["theirs"]))).await, 401);
}

#[tokio::test(start_paused = true)]
async fn a_firebase_projects_tokens_name_it_twice() {
    let world = started_with(&json!({ "firebase": "acme-app" }), &[OURS.jwk("a")]).await;
    let cases = [
        ("https://securetoken.google.com/acme-app", "acme-app", 200),
        ("https://securetoken.google.com/acme-app", "other-app", 401),
        ("https://securetoken.google.com/other-app", "acme-app", 401),
        ("https://securetoken.google.com/other-app", "other-app", 401),
    ];
    for (iss, aud, expected) in cases {
        assert_eq!(status(&world, &issued(iss, &json!(aud))).await, expected, "{iss} for {aud}");
    }
    let asked = world.readers.provider.asked_at.lock().unwrap().clone();
    assert!(asked.starts_with("https://www.googleapis.com/service_accounts/v1/jwk/"), "{asked}");
}
