//! What users are asked for: nothing runs before what is required is set.

use crate::story::Story;
use domain::command::{ConnectCredential, RemoveCredential, SwitchWorkflow};
use domain::config::{Input, InputKind};
use serde_json::{Value, json};

pub(crate) fn input(id: &str, required: bool) -> Input {
    Input {
        id: id.into(),
        title: id.into(),
        kind: InputKind::Text,
        required,
        default: None,
        tooltip: String::new(),
        placeholder: String::new(),
    }
}

pub(crate) fn delay() -> Value {
    json!([{ "name": "wait", "delay": { "value": 1 } }])
}

const SAVED: &str = "saved for all: channel";
const ENABLED: &str = "enabled, starts 0";
const STARTED: [&str; 3] = ["received, starts 1", "started", "step 0 ready in 60000 ms, attempt 1"];

/// Anna is connected, and her integration asks for a channel from now on.
fn asked() -> Story {
    let mut story = Story::given(&delay());
    story.redeploy(|desired| desired.integrations[0].inputs = vec![input("channel", true)]);
    story
}

#[test]
fn an_integration_with_an_empty_required_setting_is_connected_and_starts_nothing() {
    let mut story = asked();
    story.when(story.event()).then(&["received, starts 0"]);
    story.when(story.request()).then(&["rejected: SETTINGS_MISSING"]);
    story.when(story.save(&json!({ "shared": { "channel": " " } }))).then(&["saved for all: "]);
    story.when(story.event()).then(&["received, starts 0"]);
    story.when(story.save(&json!({ "shared": { "channel": "C1" } }))).then(&[SAVED, ENABLED]);
    story.when(story.event()).then(&STARTED);
    // What goes away again is required again.
    story.when(story.save(&json!({ "shared": {} }))).then(&["saved for all: "]);
    story.when(story.event()).then(&["received, starts 0"]);
}

#[test]
fn a_default_is_as_good_as_a_value() {
    let mut story = asked();
    story.redeploy(|desired| desired.integrations[0].inputs[0].default = Some(json!("#general")));
    story.when(story.event()).then(&STARTED);
}

#[test]
fn a_workflow_with_an_empty_required_setting_cannot_be_switched_on() {
    let mut story = Story::given(&delay());
    let workflow = story.by_event;
    let switch = |enabled| SwitchWorkflow { workflow, credential: None, enabled };
    story.when(switch(false)).then(&["switched off"]);
    story.redeploy(|desired| desired.workflows[0].workflow.inputs = vec![input("list", true)]);
    story.when(switch(true)).then(&["rejected: SETTINGS_MISSING"]);
    // The other workflow's settings are none of this one's.
    let other = json!({ story.by_request.to_string(): { "settings": { "list": "L" } } });
    story.when(story.save(&json!({ "workflows": other }))).then(&["saved for one: "]);
    story.when(switch(true)).then(&["rejected: SETTINGS_MISSING"]);
    let own = |wanted: Value| json!({ "workflows": { workflow.to_string(): wanted } });
    story
        .when(story.save(&own(json!({ "enabled": true, "settings": { "list": "" } }))))
        .then(&["rejected: SETTINGS_MISSING"]);
    story
        .when(story.save(&own(json!({ "enabled": true, "settings": { "list": "L" } }))))
        .then(&["saved for one: list", "switched on"]);
    story.when(story.event()).then(&STARTED);
    // On already: only what differs is an event, and taking the value back stops it.
    story
        .when(story.save(&own(json!({ "enabled": true, "settings": {} }))))
        .then(&["saved for one: "]);
    story.when(story.event()).then(&["received, starts 0"]);
    story.when(story.save(&own(json!({ "enabled": false })))).then(&["switched off"]);
}

#[test]
fn what_does_not_fit_is_told_and_nothing_of_it_is_saved() {
    let mut story = asked();
    story.redeploy(|desired| {
        let age = Input { kind: InputKind::Number, ..input("age", false) };
        desired.integrations[0].inputs.push(age);
    });
    let wrong = json!({ "shared": { "channel": "C1", "age": "old" } });
    story.when(story.save(&wrong)).then(&["rejected: SETTINGS_INVALID"]);
    let large = json!({ "shared": { "channel": "x".repeat(70_000) } });
    story.when(story.save(&large)).then(&["rejected: BODY_TOO_LARGE"]);
    assert_eq!(story.accounts()[0].1.settings, domain::state::Settings::default());
    let of_nobody = json!({ "workflows": { uuid::Uuid::nil().to_string(): {} } });
    story.when(story.save(&of_nobody)).then(&["rejected: WORKFLOW_UNKNOWN"]);
}

#[test]
fn what_is_not_declared_is_kept_and_does_not_count() {
    let mut story = asked();
    story.redeploy(|desired| desired.integrations[0].inputs.clear());
    let saved = json!({ "shared": { "channel": "C1" } });
    story.when(story.save(&saved)).then(&["saved for all: "]);
    // The same again changes nothing, and leaves an event all the same.
    story.when(story.save(&saved)).then(&["saved for all: "]);
    story.redeploy(|desired| desired.integrations[0].inputs = vec![input("channel", true)]);
    story.when(story.event()).then(&["received, starts 0"]);
    story.when(story.save(&saved)).then(&[SAVED, ENABLED]);
    story.when(story.event()).then(&STARTED);
}

#[test]
fn an_account_that_is_connected_again_keeps_its_settings_and_a_removed_one_loses_them() {
    let mut story = asked();
    story.when(story.save(&json!({ "shared": { "channel": "C1" } }))).then(&[SAVED, ENABLED]);
    let integration = story.integration;
    story.when(story.connect()).then(&["CredentialConnected"]);
    story.when(story.event()).then(&STARTED);
    story.when(RemoveCredential { integration, credential: None }).then(&["CredentialRemoved"]);
    let connect = ConnectCredential { external_id: "again".into(), ..story.connect() };
    story.when(connect).then(&["CredentialConnected", "switched on", "switched on"]);
    story.when(story.event()).then(&["received, starts 0"]);
    assert_eq!(story.accounts()[0].1.settings, domain::state::Settings::default());
}

#[test]
fn settings_are_folded_twice_as_once_and_a_repeat_is_recognised() {
    let mut story = asked();
    let command = story.command(story.save(&json!({ "shared": { "channel": "C1" } })));
    let run = story.decided(&command);
    story.take(&run);
    let once = story.all();
    story.take(&run);
    assert_eq!(story.all(), once);
    story.when_again(&command).then(&["repeated"]);
}
