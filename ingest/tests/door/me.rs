//! The user, the integrations, the project.

use crate::project::PROJECT;
use crate::world::{World, request};
use axum::body::Body;
use serde_json::{Value, json};

#[tokio::test(start_paused = true)]
async fn the_user_has_every_integration_before_anything_is_connected() {
    let world = World::start().await;
    let reply = world.call("GET", "me", "").await;
    assert_eq!(
        (reply.status, &reply.headers["cache-control"].to_str().unwrap()),
        (200, &"no-store")
    );
    let me = reply.json();
    assert_eq!((&me["authenticated"], &me["userId"]), (&json!(true), &json!("u1")));
    assert_eq!((&me["meta"], &me["resources"]), (&json!({}), &json!([])));
    assert_eq!(me["project"]["id"], PROJECT);
    let features = me["project"]["accessibleFeatures"].as_array().unwrap();
    assert!(features.contains(&json!("headless-cp")) && features.contains(&json!("dfm")), "trap 3");
    let integrations = me["integrations"].as_object().unwrap();
    let kinds: Vec<&String> = integrations.keys().collect();
    assert_eq!(kinds, ["custom.tasklab", "github", "slack"], "trap 2");
    for state in integrations.values() {
        let expected = json!({ "enabled": false, "allCredentials": [], "configuredWorkflows": {} });
        assert_eq!(*state, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connected_integration_names_its_active_account() {
    let world = World::start().await;
    let credential = world.connect().await;
    let me = world.call("GET", "me", "").await.json();
    let slack = &me["integrations"]["slack"];
    assert_eq!((&slack["enabled"], &slack["credentialStatus"]), (&json!(true), &json!("VALID")));
    assert_eq!(slack["credentialId"], credential["id"]);
    assert_eq!(slack["credentialConfigId"], credential["configurations"][0]["id"]);
    assert_eq!(slack["allCredentials"], json!([credential]));
    for settings in slack["workflowSettings"].as_object().unwrap().values() {
        assert!(settings["settings"].is_object() && settings["enabled"].is_boolean());
    }
    let other = world.call_as("u2", "GET", "me", "").await.json();
    assert_eq!(other["integrations"]["slack"]["enabled"], false);
    // The portal sends the header of what it has open with every call.
    let call = request("u1", "GET", "me").header("x-paragon-credential", "whatever");
    assert_eq!(world.send(call.body(Body::empty()).unwrap()).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn of_two_changes_at_once_neither_undoes_the_other() {
    let world = World::start().await;
    world.pause_owner();
    let changes = ["a", "b", "c"].map(|field| json!({ "meta": { field: 1 } }).to_string());
    let [a, b, c] = &changes;
    let at_once = async {
        tokio::join!(
            world.call("PATCH", "me", a),
            world.call("PATCH", "me", b),
            world.call("PATCH", "me", c),
        )
    };
    let (replies, ()) = tokio::join!(at_once, async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        world.resume_owner();
    });
    assert_eq!([replies.0.status, replies.1.status, replies.2.status], [200; 3]);
    let meta = world.call("GET", "me", "").await.json()["meta"].clone();
    assert_eq!(meta, json!({ "a": 1, "b": 1, "c": 1 }));
}

#[tokio::test(start_paused = true)]
async fn metadata_is_merged_and_read_back_at_once() {
    let world = World::start().await;
    let first = r#"{"meta":{"name":"Ada","plan":"pro"}}"#;
    assert_eq!(world.call("PATCH", "me", first).await.status, 200);
    let second = world.call("PATCH", "me", r#"{"meta":{"EMAIL":"a@b","plan":"free"}}"#).await;
    let expected = json!({ "Name": "Ada", "Email": "a@b", "plan": "free" });
    assert_eq!(second.json()["meta"], expected);
    assert_eq!(world.call("GET", "me", "").await.json()["meta"], expected);
    let large = json!({ "meta": { "x": "y".repeat(70_000) } }).to_string();
    let reply = world.call("PATCH", "me", &large).await;
    assert_eq!(reply.problem(), (413, "BODY_TOO_LARGE".into()));
    for body in ["", "[]", r#"{"meta":7}"#] {
        let reply = world.call("PATCH", "me", body).await;
        assert_eq!(reply.problem(), (400, "BODY_MALFORMED".into()), "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn older_clients_read_the_project_and_bring_metadata_along() {
    let world = World::start().await;
    let path = format!("/sdk/projects/{PROJECT}");
    let call =
        || request("u1", "GET", &path).header("x-paragon-user-metadata", r#"{"name":"Ada"}"#);
    let reply = world.send(call().body(Body::empty()).unwrap()).await;
    assert_eq!((reply.status, &reply.json()["id"]), (200, &json!(PROJECT)));
    assert!(reply.json()["accessibleFeatures"].is_array());
    assert_eq!(world.call("GET", "me", "").await.json()["meta"], json!({ "Name": "Ada" }));
    let written = world.commands().await.len();
    world.send(call().body(Body::empty()).unwrap()).await;
    assert_eq!(world.commands().await.len(), written, "nothing new, nothing written");
}

#[tokio::test(start_paused = true)]
async fn integrations_have_what_clients_read_without_a_guard() {
    let world = World::start().await;
    let reply = world.call("GET", "integrations", "").await;
    assert_eq!(reply.headers["cache-control"], "no-store");
    let all = reply.json();
    let named = |name: &str| -> Value {
        all.as_array().unwrap().iter().find(|i| i["name"] == name).unwrap().clone()
    };
    let slack = named("Slack");
    assert_eq!((&slack["type"], &slack["customIntegrationId"]), (&json!("slack"), &Value::Null));
    assert_eq!((&slack["isActive"], &slack["needPreOauthInputs"]), (&json!(true), &json!(true)));
    assert_eq!(slack["sdkIntegrationConfig"]["accountTypes"], json!([]), "trap 13");
    let inputs = slack["sdkIntegrationConfig"]["authConfigInputs"].as_array().unwrap();
    assert_eq!((&inputs[0]["id"], &inputs[0]["type"]), (&json!("accessToken"), &json!("PASSWORD")));
    let meta = slack["configs"][0]["values"]["workflowMeta"].as_object().unwrap();
    assert_eq!(meta.len(), slack["workflows"].as_array().unwrap().len(), "trap 5");
    for (id, workflow) in meta {
        assert_eq!(workflow["id"], json!(id));
        assert!(workflow["inputs"].is_array());
    }
    assert_eq!(meta[&world.workflow("secretly").to_string()]["hidden"], true);
    let custom = named("Task Lab");
    assert_eq!(custom["type"], "custom");
    assert_eq!(custom["customIntegration"]["slug"], "custom.tasklab");
    let fields = custom["customIntegration"]["inputFields"].as_array().unwrap();
    assert_eq!((&fields[0]["id"], &fields[1]["id"]), (&json!("apiKey"), &json!("providerId")));
    for integration in all.as_array().unwrap() {
        assert_eq!(integration["configs"].as_array().unwrap().len(), 1, "trap 4");
    }
}

#[tokio::test(start_paused = true)]
async fn metadata_of_integrations_names_icons_on_the_called_host() {
    let world = World::start().await;
    let call = request("u1", "GET", "metadata")
        .header("host", "api.example.com")
        .header("x-forwarded-proto", "https");
    let all = world.send(call.body(Body::empty()).unwrap()).await.json();
    let slack = all.as_array().unwrap().iter().find(|i| i["type"] == "slack").unwrap();
    let icon = "https://api.example.com/latest/dashboard/public/integrations/slack.svg";
    assert_eq!((&slack["name"], &slack["icon"]), (&json!("Slack"), &json!(icon)));
    assert!(slack["brandColor"].as_str().unwrap().starts_with('#'));
}
