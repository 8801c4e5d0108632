//! The admin API.

use crate::project::{PROJECT, file};
use crate::token::{NOW_S, claims, token};
use crate::world::{World, project_id};
use axum::body::Body;
use axum::http::Request;
use domain::event::Verdict;
use domain::id::{EventId, IntegrationId};
use domain::time::Timestamp;
use domain::view::Delivery;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use uuid::Uuid;

async fn apply(world: &World, query: &str, body: &Value) -> (u16, Value) {
    let path = format!("/admin/v1/projects{query}");
    let reply = world.admin("PUT", &path, &body.to_string()).await;
    (reply.status, reply.json())
}

#[tokio::test(start_paused = true)]
async fn only_the_admin_key_opens_it() {
    let world = World::start().await;
    for key in ["", "key_of_the_admi", &token("u1"), crate::project::API_KEY] {
        for (method, path) in [
            ("PUT", "projects".to_owned()),
            ("POST", "api-keys".to_owned()),
            ("GET", format!("projects/{PROJECT}/webhooks")),
        ] {
            let request = Request::builder().method(method).uri(format!("/admin/v1/{path}"));
            let request = request.header("authorization", format!("Bearer {key}"));
            let reply = world.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(reply.problem(), (401, "ADMIN_KEY_INVALID".into()), "{key}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_changes_nothing_changes_nothing() {
    let world = World::start().await;
    let same = json!({ "document": file().to_string() });
    let (status, answer) = apply(&world, "", &same).await;
    assert_eq!(
        (status, answer),
        (200, json!({ "project": PROJECT, "changes": [], "applied": true }))
    );
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_tells_the_difference_and_changes_nothing() {
    let world = World::start().await;
    let mut changed = file();
    changed["app_events"]["Deal Closed"] = json!({});
    changed["secrets"]["REGION"] = json!("us");
    let body = json!({ "document": changed.to_string() });
    let (status, answer) = apply(&world, "?dry_run=true", &body).await;
    assert_eq!((status, &answer["applied"]), (200, &json!(false)));
    assert_eq!(answer["changes"].as_array().unwrap().len(), 2, "{answer}");
    assert!(!answer.to_string().contains("\"us\""));
    let event = r#"{"name":"Deal Closed"}"#;
    assert_eq!(world.call("POST", "events/trigger", event).await.status, 404);
    let (_, answer) = apply(&world, "", &body).await;
    assert_eq!(answer["changes"].as_array().unwrap().len(), 2);
    assert_eq!(world.call("POST", "events/trigger", event).await.status, 201);
    assert_eq!(apply(&world, "?dry_run=true", &body).await.1["changes"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn every_mistake_of_a_file_is_told_at_once() {
    let world = World::start().await;
    let mut wrong = file();
    wrong["integrations"][0] = json!("slak");
    wrong["workflows"][0]["steps"][0]["delay"]["unit"] = json!("moons");
    let (status, answer) = apply(&world, "", &json!({ "document": wrong.to_string() })).await;
    assert_eq!((status, &answer["code"]), (400, &json!("DOCUMENT_INVALID")));
    let mistakes = answer["meta"]["mistakes"].as_array().unwrap();
    assert!(mistakes.len() >= 2, "{answer}");
    assert!(mistakes.iter().all(|m| m["line"].is_u64() && m["mend"].is_string()));
    for document in ["", "{", "a: [", "\u{0}"] {
        let (status, _) = apply(&world, "", &json!({ "document": document })).await;
        assert_eq!(status, 400, "{document:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn values_come_from_the_environment_that_is_sent_along() {
    let world = World::start().await;
    let mut asking = file();
    asking["secrets"]["TOKEN"] = json!({ "env": "TOKEN" });
    let without = json!({ "document": asking.to_string() });
    let (status, answer) = apply(&world, "", &without).await;
    assert_eq!((status, &answer["code"]), (400, &json!("DOCUMENT_INVALID")));
    let with = json!({ "document": asking.to_string(), "environment": { "TOKEN": "s3cret" } });
    assert_eq!(apply(&world, "", &with).await.0, 200);
    let config = world.feed.current();
    let (fingerprint, sealed) = &config.project(project_id()).unwrap().secrets["secret/TOKEN"];
    let key = domain::key::Key::Project(project_id());
    assert_eq!(&world.vault.fetch(&key, sealed).await.unwrap()[..], b"s3cret");
    assert_eq!(fingerprint.len(), 32);
    assert_eq!(
        apply(&world, "", &with).await.1["changes"],
        json!([]),
        "an unchanged value is known"
    );
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_made_are_shown_once_and_work() {
    let world = World::start().await;
    let mut making = file();
    making["project"]["id"] = json!("0d0b4f6e-5f3a-4a5e-8a51-b7e0f1f0a001");
    making["integrations"] = json!(["slack"]);
    making["workflows"] = json!([]);
    making["signing_keys"] = json!({ "generate": true });
    making["api_keys"] = json!([{ "name": "made", "generate": true }]);
    let body = json!({ "document": making.to_string() });
    let dry = apply(&world, "?dry_run=true", &body).await.1;
    assert!(dry.get("apiKeys").is_none() && dry.get("signingKey").is_none());
    let (status, answer) = apply(&world, "", &body).await;
    assert_eq!(status, 200, "{answer}");
    let private = EncodingKey::from_rsa_pem(answer["signingKey"].as_str().unwrap().as_bytes());
    let token =
        jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims("u1"), &private.unwrap());
    let call = |path: &str, key: String| {
        let path = format!("/projects/0d0b4f6e-5f3a-4a5e-8a51-b7e0f1f0a001/{path}");
        let request = Request::get(path).header("authorization", format!("Bearer {key}"));
        world.send(request.body(Body::empty()).unwrap())
    };
    assert_eq!(call("sdk/me", token.unwrap()).await.status, 200);
    let api_key = answer["apiKeys"]["made"].as_str().unwrap().to_owned();
    assert_eq!(call("task-history/workflow-executions", api_key).await.status, 200);
    let again = apply(&world, "", &body).await.1;
    assert!(again.get("apiKeys").is_none() && again.get("signingKey").is_none(), "{again}");
}

#[tokio::test(start_paused = true)]
async fn a_file_may_come_read_with_its_secrets_apart() {
    let world = World::start().await;
    let document = domain::definition::parse(&file().to_string()).unwrap();
    let mut desired = document.desired;
    desired.project.name = "Renamed".into();
    desired.secrets = vec!["REGION".into()];
    let hooks = document.secrets.iter().map(|asked| (asked.name.clone(), json!("whsec_AAAA")));
    let body = json!({
        "document": serde_json::to_string(&desired).unwrap(),
        "secrets": hooks.collect::<serde_json::Map<_, _>>(),
    });
    let (status, answer) = apply(&world, "", &body).await;
    assert_eq!(status, 200, "{answer}");
    let config = world.feed.current();
    assert_eq!(config.project(project_id()).unwrap().settings.name, "Renamed");
    let broken = json!({ "document": "{}", "secrets": {} });
    assert_eq!(apply(&world, "", &broken).await.1["code"], "DOCUMENT_INVALID");
}

#[tokio::test(start_paused = true)]
async fn a_disabled_user_starts_nothing_until_enabled() {
    let world = World::start().await;
    world.connect().await;
    let fire = format!("triggers/{}", world.workflow("fire"));
    for (word, status) in [("disable", 403), ("enable", 202)] {
        let path = format!("/admin/v1/projects/{PROJECT}/users/u1/{word}");
        assert_eq!(world.admin("POST", &path, "").await.status, 200);
        assert_eq!(world.call("POST", &fire, "{}").await.status, status);
    }
}

#[tokio::test(start_paused = true)]
async fn an_execution_that_history_knows_is_cancelled() {
    let world = World::start().await;
    world.connect().await;
    let fire = format!("triggers/{}", world.workflow("fire"));
    let id = world.call("POST", &fire, "{}").await.json()["executionId"].clone();
    let path = format!("/admin/v1/projects/{PROJECT}/executions/{}/cancel", id.as_str().unwrap());
    let unknown = world.admin("POST", &path, "").await;
    assert_eq!(unknown.problem(), (404, "EXECUTION_UNKNOWN".into()));
    let row = crate::history::row(&world, id.as_str().unwrap().parse().unwrap());
    *world.readers.tasks.run.lock().unwrap() = Some(row);
    assert_eq!(world.admin("POST", &path, "").await.status, 200);
    let again = world.admin("POST", &path, "").await;
    assert_eq!(again.problem(), (409, "EXECUTION_FINISHED".into()));
}

#[tokio::test(start_paused = true)]
async fn webhooks_are_listed_by_filter() {
    let world = World::start().await;
    *world.readers.webhooks.rows.lock().unwrap() = vec![Delivery {
        id: EventId(Uuid::from_u128(1)),
        received_at: Timestamp(NOW_S * 1_000),
        integration: IntegrationId(Uuid::from_u128(2)),
        verdict: Verdict::Forged,
        delivery: "d".into(),
        name: "issues".into(),
        provider_id: String::new(),
        repeated: false,
        recipient_count: 0,
        size: 5,
        replay_of: None,
    }];
    let path = format!("/admin/v1/projects/{PROJECT}/webhooks");
    let query = "?integration=github&verdict=FORGED&unmatched=true&afterDate=2023-01-01&offset=3";
    let body = world.admin("GET", &format!("{path}{query}"), "").await.json();
    assert_eq!((&body["webhooks"][0]["verdict"], &body["total"]), (&json!("FORGED"), &json!(1)));
    assert_eq!(body["webhooks"][0]["dateReceived"], "2023-11-14T22:13:20.000Z");
    let filter = world.readers.webhooks.asked.lock().unwrap()[0].clone();
    assert_eq!((filter.verdict, filter.unmatched), (Some(Verdict::Forged), Some(true)));
    assert_eq!((filter.offset, filter.limit), (3, 100));
    for query in ["verdict=x", "unmatched=7", "afterDate=x", "offset=x"] {
        let reply = world.admin("GET", &format!("{path}?{query}"), "").await;
        assert_eq!(reply.problem(), (400, "QUERY_MALFORMED".into()), "{query}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_made_api_key_comes_with_its_hash() {
    let world = World::start().await;
    let reply = world.admin("POST", "/admin/v1/api-keys", "").await;
    assert_eq!(
        (reply.status, &reply.headers["cache-control"].to_str().unwrap()),
        (201, &"no-store")
    );
    let body = reply.json();
    let key = body["apiKey"].as_str().unwrap();
    assert_eq!(body["hash"], hex::encode(crate::project::sha256(key)));
    assert!(key.len() > 40);
}

#[tokio::test(start_paused = true)]
async fn who_looks_into_sealed_payloads_says_so_first() {
    let world = World::start().await;
    let path = "/admin/v1/unsealings";
    let body = json!({ "who": "ops", "command": "log grep", "filter": "user anna" });
    assert_eq!(world.admin("POST", path, &body.to_string()).await.status, 201);
    let nobody = json!({ "who": "", "command": "log grep", "filter": "" });
    assert_eq!(world.admin("POST", path, &nobody.to_string()).await.status, 400);
    let long = json!({ "who": "ops", "command": "log grep", "filter": "x".repeat(5_000) });
    assert_eq!(world.admin("POST", path, &long.to_string()).await.status, 400);
}
