//! User tokens, API keys and the admin key: good ones, and everything near them.

use crate::project::{self, API_KEY, DESK, id, nobody, on_order, on_request, project};
use crate::raw;
use crate::world::{World, assert_error, error_of, text, until};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use tests::harness::{Api, unsigned};

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn claims() -> Value {
    json!({ "sub": "anna", "iat": now_s(), "exp": now_s() + 600 })
}

/// The claims with one replaced, or taken out.
fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

fn rs256() -> Value {
    json!({ "alg": "RS256", "typ": "JWT" })
}

async fn world() -> World {
    let pause = json!([{ "name": "pause", "delay": { "value": 0 } }]);
    let workflows = [on_request("run", &pause), on_order("order", &pause)];
    World::start(&project("http://127.0.0.1:9", &workflows)).await
}

async fn assert_refused(world: &World, token: &str, name: &str, what: &str) {
    let answer = world.call("GET", "/sdk/me", token).await;
    assert_eq!((answer.status, error_of(&answer).as_str()), (401, name), "{what}");
    assert_eq!(answer.json()["code"], "7203", "{what}");
    let shown = answer.shown();
    assert!(token.len() < 8 || !shown.contains(token), "{what}: the token is told: {shown}");
}

#[tokio::test]
async fn a_token_is_good_only_within_its_time() {
    let world = world().await;
    let now = now_s();
    let cases = [
        ("expired", with("exp", json!(now - 10)), "TOKEN_EXPIRED"),
        ("expired long ago", with("exp", json!(1)), "TOKEN_EXPIRED"),
        ("negative exp", with("exp", json!(-1)), "TOKEN_EXPIRED"),
        ("no exp", with("exp", Value::Null), "TOKEN_INVALID"),
        ("exp is text", with("exp", json!("2099-01-01")), "TOKEN_INVALID"),
        ("exp is an object", with("exp", json!({})), "TOKEN_INVALID"),
        ("issued in an hour", with("iat", json!(now + 3_600)), "TOKEN_INVALID"),
        ("not before an hour", with("nbf", json!(now + 3_600)), "TOKEN_INVALID"),
        ("lives for a century", with("exp", json!(now + 3_153_600_000_u64)), "TOKEN_LIFETIME"),
        ("exp of 64 bits", with("exp", json!(u64::MAX)), "TOKEN_LIFETIME"),
        ("exp beyond numbers", with("exp", json!(1e300)), "TOKEN_LIFETIME"),
        ("issued at the beginning", with("iat", json!(0)), "TOKEN_LIFETIME"),
    ];
    for (what, claims, name) in cases {
        let token = world.signer().forge(&rs256(), &claims).unwrap();
        assert_refused(&world, &token, name, what).await;
    }
    // The example of the page actionkit/overview.
    let token = world.signer().forge(&rs256(), &with("exp", json!(1))).unwrap();
    let told = world.call("GET", "/sdk/me", &token).await.json();
    assert_eq!(told["message"], "Your authorization token has expired.");
    assert_eq!(told["meta"]["projectId"], json!(world.api.project));
    for claims in [claims(), with("iat", Value::Null), with("exp", json!(now as f64 + 60.5))] {
        let token = world.signer().forge(&rs256(), &claims).unwrap();
        let answer = world.call("GET", "/sdk/me", &token).await;
        assert_eq!(answer.status, 200, "{claims}: {}", answer.shown());
        assert_eq!(answer.json()["userId"], "anna");
    }
}

#[tokio::test]
async fn a_token_that_was_good_is_refused_once_it_has_expired() {
    let world = world().await;
    let token = world.signer().forge(&rs256(), &with("exp", json!(now_s() + 1))).unwrap();
    assert_eq!(world.call("GET", "/sdk/me", &token).await.status, 200);
    let answer = until("the token's end", async || {
        let answer = world.call("GET", "/sdk/me", &token).await;
        (answer.status != 200).then_some(answer)
    })
    .await;
    assert_error(&answer, 401, "TOKEN_EXPIRED");
}

#[tokio::test]
async fn a_token_names_its_user_and_its_project() {
    let world = world().await;
    let other = format!("useparagon.com/{}", nobody());
    let cases = [
        ("no sub", with("sub", Value::Null)),
        ("empty sub", with("sub", json!(""))),
        ("sub is a number", with("sub", json!(7))),
        ("sub is a list", with("sub", json!(["anna"]))),
        ("sub is long", with("sub", json!("a".repeat(300)))),
        ("for another project", with("aud", json!(other))),
        ("for other projects", with("aud", json!([other, "dashboard.useparagon.com/x"]))),
        ("for somebody else", with("aud", json!("https://example.com"))),
    ];
    for (what, claims) in cases {
        let token = world.signer().forge(&rs256(), &claims).unwrap();
        assert_refused(&world, &token, "TOKEN_INVALID", what).await;
    }
    let own = with("aud", json!(format!("useparagon.com/{}", world.api.project)));
    let token = world.signer().forge(&rs256(), &own).unwrap();
    assert_eq!(world.call("GET", "/sdk/me", &token).await.status, 200);
}

#[tokio::test]
async fn only_the_projects_own_key_and_rs256_count() {
    let world = world().await;
    let mut other = project("http://127.0.0.1:9", &[]);
    other["project"]["id"] = json!(id("another project"));
    other["integrations"] = json!([]);
    let (other, foreign) = Api::apply(&world.node, world.data(), &other).await.unwrap();
    let pem = world.signer().public_pem().unwrap();
    let hs256 = |key: &[u8]| {
        encode(&Header::new(Algorithm::HS256), &claims(), &EncodingKey::from_secret(key)).unwrap()
    };
    let good = world.token("anna");
    let (head, signature) = good.rsplit_once('.').unwrap();
    let elsewhere = head.split_once('.').unwrap().0;
    let forged = unsigned(&rs256(), &with("sub", json!("bert")));
    let none = |name: &str| unsigned(&json!({ "alg": name, "typ": "JWT" }), &claims());
    let with_header = |header: Value| world.signer().forge(&header, &claims()).unwrap();
    let jwk = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" });
    let cases = [
        ("another project's key", foreign.token("anna").unwrap()),
        ("alg none", format!("{}.", none("none"))),
        ("alg NONE, no last part", none("NONE")),
        ("alg none with a signature", format!("{}.{signature}", none("nOnE"))),
        ("HS256 with the public key", hs256(pem.as_bytes())),
        ("HS256 with the public key, trimmed", hs256(pem.trim().as_bytes())),
        ("HS256 with nothing", hs256(b"")),
        ("RS384 says the header", with_header(json!({ "alg": "RS384" }))),
        (
            "a key in the header",
            with_header(json!({ "alg": "RS256", "jwk": jwk, "crit": ["jwk"] })),
        ),
        ("no alg", with_header(json!({ "typ": "JWT" }))),
        ("no signature", format!("{head}.")),
        ("a signature of other claims", format!("{forged}.{signature}")),
        ("no claims", format!("{elsewhere}..{signature}")),
    ];
    for (what, token) in cases {
        assert_refused(&world, &token, "TOKEN_INVALID", what).await;
    }
    // The other way round as well: each is good where it belongs.
    let there = foreign.token("anna").unwrap();
    assert_eq!(other.call(hyper::Method::GET, "/sdk/me", &there, None).await.unwrap().status, 200);
    assert_eq!(other.call(hyper::Method::GET, "/sdk/me", &good, None).await.unwrap().status, 401);
}

#[tokio::test]
async fn garbage_is_no_token() {
    let world = world().await;
    let long = "a".repeat(20_000);
    let deep = format!("{}.{}.x", "e30".repeat(2_000), "W1tb".repeat(2_000));
    let cases =
        ["x", "a.b.c", "....", "e30.e30.e30", "e30.e30.", "%00.%00.%00", &long, &deep, "nul", "{}"];
    for token in cases {
        assert_refused(&world, token, "TOKEN_INVALID", &token[..token.len().min(20)]).await;
    }
    for header in ["Basic YTpi", "Bearer", "Bearer ", "Token x y"] {
        let path = format!("/projects/{}/sdk/me", world.api.project);
        let head = raw::head("GET", &path, &format!("Authorization: {header}\r\n"));
        let answer = raw::exchange(world.node.address, head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{header}: {answer}");
        assert!(answer.contains("\"TOKEN_MISSING\""), "{header}: {answer}");
    }
    let answer = world.open("GET", &format!("/projects/{}/sdk/me", world.api.project)).await;
    assert_error(&answer, 401, "TOKEN_MISSING");
}

#[tokio::test]
async fn the_header_may_be_written_in_any_case() {
    let world = world().await;
    let token = world.token("anna");
    let path = format!("/projects/{}/sdk/me", world.api.project);
    for header in ["Authorization: Bearer ", "AUTHORIZATION: BEARER ", "authorization:bearer   "] {
        let head = raw::head("GET", &path, &format!("{header}{token}\r\n"));
        let answer = raw::exchange(world.node.address, head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{header}: {answer}");
    }
    // A published sample leaves the word out.
    let head = raw::head("GET", &path, &format!("Authorization: {token}\r\n"));
    assert!(raw::exchange(world.node.address, head.as_bytes()).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn no_address_answers_without_its_own_credentials() {
    let world = world().await;
    let token = world.token("anna");
    let description = world.open("GET", "/openapi.json").await.json();
    let mut looked_at = 0;
    for (path, methods) in description["paths"].as_object().unwrap() {
        let at = path.replace("{project}", &world.api.project);
        let at: String = at
            .split('/')
            .map(|part| if part.starts_with('{') { nobody() } else { part.into() })
            .collect::<Vec<String>>()
            .join("/");
        let (name, wrong) = match path.as_str() {
            path if path.contains("/sdk/") => ("TOKEN_", API_KEY.to_owned()),
            path if path.contains("/task-history/") => ("API_KEY_INVALID", token.clone()),
            path if path.starts_with("/admin/") => ("ADMIN_KEY_INVALID", token.clone()),
            _ => continue,
        };
        for method in methods.as_object().unwrap().keys() {
            let method = method.to_uppercase();
            let bare = world.open(&method, &at).await;
            let headers = format!("Authorization: Bearer {wrong}\r\nContent-Length: 0\r\n");
            let head = raw::head(&method, &at, &headers);
            let other = raw::exchange(world.node.address, head.as_bytes()).await;
            assert_eq!(bare.status, 401, "{method} {path}: {}", bare.shown());
            assert!(error_of(&bare).starts_with(name), "{method} {path}: {}", bare.shown());
            assert!(other.starts_with("HTTP/1.1 401 "), "{method} {path}: {other}");
            looked_at += 1;
        }
    }
    assert!(looked_at >= 20, "only {looked_at} addresses were looked at");
}

#[tokio::test]
async fn a_users_token_reaches_nothing_of_another_user() {
    let world = world().await;
    let (anna, bert) = (world.connected("anna").await, world.connected("bert").await);
    let credentials = world.call("GET", "/sdk/credentials", &anna).await.json();
    let credential = text(&credentials[0]["id"]);
    let path = format!("/sdk/credentials/{credential}");
    assert_eq!(world.call("GET", &path, &anna).await.status, 200);
    assert_error(&world.call("GET", &path, &bert).await, 404, "CREDENTIAL_UNKNOWN");
    let bearer = format!("Bearer {bert}");
    let headers = [("authorization", bearer.as_str()), ("x-paragon-credential", &credential)];
    let event = json!({ "name": "Order Placed", "payload": {} }).to_string();
    let answer = world.post("/sdk/events/trigger", &headers, event.into()).await;
    // An app event is taken whether it starts anything or not.
    assert_eq!(answer.status, 201, "{}", answer.shown());
    let path_of_run = format!("/sdk/triggers/{}", id("run"));
    let answer = world.post(&path_of_run, &headers, "{}".into()).await;
    assert_error(&answer, 409, "WORKFLOW_DISABLED");
    let answer = world.call("DELETE", &format!("/sdk/integrations/{DESK}"), &bert).await;
    assert_eq!(answer.status, 200, "{}", answer.shown());
    assert_eq!(world.call("GET", &path, &anna).await.status, 200, "anna's account is gone");
    assert_eq!(world.history("").await["total"], 0, "something ran for another's account");
}

#[tokio::test]
async fn an_unknown_project_is_told_apart_from_a_bad_token() {
    let world = world().await;
    let token = world.token("anna");
    for (project, status) in [(nobody(), 404), (project::id("x"), 404), ("x y".into(), 404)] {
        let path = format!("/projects/{}/sdk/me", project.replace(' ', "%20"));
        let head = raw::head("GET", &path, &format!("Authorization: Bearer {token}\r\n"));
        let answer = raw::exchange(world.node.address, head.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{project}: {answer}");
    }
}
