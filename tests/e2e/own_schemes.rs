//! Webhooks that are signed in a way that a project file tells.

use crate::project::{project, workflow};
use crate::server::Server;
use crate::world::{World, assert_error, text, until};
use aws_lc_rs::hmac;
use bytes::Bytes;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use tests::harness::Answer;

const BILLING: &str = "custom.billing";
const SECRET: &str = "a secret of the billing, and of nobody else";

fn file(server: &Server) -> Value {
    let scheme = json!({
        "signature": { "at": ["headers.x-billing-signature"], "prefix": "v2=", "as": "hex",
            "of": "{headers.x-billing-time}:{body}" },
        "time": { "at": "headers.x-billing-time", "unit": "s" },
        "delivery": "headers.x-billing-id",
        "kind": "body.what.kind",
        "account": "body.customer",
        "handshake": [
            { "when": { "body.what.kind": "hello" }, "signed": true,
              "json": { "answer": "{body.challenge}", "proof": "{hmac:body.challenge}" } },
        ],
    });
    let note = json!([{ "name": "note", "request": {
        "method": "POST", "url": server.url("/paid"), "json": "{{trigger.body}}" } }]);
    let mut paid = workflow("paid", &json!({ "webhook": "paid" }), &note);
    paid["integration"] = json!(BILLING);
    let mut file = project(&server.url("/desk"), &[paid]);
    file["integrations"].as_array_mut().unwrap().push(json!({
        "type": BILLING, "name": "Billing", "base_url": server.url("/billing"),
        "webhook": { "scheme": scheme, "secret": SECRET },
    }));
    file
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn hex_hmac(secret: &str, text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hex::encode(hmac::sign(&key, text.as_bytes()))
}

async fn post(world: &World, (id, at_s, secret): (&str, u64, &str), body: &Value) -> Answer {
    let body = body.to_string();
    let signature = format!("v2={}", hex_hmac(secret, &format!("{at_s}:{body}")));
    let url =
        format!("http://{}/triggers/connect/{}/{BILLING}", world.node.address, world.api.project);
    let request = hyper::Request::post(url)
        .header("content-type", "application/json")
        .header("x-billing-id", id)
        .header("x-billing-time", at_s)
        .header("x-billing-signature", signature);
    let body = http_body_util::Full::new(Bytes::from(body));
    world.api.client.send(request.body(body).unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_scheme_of_a_project_file_verifies_names_and_greets() {
    let server = Server::start().await;
    let world = World::start(&file(&server)).await;
    let token = world.token("anna");
    world.api.connect(&token, BILLING, "c-7").await.unwrap();
    let paid = json!({ "what": { "kind": "paid" }, "customer": "c-7", "n": 1 });
    let answer = post(&world, ("d-1", now_s(), SECRET), &paid).await;
    assert_eq!(answer.status, 200, "{}", answer.shown());
    // The same delivery starts nothing again, also for another node of the project.
    let world = world.restarted().await;
    assert_eq!(post(&world, ("d-1", now_s(), SECRET), &paid).await.status, 200);
    world.ended("", 1).await;
    assert_eq!(server.seen("/paid").len(), 1);
    let forged = post(&world, ("d-2", now_s(), "another secret"), &paid).await;
    assert_error(&forged, 401, "WEBHOOK_FORGED");
    let stale = post(&world, ("d-3", now_s() - 1_000, SECRET), &paid).await;
    assert_error(&stale, 401, "WEBHOOK_STALE");
    let hello = json!({ "what": { "kind": "hello" }, "challenge": "abc-1" });
    let greeted = post(&world, ("d-4", now_s(), SECRET), &hello).await;
    let expected = json!({ "answer": "abc-1", "proof": hex_hmac(SECRET, "abc-1") });
    assert_eq!((greeted.status, greeted.json()), (200, expected));
    let stranger = post(&world, ("d-5", now_s(), "another secret"), &hello).await;
    assert_error(&stranger, 401, "WEBHOOK_FORGED");
}

/// What no scheme can say: two signatures, of which the sum of two parts of the body is signed too.
const VERIFY: &str = r#"
async function yourFunction({ headers, body, secret, method, params }, { crypto }) {
  const sign = (text) => crypto.createHmac('sha256', secret).update(text).digest('hex');
  const { amounts } = JSON.parse(body);
  const sum = String(amounts.reduce((sum, amount) => sum + amount, 0));
  const of_body = headers['x-of-body'], of_sum = headers['x-of-sum'];
  if (params.loop) while (true) {}
  if (params.throws) throw new Error(`no ${secret}`);
  const fits = (told, text) =>
    told.length === 64 && crypto.timingSafeEqual(Buffer.from(told), Buffer.from(sign(text)));
  return method === 'POST' && fits(of_body, body) && fits(of_sum, sum);
}"#;

async fn sum(world: &World, query: &str, body: &Value, of_sum: &str) -> Answer {
    let body = body.to_string();
    let url = format!(
        "http://{}/triggers/connect/{}/{BILLING}{query}",
        world.node.address, world.api.project
    );
    let request = hyper::Request::post(url)
        .header("content-type", "application/json")
        .header("x-id", of_sum)
        .header("x-of-body", hex_hmac(SECRET, &body))
        .header("x-of-sum", hex_hmac(SECRET, of_sum));
    let body = http_body_util::Full::new(Bytes::from(body));
    world.api.client.send(request.body(body).unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_function_of_a_project_says_what_is_genuine() {
    let server = Server::start().await;
    let mut file = file(&server);
    let billing = file["integrations"].as_array_mut().unwrap().last_mut().unwrap();
    billing["webhook"]["scheme"] = json!({ "function": VERIFY, "delivery": "headers.x-id",
        "kind": "body.kind", "account": "body.customer" });
    let world = World::start(&file).await;
    world.api.connect(&world.token("anna"), BILLING, "c-7").await.unwrap();
    let paid = json!({ "kind": "paid", "customer": "c-7", "amounts": [40, 2] });
    let answer = sum(&world, "", &paid, "42").await;
    assert_eq!(answer.status, 200, "{}", answer.shown());
    world.ended("", 1).await;
    for (query, of_sum) in [("", "43"), ("?loop=1", "42"), ("?throws=1", "42")] {
        let answer = sum(&world, query, &paid, of_sum).await;
        assert_error(&answer, 401, "WEBHOOK_FORGED");
        assert!(!answer.shown().contains(SECRET), "{}", answer.shown());
    }
    let answer = sum(&world, "", &json!("no amounts"), "42").await;
    assert_error(&answer, 401, "WEBHOOK_FORGED");
    assert_eq!(server.seen("/paid").len(), 1);
    let verdicts = until("everything that came", async || {
        let inbox = world.inbox("").await;
        let webhooks = inbox["webhooks"].as_array().unwrap();
        let verdicts: Vec<String> = webhooks.iter().map(|one| text(&one["verdict"])).collect();
        (verdicts.len() == 5).then_some(verdicts)
    });
    assert_eq!(verdicts.await, ["FORGED", "FORGED", "FORGED", "FORGED", "VERIFIED"]);
}
