//! Webhooks, signed as providers sign them.

use crate::project::{GITHUB_SECRET, PROJECT, STANDARD_SECRET, file};
use crate::token::NOW_S;
use crate::world::{Reply, World};
use aws_lc_rs::hmac;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::command::{Command, ReceiveWebhook};
use domain::event::Verdict;
use domain::key::Key;
use domain::meta::Recorded;
use ingest::Limits;
use serde_json::{Value, json};

fn sign(secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec()
}

fn headers(pairs: &[(&'static str, String)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

fn github(body: &[u8]) -> HeaderMap {
    headers(&[
        (
            "x-hub-signature-256",
            format!("sha256={}", hex::encode(sign(GITHUB_SECRET.as_bytes(), body))),
        ),
        ("x-github-event", "issues".into()),
        ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958".into()),
        ("content-type", "application/json".into()),
        ("authorization", "Bearer x".into()),
    ])
}

fn standard(id: &str, at_s: i64, body: &str) -> HeaderMap {
    let secret = STANDARD.decode(STANDARD_SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    let signature = sign(&secret, format!("{id}.{at_s}.{body}").as_bytes());
    headers(&[
        ("webhook-id", id.into()),
        ("webhook-timestamp", at_s.to_string()),
        ("webhook-signature", format!("v1,AAAA v1,{}", STANDARD.encode(signature))),
        ("x-tenant", "T-9".into()),
    ])
}

async fn post(world: &World, rest: &str, headers: HeaderMap, body: impl Into<Body>) -> Reply {
    let path = format!("/triggers/connect/{PROJECT}/{rest}");
    let mut request = Request::post(path).body(body.into()).unwrap();
    *request.headers_mut() = headers;
    world.send(request).await
}

async fn kept(world: &World) -> Vec<(Recorded<Command>, ReceiveWebhook)> {
    let commands = world.commands().await.into_iter();
    let webhooks = commands.filter_map(|command| match command.body.clone() {
        Command::ReceiveWebhook(webhook) => Some((command, webhook)),
        _ => None,
    });
    webhooks.collect()
}

const ISSUE: &str = r#"{"action":"opened","installation":{"id":4711},"issue":{"title":"T"}}"#;

#[tokio::test(start_paused = true)]
async fn a_signed_webhook_is_durable_when_it_is_answered() {
    let world = World::start().await;
    world.pause_owner();
    let credential = "a5e995c2-7709-43fd-9cdf-f759faa52497";
    let rests = [
        "github".to_owned(),
        "github/".to_owned(),
        "github/custom-triggers/abc?x=1".to_owned(),
        format!("github?id={credential}"),
        format!("github/?id={credential}"),
        format!("github?id={credential}/"),
    ];
    for rest in &rests {
        let reply = post(&world, rest, github(ISSUE.as_bytes()), ISSUE).await;
        assert_eq!((reply.status, reply.json()), (200, json!({})), "{rest}");
    }
    let webhooks = kept(&world).await;
    assert_eq!(webhooks.len(), rests.len());
    for (index, (command, webhook)) in webhooks.iter().enumerate() {
        assert_eq!(webhook.verdict, Verdict::Verified);
        assert_eq!(
            (webhook.name.as_str(), webhook.provider_id.as_str()),
            ("issues.opened", "4711")
        );
        assert_eq!(webhook.delivery, "72d3162e-cc78-11e3-81ab-4c9367dc0958");
        let named = webhook.credential.map(|id| id.to_string());
        assert_eq!(named.as_deref(), (index > 2).then_some(credential));
        let Some(Key::App(project, integration)) = command.meta.parsed_key() else { panic!() };
        assert_eq!((project.to_string().as_str(), integration), (PROJECT, webhook.integration));
        let opened = world.opened(command, &webhook.sealed).await;
        assert_eq!(opened["body"]["issue"]["title"], "T");
        assert_eq!(opened["headers"]["x-github-event"], "issues");
        assert!(!opened["headers"].as_object().unwrap().contains_key("authorization"));
    }
    assert_eq!(
        world.opened(&webhooks[2].0, &webhooks[2].1.sealed).await["params"],
        json!({ "x": "1" })
    );
}

#[tokio::test(start_paused = true)]
async fn a_standard_webhook_is_named_by_its_body_and_routed_by_a_header() {
    let world = World::start().await;
    world.pause_owner();
    let body = r#"{"type":"task.created","data":{}}"#;
    let reply = post(&world, "custom.tasklab", standard("msg_1", NOW_S, body), body).await;
    assert_eq!(reply.status, 200, "{}", reply.json());
    let (_, webhook) = &kept(&world).await[0];
    assert_eq!((webhook.name.as_str(), webhook.provider_id.as_str()), ("task.created", "T-9"));
    assert_eq!(webhook.delivery, "msg_1");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_signed_is_refused_and_kept() {
    let world = World::start().await;
    world.pause_owner();
    let mut unsigned = github(ISSUE.as_bytes());
    unsigned.remove("x-hub-signature-256");
    let changed = ISSUE.replace("4711", "4712");
    let body = r#"{"type":"a"}"#;
    let mut half = standard("m", NOW_S, body);
    half.remove("webhook-timestamp");
    let cases = [
        ("github", unsigned, ISSUE.to_owned(), "WEBHOOK_UNSIGNED", Verdict::Unsigned),
        ("github", github(ISSUE.as_bytes()), changed, "WEBHOOK_FORGED", Verdict::Forged),
        ("custom.tasklab", half, body.to_owned(), "WEBHOOK_UNSIGNED", Verdict::Unsigned),
        (
            "custom.tasklab",
            standard("m", NOW_S - 301, body),
            body.to_owned(),
            "WEBHOOK_STALE",
            Verdict::Stale,
        ),
        (
            "custom.tasklab",
            standard("m", NOW_S + 301, body),
            body.to_owned(),
            "WEBHOOK_STALE",
            Verdict::Stale,
        ),
        (
            "custom.tasklab",
            standard("m", NOW_S, "{}"),
            body.to_owned(),
            "WEBHOOK_FORGED",
            Verdict::Forged,
        ),
    ];
    let mut verdicts = Vec::new();
    for (rest, headers, body, error, verdict) in cases {
        let reply = post(&world, rest, headers, body).await;
        assert_eq!(reply.problem(), (401, error.into()), "{rest}");
        verdicts.push(verdict);
    }
    let webhooks = kept(&world).await;
    assert_eq!(webhooks.len(), verdicts.len());
    for verdict in verdicts {
        assert!(webhooks.iter().any(|(_, webhook)| webhook.verdict == verdict), "{verdict:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_refused_webhook_only_the_beginning_is_kept_and_only_so_many() {
    let limits = Limits { refused_per_minute_max: 3, ..Limits::default() };
    let world = World::with(limits, &file()).await;
    world.pause_owner();
    let large = "x".repeat(1_000_000);
    for _ in 0..5 {
        let reply = post(&world, "github", HeaderMap::new(), large.clone()).await;
        assert_eq!(reply.problem(), (401, "WEBHOOK_UNSIGNED".into()));
    }
    let webhooks = kept(&world).await;
    assert_eq!(webhooks.len(), 3);
    let (command, webhook) = &webhooks[0];
    assert_eq!((webhook.size, webhook.name.as_str()), (1_000_000, ""));
    let body = world.opened(command, &webhook.sealed).await["body"].as_str().unwrap().len();
    assert_eq!(body, 16 * 1024);
    world.clock.step_ms(60_000);
    post(&world, "github", HeaderMap::new(), "x").await;
    let webhooks = kept(&world).await;
    assert_eq!(webhooks.len(), 4);
    let (command, webhook) = &webhooks[3];
    let contents = world.opened(command, &webhook.sealed).await;
    assert_eq!(
        (&contents["refused"]["missed"], &contents["refused"]["code"]),
        (&json!(2), &json!("WEBHOOK_UNSIGNED"))
    );
    assert_eq!(
        post(&world, "github", github(b"{}"), "{}").await.status,
        200,
        "a signed one always"
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_is_what_the_provider_means_by_it() {
    let world = World::start().await;
    world.pause_owner();
    let form = format!(
        "payload={}",
        url::form_urlencoded::byte_serialize(ISSUE.as_bytes()).collect::<String>()
    );
    let mut form_headers = github(form.as_bytes());
    form_headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
    assert_eq!(post(&world, "github", form_headers, form).await.status, 200);
    let mut text_headers = github(b"plain");
    text_headers.insert("content-type", "text/plain".parse().unwrap());
    assert_eq!(post(&world, "github", text_headers, "plain").await.status, 200);
    for body in ["{", "[1e999]", "\u{1}"] {
        let reply = post(&world, "github", github(body.as_bytes()), body).await;
        assert_eq!(reply.problem(), (400, "WEBHOOK_MALFORMED".into()), "{body}");
    }
    let webhooks = kept(&world).await;
    let opened: Vec<Value> = {
        let mut all = Vec::new();
        for (command, webhook) in &webhooks {
            all.push(world.opened(command, &webhook.sealed).await["body"].clone());
        }
        all
    };
    assert_eq!(opened[0]["issue"]["title"], "T");
    assert_eq!(webhooks[0].1.name, "issues.opened");
    assert_eq!(opened[1], "plain");
    assert_eq!((&opened[2], webhooks[2].1.verdict), (&json!("{"), Verdict::Malformed));
}

#[tokio::test(start_paused = true)]
async fn a_webhook_may_be_as_large_as_githubs() {
    let world = World::start().await;
    world.pause_owner();
    let body = json!({ "action": "x", "text": "y".repeat(24 * 1024 * 1024) }).to_string();
    let reply = post(&world, "github", github(body.as_bytes()), body.clone()).await;
    assert_eq!(reply.status, 200);
    let (command, webhook) = &kept(&world).await[0];
    assert_eq!(webhook.size as usize, body.len());
    let text = world.opened(command, &webhook.sealed).await["body"]["text"].as_str().unwrap().len();
    assert_eq!(text, 24 * 1024 * 1024);
    let too_large = "y".repeat(25 * 1024 * 1024 + 1);
    let reply = post(&world, "github", HeaderMap::new(), too_large).await;
    assert_eq!(reply.problem(), (413, "BODY_TOO_LARGE".into()));
    let (command, webhook) = &kept(&world).await[1];
    assert_eq!((webhook.size, webhook.verdict), (25 * 1024 * 1024 + 1, Verdict::Malformed));
    let contents = world.opened(command, &webhook.sealed).await;
    assert_eq!(
        (&contents["refused"]["code"], &contents["body"]),
        (&json!("BODY_TOO_LARGE"), &json!(""))
    );
}

#[tokio::test(start_paused = true)]
async fn what_an_integrations_address_cannot_take_is_kept_with_why() {
    let world = World::start().await;
    world.pause_owner();
    let reply = post(&world, "nothing", github(b"{}"), "{}").await;
    assert_eq!(reply.problem(), (404, "INTEGRATION_UNKNOWN".into()));
    assert!(kept(&world).await.is_empty(), "there is no such address");
    let mut encoded = github(b"{}");
    encoded.insert("content-encoding", "gzip".parse().unwrap());
    let crowded = format!("github?{}", "a&".repeat(10_001));
    let cases = [
        (crowded.as_str(), github(b"{}"), 400, "BODY_MALFORMED"),
        ("slack", github(b"{}"), 404, "WEBHOOK_UNCONFIGURED"),
        ("github?id=nonsense", github(b"{}"), 404, "CREDENTIAL_UNKNOWN"),
        ("github", encoded, 415, "BODY_ENCODED"),
        ("github", HeaderMap::new(), 401, "WEBHOOK_UNSIGNED"),
    ];
    for (rest, headers, status, error) in cases.clone() {
        let reply = post(&world, rest, headers, "{}").await;
        assert_eq!(reply.problem(), (status, error.into()), "{rest}");
    }
    let mut refusals = Vec::new();
    for (command, webhook) in kept(&world).await {
        let contents = world.opened(&command, &webhook.sealed).await;
        let refusal = contents["refused"]["code"].as_str().unwrap().to_owned();
        assert_eq!((webhook.credential, webhook.size), (None, 2), "{refusal}");
        assert_ne!(webhook.verdict, Verdict::Verified, "{refusal}");
        refusals.push(refusal);
    }
    refusals.sort();
    let mut expected = cases.map(|(_, _, _, error)| error);
    expected.sort_unstable();
    assert_eq!(refusals, expected);
    world.close_log();
    let reply = post(&world, "github", github(b"{}"), "{}").await;
    assert_eq!(reply.problem(), (503, "LOG_UNAVAILABLE".into()));
}

#[tokio::test(start_paused = true)]
async fn a_changed_secret_counts_at_once() {
    let world = World::start().await;
    assert_eq!(post(&world, "github", github(b"{}"), "{}").await.status, 200);
    let mut changed = file();
    changed["integrations"][1]["webhook"]["secret"] = json!("another secret");
    assert_eq!(world.apply(&changed).await.status, 200);
    let reply = post(&world, "github", github(b"{}"), "{}").await;
    assert_eq!(reply.problem(), (401, "WEBHOOK_FORGED".into()));
}

#[tokio::test(start_paused = true)]
async fn where_a_function_has_no_room_the_provider_is_to_try_again() {
    let mut file = file();
    let mut known = file["integrations"].as_array_mut().unwrap().iter_mut();
    let tasklab = known.find(|one| one["type"] == "custom.tasklab").unwrap();
    tasklab["webhook"]["scheme"] =
        json!({ "function": "function yourFunction() { return true; }" });
    let world = World::with(Limits::default(), &file).await;
    let reply = post(&world, "custom.tasklab?a=1", standard("d", NOW_S, "{}"), "{}").await;
    assert_eq!(reply.problem(), (503, "VERIFIER_BUSY".into()));
    assert!(kept(&world).await.is_empty());
    let asked = world.readers.functions.asked.lock().unwrap().remove(0);
    assert_eq!((&asked["body"], &asked["params"]), (&json!("{}"), &json!({ "a": "1" })));
    assert_eq!((&asked["secret"], &asked["method"]), (&json!(STANDARD_SECRET), &json!("POST")));
    assert_eq!(asked["headers"]["webhook-id"], "d");
}
