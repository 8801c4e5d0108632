//! What users set for their accounts.

use crate::project::file;
use crate::world::{Reply, World};
use domain::command::Command;
use domain::event::Event;
use ingest::Limits;
use serde_json::{Value, json};

/// Slack asks for a channel, and the workflow `notify` for a list.
async fn start() -> World {
    let mut file = file();
    file["integrations"][0] = json!({
        "type": "slack",
        "inputs": [
            { "id": "channel", "title": "Channel", "type": "text", "tooltip": "Where to post" },
            { "id": "level", "type": "enum", "default": "all",
              "options": ["all", { "label": "Errors only", "value": "errors" }] },
            { "id": "team", "type": "custom_dropdown", "key": "teams" },
            { "id": "pin", "type": "password" },
        ],
    });
    file["workflows"][0]["default_enabled"] = json!(false);
    file["workflows"][0]["inputs"] = json!([
        { "id": "list", "type": "text", "required": true },
        { "id": "size", "type": "enum", "options": [1, 2] },
        { "id": "task", "type": "field_mapping", "fields": ["Title"], "object": "Task" },
    ]);
    World::with(Limits::default(), &file).await
}

async fn patch(world: &World, account: &Value, config: &Value) -> Reply {
    let path = format!("credentials/{}", account["id"].as_str().unwrap());
    world.call("PATCH", &path, &json!({ "config": config }).to_string()).await
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_is_shown_as_clients_read_it() {
    let world = start().await;
    let all = world.call("GET", "integrations", "").await.json();
    let slack = all.as_array().unwrap().iter().find(|i| i["type"] == "slack").unwrap();
    let values = &slack["configs"][0]["values"];
    assert_eq!(
        values["sharedMeta"]["inputs"],
        json!([
            { "id": "channel", "title": "Channel", "type": "TEXT_NO_VARS", "required": false,
              "tooltip": "Where to post" },
            { "id": "level", "title": "level", "type": "ENUM", "required": false,
              "defaultValue": "all", "sourceType": "level" },
            { "id": "team", "title": "team", "type": "CUSTOM_DROPDOWN", "required": false,
              "key": "teams" },
            { "id": "pin", "title": "pin", "type": "PASSWORD", "required": false },
        ])
    );
    let notify = world.workflow("notify").to_string();
    let source = format!("{notify}/size");
    assert_eq!(
        values["workflowMeta"][&notify]["inputs"],
        json!([
            { "id": "list", "title": "list", "type": "TEXT_NO_VARS", "required": true },
            { "id": "size", "title": "size", "type": "ENUM", "required": false,
              "sourceType": source },
            { "id": "task", "title": "task", "type": "FIELD_MAPPER", "required": false,
              "savedFieldMappings": [{ "label": "Title" }], "useDynamicMapper": true,
              "dynamicObjectName": "Task" },
        ])
    );
    let level = json!({ "type": "STATIC_ENUM_DATA_SOURCE", "id": "level", "title": "level",
        "values": [{ "label": "all", "value": "all" },
                   { "label": "Errors only", "value": "errors" }] });
    let sources = &slack["sdkIntegrationConfig"]["dataSources"];
    assert_eq!(sources["level"], level);
    assert_eq!(sources[&source]["values"][1], json!({ "label": "2", "value": 2 }));
}

#[tokio::test(start_paused = true)]
async fn what_was_saved_is_read_back_wherever_clients_look() {
    let world = start().await;
    let account = world.connect().await;
    assert_eq!(account["configurations"][0]["sharedSettings"], json!({}));
    let shared = json!({ "channel": "C1", "team": "t-1" });
    let reply = patch(&world, &account, &json!({ "sharedSettings": shared })).await;
    assert_eq!(reply.status, 200, "{}", reply.json());
    assert_eq!(reply.json()["config"]["sharedSettings"], shared);
    let notify = world.workflow("notify").to_string();
    // The older name, and a workflow that is switched on by the way.
    let list = json!({ "enabled": true, "settings": { "list": "L" } });
    let workflows = json!({ "configuredWorkflows": { &notify: list } });
    let reply = patch(&world, &account, &workflows).await.json();
    assert_eq!(reply["configurations"][0]["sharedSettings"], shared, "it is left alone");
    assert_eq!(reply["configurations"][0]["workflowSettings"][&notify], list);
    let me = world.call("GET", "me", "").await.json();
    let slack = &me["integrations"]["slack"];
    assert_eq!(slack["sharedSettings"], shared);
    assert_eq!(slack["configuredWorkflows"][&notify], list);
    let read = world.call("GET", "credentials?integration=slack", "").await.json();
    assert_eq!(read["config"]["configuredWorkflows"][&notify], list);
    // On the log only the ids can be read.
    let commands = world.commands().await;
    let saved: Vec<_> = commands
        .iter()
        .filter_map(|command| match &command.body {
            Command::SaveSettings(c) => Some((command, c)),
            _ => None,
        })
        .collect();
    let sealed = world.opened(saved[0].0, &saved[0].1.sealed).await;
    assert_eq!(sealed["shared"], shared);
    let events = world.events().await;
    let filled: Vec<Vec<String>> = events
        .into_iter()
        .filter_map(|event| match event {
            Event::SettingsSaved(e) => Some(e.filled),
            _ => None,
        })
        .collect();
    assert_eq!(filled, [vec!["channel".to_owned(), "team".into()], vec!["list".into()]]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_saved_is_refused_with_its_reason() {
    let world = start().await;
    let account = world.connect().await;
    let wrong = json!({ "sharedSettings": { "channel": true, "level": "some" } });
    let reply = patch(&world, &account, &wrong).await;
    assert_eq!(reply.problem(), (422, "SETTINGS_INVALID".into()));
    let message = reply.json()["message"].as_str().unwrap().to_owned();
    assert_eq!(message, "channel must be text. level must be one of its options.");
    let notify = world.workflow("notify");
    let on = json!({ "workflowSettings": { notify.to_string(): { "enabled": true } } });
    let reply = patch(&world, &account, &on).await;
    assert_eq!(reply.problem(), (409, "SETTINGS_MISSING".into()));
    let reply = world.call("POST", &format!("workflows/{notify}"), "").await;
    assert_eq!(reply.problem(), (409, "SETTINGS_MISSING".into()));
    assert_eq!(patch(&world, &account, &json!({})).await.problem().1, "BODY_MALFORMED");
    let nobody = json!({ "id": "7f4b0f0a-0d4e-4a57-8f0d-3f0f3b1b6f11" });
    let shared = json!({ "sharedSettings": {} });
    assert_eq!(patch(&world, &nobody, &shared).await.problem().1, "CREDENTIAL_UNKNOWN");
}

#[tokio::test(start_paused = true)]
async fn an_uninstalled_integration_forgets_what_was_set() {
    let world = start().await;
    let account = world.connect().await;
    patch(&world, &account, &json!({ "sharedSettings": { "channel": "C1" } })).await;
    let slack = world.workflow("notify");
    let config = world.feed.current();
    let project = config.project(crate::world::project_id()).unwrap();
    let integration = project.released(slack).unwrap().1.integration;
    world.call("DELETE", &format!("integrations/{integration}"), "").await;
    let again = world.connect().await;
    assert_eq!(again["config"]["sharedSettings"], json!({}));
}
