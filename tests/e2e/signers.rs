//! Webhooks that providers' own libraries sign, and how providers make sure of an address.

use crate::project::{GITHUB_SECRET, project, workflow};
use crate::server::Server;
use crate::world::{World, assert_error, text, until};
use aws_lc_rs::hmac;
use bytes::Bytes;
use domain::webhook::Scheme;
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use tests::harness::{Answer, root, tools};
use tokio::process::Command;

const MISSING: &str = "the signers are not installed: `cargo x test` does that";
const SECRET: &str = "secret";
const JSON: (&str, &str) = ("content-type", "application/json");

/// The schemes whose libraries sign here: the secret, another one, and what happens.
const SIGNED: [(&str, &str, &str, &str); 5] = [
    ("github", GITHUB_SECRET, "another", "issues.opened"),
    ("stripe", "whsec_stripe", "whsec_other", "invoice.paid"),
    (
        "standard",
        "whsec_c2VjcmV0IG9mIHRoZSBzaG9wLCAyNCBi",
        "whsec_c2VjcmV0IG9mIHRoZSBzaG9wLCAyNCBj",
        "order.paid",
    ),
    ("slack", "slack", "other", "app_mention"),
    ("twilio", "twilio", "other", "received"),
];

/// The integration that uses a scheme.
fn kind(scheme: &str) -> String {
    if scheme == "github" { scheme.to_owned() } else { format!("custom.{scheme}") }
}

fn integration(scheme: &str, secret: &str, server: &Server) -> Value {
    let mut webhook = json!({ "scheme": scheme, "secret": secret });
    if Scheme::named(scheme).unwrap().account.is_none() {
        webhook["provider_id"] = json!("body.account");
    }
    let url = server.url("/api");
    json!({ "type": kind(scheme), "name": scheme, "base_url": url, "webhook": webhook })
}

/// A node with integrations of these schemes, each with a workflow that notes deliveries; Anna is
/// account 7 of each.
async fn hooks(server: &Server, schemes: &[(&str, &str, &str)]) -> World {
    let mut file = project(&server.url("/desk"), &[]);
    let mut workflows = Vec::new();
    for (scheme, secret, name) in schemes {
        if *scheme != "github" {
            let wanted = integration(scheme, secret, server);
            file["integrations"].as_array_mut().unwrap().push(wanted);
        }
        let note = json!([{ "name": "note", "request": {
            "method": "POST", "url": server.url(&format!("/{scheme}")), "json": "{{trigger.body}}",
        } }]);
        let mut of_it = workflow(scheme, &json!({ "webhook": name }), &note);
        of_it["integration"] = json!(kind(scheme));
        workflows.push(of_it);
    }
    file["workflows"] = json!(workflows);
    let world = World::start(&file).await;
    let token = world.connected("anna").await;
    for (scheme, ..) in schemes {
        world.api.connect(&token, &kind(scheme), "7").await.unwrap();
    }
    world
}

/// Sends something to the address of an integration.
async fn send(
    world: &World,
    (method, at): (&str, &str),
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Answer {
    let node = world.node.address;
    let url = format!("http://{node}/triggers/connect/{}/{at}", world.api.project);
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body.into())).unwrap();
    world.api.client.send(request).await.unwrap()
}

#[tokio::test]
async fn what_the_providers_libraries_sign_is_taken_and_nothing_near_it() {
    let installed = tools().join("signers");
    assert!(installed.join("node_modules/stripe").is_dir(), "{MISSING}");
    let server = Server::start().await;
    let schemes = SIGNED.map(|(scheme, secret, _, name)| (scheme, secret, name));
    let world = hooks(&server, &schemes).await;
    let secrets = |which: fn(&(&str, &str, &str, &str)) -> String| -> Value {
        SIGNED.iter().map(|one| (one.0.to_owned(), json!(which(one)))).collect()
    };
    let base = format!("http://{}/triggers/connect/{}", world.node.address, world.api.project);
    let given = json!({
        "tools": installed,
        "base": base,
        "secrets": secrets(|one| one.1.to_owned()),
        "others": secrets(|one| one.2.to_owned()),
    });
    let output = Command::new("node")
        .arg(root().join("tests/e2e/signers/sign.mjs"))
        .arg(given.to_string())
        .output()
        .await
        .expect("the signers need Node");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let cases: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let mut good = std::collections::BTreeMap::<String, usize>::new();
    for case in &cases {
        let (scheme, name) = (text(&case["scheme"]), text(&case["case"]));
        let headers = case["headers"].as_object().unwrap();
        let mut headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            headers.push(JSON);
        }
        let at = format!("{}{}", kind(&scheme), text(&case["path"]));
        let answer = send(&world, ("POST", &at), &headers, text(&case["body"])).await;
        let expected = if case["good"] == true { 200 } else { 401 };
        assert_eq!(answer.status, expected, "{scheme}, {name}: {}", answer.shown());
        // One that comes again is taken, and starts nothing.
        if case["good"] == true && name != "replayed" {
            *good.entry(scheme).or_default() += 1;
        }
    }
    assert!(cases.len() >= 40 && good.len() == SIGNED.len(), "{} cases", cases.len());
    let runs = good.values().sum();
    world.ended("", runs).await;
    for (scheme, count) in good {
        assert_eq!(server.seen(&format!("/{scheme}")).len(), count, "{scheme}");
    }
}

fn signed(key: &str, text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    hex::encode(hmac::sign(&key, text.as_bytes()))
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[tokio::test]
async fn a_provider_that_makes_sure_of_the_address_hears_what_it_wants() {
    let server = Server::start().await;
    let schemes = ["dropbox", "intercom", "meta", "microsoft", "monday", "stripe"];
    let schemes = schemes.map(|scheme| (scheme, SECRET, "received"));
    let world = hooks(&server, &schemes).await;
    let challenge = "<script>alert(1)</script>";
    for (at, parameter) in [("dropbox", "challenge"), ("meta", "hub.challenge")] {
        let at = format!("custom.{at}?{parameter}=%3Cscript%3Ealert(1)%3C/script%3E");
        let answer = send(&world, ("GET", &at), &[], "").await;
        assert_eq!((answer.status, &answer.body[..]), (200, challenge.as_bytes()));
        assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
    let at = "custom.microsoft?validationToken=Validation%3A+a%2Fb";
    assert_eq!(&send(&world, ("POST", at), &[], "").await.body[..], b"Validation: a/b");
    let answer = send(&world, ("POST", "custom.monday"), &[JSON], r#"{"challenge":"c"}"#).await;
    assert_eq!(answer.json(), json!({ "challenge": "c" }));
    assert_eq!(send(&world, ("HEAD", "custom.intercom"), &[], "").await.status, 200);
    // Nobody asks Stripe's address for anything.
    let answer = send(&world, ("GET", "custom.stripe?challenge=a"), &[], "").await;
    assert_error(&answer, 405, "METHOD_UNSUPPORTED");
    let answer = send(&world, ("GET", "custom.stripe?id=nobody"), &[], "").await;
    assert_error(&answer, 404, "CREDENTIAL_UNKNOWN");
    // What comes after it in its address is kept after it.
    let answer = send(&world, ("POST", "custom.stripe"), &[JSON], "{}").await;
    assert_error(&answer, 401, "WEBHOOK_UNSIGNED");
    let page = until("what was posted", async || {
        let page = world.inbox("?integration=custom.stripe").await;
        (page["total"] != 0).then_some(page)
    });
    assert_eq!(page.await["total"], 1);
    assert_eq!(world.history("").await["total"], 0);
}

#[tokio::test]
async fn what_proves_the_secret_is_given_to_who_knows_it_or_for_what_no_delivery_can_be() {
    let server = Server::start().await;
    let schemes = ["linkedin", "slack", "zoom"].map(|scheme| (scheme, SECRET, "received"));
    let world = hooks(&server, &schemes).await;
    let at = "custom.linkedin?challengeCode=890e4665-4dfe-4ab1-b689-ed553bceeed0";
    let answer = send(&world, ("GET", at), &[], "").await.json();
    let proof = signed(SECRET, "890e4665-4dfe-4ab1-b689-ed553bceeed0");
    assert_eq!(answer["challengeResponse"], json!(proof));
    let at = "custom.linkedin?challengeCode=hmacsha256%3D%7B%7D";
    assert_error(&send(&world, ("GET", at), &[], "").await, 405, "METHOD_UNSUPPORTED");
    let asked = r#"{"event":"endpoint.url_validation","payload":{"plainToken":"abc"}}"#;
    let expected = json!({ "plainToken": "abc", "encryptedToken": signed(SECRET, "abc") });
    let zoom = ("zoom", "x-zm-request-timestamp", "x-zm-signature", asked, expected);
    let asked = r#"{"type":"url_verification","challenge":"abc"}"#;
    let expected = json!({ "challenge": "abc" });
    let slack = ("slack", "x-slack-request-timestamp", "x-slack-signature", asked, expected);
    let at = now_s().to_string();
    for (scheme, time, signature, body, expected) in [zoom, slack] {
        let kind = format!("custom.{scheme}");
        let good = format!("v0={}", signed(SECRET, &format!("v0:{at}:{body}")));
        let headers = [JSON, (time, at.as_str()), (signature, good.as_str())];
        assert_eq!(send(&world, ("POST", &kind), &headers, body).await.json(), expected);
        let answer = send(&world, ("POST", &kind), &headers[..2], body).await;
        assert_error(&answer, 401, "WEBHOOK_UNSIGNED");
    }
}

#[tokio::test]
async fn a_secret_that_is_told_once_can_be_read_by_who_administers_the_project() {
    let server = Server::start().await;
    let world = hooks(&server, &[("asana", SECRET, "received")]).await;
    let told = [("x-hook-secret", "told-once")];
    let answer = send(&world, ("POST", "custom.asana"), &told, "").await;
    assert_eq!(answer.status, 200, "{}", answer.shown());
    assert_eq!(answer.headers["x-hook-secret"], "told-once");
    let page = until("the secret", async || {
        let page = world.inbox("?integration=custom.asana").await;
        (page["total"] == 1).then_some(page)
    })
    .await;
    let path = format!("/webhooks/{}", text(&page["webhooks"][0]["id"]));
    let kept = world.admin("GET", &path).await.json();
    assert_eq!(kept["content"]["headers"]["x-hook-secret"], "told-once", "{kept}");
}

#[tokio::test]
async fn a_token_that_is_the_secret_is_shown_to_nobody() {
    let secret = "nobody-reads-this";
    let server = Server::start().await;
    let schemes = [("gitlab", secret, "Push Hook"), ("mailchimp", secret, "subscribe")];
    let world = hooks(&server, &schemes).await;
    let headers = [JSON, ("x-gitlab-token", secret), ("x-gitlab-event", "Push Hook")];
    let body = r#"{"account":"7","type":"subscribe"}"#;
    assert_eq!(send(&world, ("POST", "custom.gitlab"), &headers, body).await.status, 200);
    let at = format!("custom.mailchimp?secret={secret}&other=1");
    assert_eq!(send(&world, ("POST", &at), &[JSON], body).await.status, 200);
    let answer = send(&world, ("POST", "custom.mailchimp?secret=guessed"), &[JSON], body).await;
    assert_error(&answer, 401, "WEBHOOK_FORGED");
    world.ended("", 2).await;
    let page = until("what was posted", async || {
        let page = world.inbox("").await;
        (page["total"] == 3).then_some(page)
    })
    .await;
    for webhook in page["webhooks"].as_array().unwrap() {
        let path = format!("/webhooks/{}", text(&webhook["id"]));
        let kept = world.admin("GET", &path).await.json();
        assert!(kept["content"]["headers"].is_object(), "{kept}");
        let shown = kept.to_string();
        assert!(!shown.contains(secret) && !shown.contains("guessed"), "{shown}");
    }
}
