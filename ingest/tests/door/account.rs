//! Connecting, reading and disconnecting accounts; switching workflows.

use crate::world::{Reply, World, request};
use axum::body::Body;
use domain::command::Command;
use serde_json::{Value, json};

async fn connect(world: &World, body: &Value) -> Reply {
    world.call("POST", "credentials", &body.to_string()).await
}

fn is_v4(id: &Value) -> bool {
    let id: domain::id::CredentialId = id.as_str().unwrap().parse().unwrap();
    id.0.get_version_num() == 4
}

#[tokio::test(start_paused = true)]
async fn a_connected_account_has_everything_that_clients_read() {
    let world = World::start().await;
    let credential = world.connect().await;
    assert!(is_v4(&credential["id"]), "trap 1");
    assert_eq!(credential["status"], "VALID");
    assert_eq!(credential["projectId"], crate::project::PROJECT);
    assert_eq!(credential["dateCreated"], "2023-11-14T22:13:20.000Z");
    assert!(!credential.as_object().unwrap().contains_key("externalId"));
    let [configuration] = &credential["configurations"].as_array().unwrap()[..] else { panic!() };
    assert!(is_v4(&configuration["id"]));
    assert_eq!(configuration["connectCredentialId"], credential["id"]);
    assert_eq!(configuration["isDefault"], true);
    let notify = world.workflow("notify").to_string();
    let secretly = world.workflow("secretly").to_string();
    let on = json!({ "enabled": true, "settings": {} });
    assert_eq!(configuration["workflowSettings"][&notify], on);
    assert_eq!(configuration["workflowSettings"][&secretly]["enabled"], false);
    assert_eq!(credential["config"]["configuredWorkflows"][&notify], on);
    let text = credential.to_string();
    assert!(!text.contains("xoxb-1"), "what was given is never shown");
}

#[tokio::test(start_paused = true)]
async fn payload_and_config_are_what_settings_see() {
    let world = World::start().await;
    let body = json!({
        "integrationId": "custom.tasklab",
        "payload": { "apiKey": "k", "both": "payload", "skipPostOAuthInputs": false, "providerId": 77 },
        "config": { "region": "eu", "both": "config" },
        "installOptions": { "externalId": null, "allowMultipleCredentials": null },
    });
    let credential = connect(&world, &body).await.json();
    assert_eq!(credential["providerId"], "77");
    let commands = world.commands().await;
    let Command::ConnectCredential(command) = &commands[0].body else { panic!() };
    let sealed = world.opened(&commands[0], &command.sealed).await;
    let expected = json!({ "apiKey": "k", "both": "payload", "region": "eu", "providerId": 77 });
    assert_eq!(sealed, expected);
}

#[tokio::test(start_paused = true)]
async fn the_only_account_is_connected_again_and_keeps_its_names() {
    let world = World::start().await;
    let config = world.feed.current();
    let project = config.project(crate::world::project_id()).unwrap();
    let slack = project.integration_of_kind("slack").unwrap().id.to_string();
    let first = json!({
        "integrationId": slack, "payload": { "accessToken": "1" }, "providerId": "T1",
        "installOptions": { "externalId": "work" },
    });
    let first = connect(&world, &first).await.json();
    world.clock.step_ms(60_000);
    let again = json!({ "integrationId": "slack", "payload": { "accessToken": "2" } });
    let again = connect(&world, &again).await.json();
    assert_eq!(again["id"], first["id"]);
    assert_eq!((&again["externalId"], &again["providerId"]), (&json!("work"), &json!("T1")));
    assert_eq!(again["dateCreated"], first["dateCreated"]);
    assert_eq!(again["dateRefreshed"], "2023-11-14T22:14:20.000Z", "it reads what it wrote");
    let more = json!({
        "integrationId": "slack", "payload": {},
        "installOptions": { "allowMultipleCredentials": true, "externalId": "home" },
    });
    let more = connect(&world, &more).await.json();
    assert_ne!(more["id"], first["id"]);
    let replaced = json!({
        "integrationId": "slack", "payload": { "accessToken": "3" },
        "installOptions": { "allowMultipleCredentials": true, "selectedCredentialId": "ext:home" },
    });
    assert_eq!(connect(&world, &replaced).await.json()["id"], more["id"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_connected_is_refused() {
    let world = World::start().await;
    let unknown = "a5e995c2-7709-43fd-9cdf-f759faa52497";
    let cases = [
        (json!({ "integrationId": "nothing", "payload": {} }), 404, "INTEGRATION_UNKNOWN"),
        (json!({ "integrationId": "slack", "code": "oauth" }), 400, "BODY_MALFORMED"),
        (json!({ "payload": {} }), 400, "BODY_MALFORMED"),
        (
            json!({ "integrationId": "slack", "payload": {}, "providerId": "x".repeat(300) }),
            400,
            "BODY_MALFORMED",
        ),
        (
            json!({ "integrationId": "slack", "payload": {},
                "installOptions": { "selectedCredentialId": unknown } }),
            404,
            "CREDENTIAL_UNKNOWN",
        ),
    ];
    for (body, status, error) in cases {
        assert_eq!(connect(&world, &body).await.problem(), (status, error.into()), "{body}");
    }
    world.pause_owner();
    let late = connect(&world, &json!({ "integrationId": "slack", "payload": {} })).await;
    assert_eq!(late.problem(), (503, "DECISION_LATE".into()));
}

#[tokio::test(start_paused = true)]
async fn accounts_are_read_as_a_list_or_one_by_one() {
    let world = World::start().await;
    let empty = world.call("GET", "credentials", "").await;
    assert_eq!((empty.status, empty.json()), (200, json!([])));
    assert_eq!(empty.headers["cache-control"], "no-store");
    let none = world.call("GET", "credentials?integration=slack", "").await;
    assert_eq!(none.problem(), (404, "INTEGRATION_NOT_ENABLED".into()));
    assert_eq!(none.json()["message"], "Integration not enabled for user.");
    let credential = world.connect().await;
    assert_eq!(world.call("GET", "credentials", "").await.json(), json!([credential]));
    let path = "credentials?integration=slack&includeAccountAuth=undefined";
    assert_eq!(world.call("GET", path, "").await.json(), credential);
    let path = format!("credentials/{}", credential["id"].as_str().unwrap());
    assert_eq!(world.call("GET", &path, "").await.json(), credential);
    let theirs = world.call_as("u2", "GET", &path, "").await;
    assert_eq!(theirs.problem(), (404, "CREDENTIAL_UNKNOWN".into()));
}

#[tokio::test(start_paused = true)]
async fn an_account_is_disconnected_by_body_less_delete() {
    let world = World::start().await;
    let credential = world.connect().await;
    let path = format!("integrations/{}", credential["integrationId"].as_str().unwrap());
    let removed = world.call("DELETE", &path, "").await;
    assert_eq!((removed.status, removed.json()), (200, json!({})));
    assert_eq!(
        world.call("GET", "credentials", "").await.json(),
        json!([]),
        "it reads what it wrote"
    );
    let again = world.call("DELETE", &path, "").await;
    assert_eq!(again.problem(), (404, "CREDENTIAL_UNKNOWN".into()));
    let credential = world.connect().await;
    let call = request("u1", "DELETE", "integrations/slack")
        .header("x-paragon-credential", credential["id"].as_str().unwrap());
    assert_eq!(world.send(call.body(Body::empty()).unwrap()).await.status, 200);
    let unknown = world.call("DELETE", "integrations/nothing", "").await;
    assert_eq!(unknown.problem(), (404, "INTEGRATION_UNKNOWN".into()));
}

#[tokio::test(start_paused = true)]
async fn a_workflow_is_switched_and_read_back() {
    let world = World::start().await;
    let workflow = world.workflow("notify").to_string();
    let path = format!("workflows/{workflow}");
    let before = world.call("POST", &path, "").await;
    assert_eq!(before.problem(), (404, "CREDENTIAL_UNKNOWN".into()));
    let credential = world.connect().await["id"].as_str().unwrap().to_owned();
    for (method, enabled) in [("DELETE", false), ("POST", true)] {
        let call = request("u1", method, &path).header("x-paragon-credential", &credential);
        let reply = world.send(call.body(Body::empty()).unwrap()).await;
        assert_eq!((reply.status, reply.json()), (200, json!({})));
        let me = world.call("GET", "me", "").await.json();
        let settings = &me["integrations"]["slack"]["workflowSettings"][&workflow];
        assert_eq!(settings["enabled"], enabled, "{method}");
    }
    assert_eq!(world.call("DELETE", &path, "").await.status, 200, "without a selector");
    let unknown = world.call("POST", "workflows/nonsense", "").await;
    assert_eq!(unknown.problem(), (404, "WORKFLOW_UNKNOWN".into()));
}
