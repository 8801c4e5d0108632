//! Who is let in, and who is not.

use crate::project::{PROJECT, file};
use crate::token::{NOW_S, OTHER, OURS, claims, forged, token};
use crate::world::{Reply, World};
use aws_lc_rs::hmac;
use axum::body::Body;
use axum::http::Request;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

async fn me(world: &World, authorization: &str) -> Reply {
    let path = format!("/projects/{PROJECT}/sdk/me");
    let request = Request::get(path).header("authorization", authorization);
    world.send(request.body(Body::empty()).unwrap()).await
}

async fn refused(world: &World, token: &str) -> String {
    let reply = me(world, &format!("Bearer {token}")).await;
    let (status, error) = reply.problem();
    assert_eq!((status, reply.json()["code"].as_str()), (401, Some("7203")), "{error}");
    assert_eq!(reply.json()["meta"]["projectId"], PROJECT);
    error
}

fn with(field: &str, value: Value) -> Value {
    let mut claims = claims("u1");
    claims[field] = value;
    claims
}

#[tokio::test(start_paused = true)]
async fn a_good_token_is_taken_with_and_without_bearer_again_and_again() {
    let world = World::start().await;
    for authorization in [format!("Bearer {}", token("u1")), token("u1")] {
        for _ in 0..3 {
            let reply = me(&world, &authorization).await;
            assert_eq!((reply.status, &reply.json()["userId"]), (200, &json!("u1")));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_hostile_token_is_refused() {
    let world = World::start().await;
    let good = token("u1");
    let (head, signature) = good.rsplit_once('.').unwrap();
    let hs256 = json!({ "alg": "HS256", "typ": "JWT" });
    let by_public_key = forged(&hs256, &claims("u1"), |message| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, OURS.public_pem.as_bytes());
        hmac::sign(&key, message).as_ref().to_vec()
    });
    let none = json!({ "alg": "none", "typ": "JWT" });
    let (header, body) = head.split_once('.').unwrap();
    let other_body = token("admin").split('.').nth(1).unwrap().to_owned();
    let tokens = [
        by_public_key,
        forged(&none, &claims("u1"), |_| Vec::new()),
        format!(
            "{}.{body}.",
            forged(&none, &claims("u1"), |_| Vec::new()).split('.').next().unwrap()
        ),
        OTHER.sign(&claims("u1")),
        OURS.sign_as(Algorithm::RS512, None, &claims("u1")),
        OURS.sign_as(Algorithm::PS256, None, &claims("u1")),
        OURS.sign_as(Algorithm::RS256, Some("unknown"), &claims("u1")) + "x",
        format!("{header}.{other_body}.{signature}"),
        format!("{head}.{}", &signature[1..]),
        format!("{head}."),
        format!("{good}.{signature}"),
        head.to_owned(),
        "x".to_owned(),
        "..".to_owned(),
        format!("{good}{}", "a".repeat(20_000)),
        OURS.sign(&with("sub", json!(""))),
        OURS.sign(&with("sub", json!(7))),
        OURS.sign(&with("sub", Value::Null)),
        OURS.sign(&with("sub", json!("x".repeat(257)))),
        OURS.sign(&with("exp", Value::Null)),
        OURS.sign(&with("exp", json!("soon"))),
        OURS.sign(&with("iat", json!(NOW_S + 61))),
        OURS.sign(&with("nbf", json!(NOW_S + 61))),
        OURS.sign(&with("aud", json!("useparagon.com/other"))),
        OURS.sign(&with("aud", json!(["https://example.com"]))),
        OURS.sign(&with("aud", json!([]))),
    ];
    for token in &tokens {
        assert_eq!(refused(&world, token).await, "TOKEN_INVALID", "{token}");
    }
    assert_eq!(me(&world, "").await.problem(), (401, "TOKEN_MISSING".into()));
    assert_eq!(me(&world, "Basic abc").await.problem(), (401, "TOKEN_MISSING".into()));
}

#[tokio::test(start_paused = true)]
async fn a_token_lives_no_longer_than_it_may() {
    let world = World::start().await;
    let month = 30 * 86_400;
    for exp in [json!(NOW_S + month + 1), json!(u64::MAX), json!(1e300), json!(i64::MAX)] {
        assert_eq!(refused(&world, &OURS.sign(&with("exp", exp))).await, "TOKEN_LIFETIME");
    }
    let mut without_iat = with("exp", json!(NOW_S + month + 1));
    without_iat.as_object_mut().unwrap().remove("iat");
    assert_eq!(refused(&world, &OURS.sign(&without_iat)).await, "TOKEN_LIFETIME");
    for exp in [json!(NOW_S - 3_600), json!(NOW_S - 2), json!(0), json!(-5), json!(-1e300)] {
        assert_eq!(refused(&world, &OURS.sign(&with("exp", exp))).await, "TOKEN_EXPIRED");
    }
    let longest = OURS.sign(&with("exp", json!(NOW_S + month)));
    assert_eq!(me(&world, &longest).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn what_callers_really_send_is_taken() {
    let world = World::start().await;
    let audiences = [
        json!(format!("useparagon.com/{PROJECT}")),
        json!(format!("dashboard.useparagon.com/{PROJECT}")),
        json!(["https://example.com", format!("useparagon.com/{PROJECT}")]),
    ];
    for audience in audiences {
        assert_eq!(me(&world, &OURS.sign(&with("aud", audience))).await.status, 200);
    }
    let mut extra = with("email", json!("a@b.c"));
    extra["exp"] = json!(NOW_S as f64 + 60.5);
    extra["sub"] = json!(PROJECT);
    assert_eq!(me(&world, &OURS.sign(&extra)).await.status, 200);
    let ahead = OURS.sign(&with("iat", json!(NOW_S + 60)));
    assert_eq!(me(&world, &ahead).await.status, 200);
    let named = OURS.sign_as(Algorithm::RS256, Some("any-kid"), &claims("u1"));
    assert_eq!(me(&world, &named).await.status, 200, "a key in PEM has no name");
}

#[tokio::test(start_paused = true)]
async fn a_remembered_token_ends_when_it_expires() {
    let world = World::start().await;
    let token = token("u1");
    assert_eq!(me(&world, &token).await.status, 200);
    world.clock.step_ms(3_601_000);
    assert_eq!(me(&world, &token).await.status, 200, "within the leeway");
    world.clock.step_ms(1_000);
    assert_eq!(refused(&world, &token).await, "TOKEN_EXPIRED");
    assert_eq!(refused(&world, &token).await, "TOKEN_EXPIRED");
}

#[tokio::test(start_paused = true)]
async fn a_replaced_key_ends_remembered_tokens_at_once() {
    let world = World::start().await;
    let (ours, other) = (token("u1"), OTHER.sign(&claims("u1")));
    assert_eq!(me(&world, &ours).await.status, 200);
    let mut changed = file();
    changed["signing_keys"] = json!({ "public_keys": [OURS.public_pem, OTHER.public_pem] });
    assert_eq!(world.apply(&changed).await.status, 200);
    assert_eq!(me(&world, &ours).await.status, 200, "an overlap of two keys");
    assert_eq!(me(&world, &other).await.status, 200);
    changed["signing_keys"] = json!({ "public_keys": [OTHER.public_pem] });
    assert_eq!(world.apply(&changed).await.status, 200);
    assert_eq!(refused(&world, &ours).await, "TOKEN_INVALID");
    assert_eq!(me(&world, &other).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_token_of_one_project_opens_no_other() {
    let world = World::start().await;
    let mut second = file();
    let id = "0d0b4f6e-5f3a-4a5e-8a51-b7e0f1f0a001";
    second["project"] = json!({ "id": id, "name": "Second" });
    second["signing_keys"] = json!({ "public_keys": [OTHER.public_pem] });
    second["integrations"] = json!(["slack"]);
    second["workflows"] = json!([]);
    let reply = world.apply(&second).await;
    assert_eq!(reply.status, 200, "{}", reply.json());
    assert_eq!(me(&world, &token("u1")).await.status, 200);
    let there = |token: String| {
        let request = Request::get(format!("/projects/{id}/sdk/me")).header("authorization", token);
        world.send(request.body(Body::empty()).unwrap())
    };
    assert_eq!(there(token("u1")).await.problem(), (401, "TOKEN_INVALID".into()));
    assert_eq!(there(OTHER.sign(&claims("u1"))).await.status, 200);
    assert_eq!(refused(&world, &OTHER.sign(&claims("u1"))).await, "TOKEN_INVALID");
}

#[tokio::test(start_paused = true)]
async fn a_project_that_is_not_there_is_said_so() {
    let world = World::start().await;
    for id in ["00000000-0000-4000-8000-000000000000", "nonsense", "%ff"] {
        let reply = world.call("GET", &format!("/projects/{id}/sdk/me"), "").await;
        let (status, error) = reply.problem();
        assert!(status == 404 || error == "PATH_MALFORMED", "{id}: {status} {error}");
    }
}
