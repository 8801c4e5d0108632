//! Workflows that wait for an integration to be enabled: they run once for each account.

use crate::settings::{delay, input};
use crate::story::Story;
use domain::command::{RemoveCredential, StartEnabled, SwitchUser};
use domain::effect;
use domain::event::{Event, TriggerKind};
use domain::workflow::Trigger;
use serde_json::json;

const STARTED: [&str; 2] = ["started", "step 0 ready in 60000 ms, attempt 1"];

/// Nobody is connected, and the first workflow waits for somebody who is.
fn awaited() -> Story {
    let mut story = Story::given(&delay());
    story.redeploy(|desired| {
        let workflow = &mut desired.workflows[0].workflow;
        workflow.trigger = Trigger::IntegrationEnabled;
        workflow.default_enabled = false;
    });
    let integration = story.integration;
    story.when(RemoveCredential { integration, credential: None }).then(&["CredentialRemoved"]);
    story
}

/// What the user tells itself of the first account.
fn start(story: &Story) -> StartEnabled {
    let credential = story.accounts().first().map(|(id, _)| *id).unwrap();
    StartEnabled { integration: story.integration, credential }
}

#[test]
fn it_runs_when_an_account_is_connected_and_not_when_it_is_connected_again() {
    let mut story = awaited();
    let connect = story.command(story.connect());
    let run = story.decided(&connect);
    let told = run.iter().flat_map(|event| effect::tells(event, 8));
    let told: Vec<_> = told.map(|tell| tell.command.name()).collect();
    assert_eq!(told, ["LinkCredential", "StartEnabled"]);
    story.take(&run);
    let command = story.command(start(&story));
    let run = story.decided(&command);
    let Event::ExecutionStarted(started) = &run[0].body else { panic!("{run:?}") };
    assert_eq!(started.trigger, TriggerKind::IntegrationEnabled);
    assert_eq!(started.trigger_detail, "by event");
    story.when_again(&command).then(&STARTED);
    story.when(story.connect()).then(&["CredentialConnected"]);
}

#[test]
fn it_waits_for_the_last_required_setting_and_comes_once_whatever_is_set_later() {
    let mut story = awaited();
    story.redeploy(|desired| {
        desired.integrations[0].inputs = vec![input("channel", true), input("team", true)];
    });
    story.when(story.connect()).then(&["CredentialConnected", "switched on"]);
    story.when(story.save(&json!({ "shared": { "team": "T" } }))).then(&["saved for all: team"]);
    let both = json!({ "shared": { "team": "T", "channel": "C" } });
    story.when(story.save(&both)).then(&["saved for all: channel team", "enabled, starts 1"]);
    story.when(start(&story)).then(&STARTED);
    story.when(story.save(&json!({ "shared": {} }))).then(&["saved for all: "]);
    story.when(story.save(&both)).then(&["saved for all: channel team"]);
}

#[test]
fn an_account_that_was_there_before_the_workflow_is_not_taken_for_a_new_one() {
    let mut story = Story::given(&delay());
    story.redeploy(|desired| desired.workflows[0].workflow.trigger = Trigger::IntegrationEnabled);
    story.when(story.connect()).then(&["CredentialConnected"]);
    story.when(story.save(&json!({ "shared": { "other": 1 } }))).then(&["saved for all: "]);
}

#[test]
fn while_the_integration_is_inactive_its_first_step_waits_and_a_disabled_user_starts_nothing() {
    let mut story = awaited();
    story.when(story.connect()).then(&["CredentialConnected", "switched on", "enabled, starts 1"]);
    story.set_active(false);
    story.when(start(&story)).then(&STARTED);
    story.when(SwitchUser { enabled: false }).then(&["UserSwitched"]);
    story.when(start(&story)).then(&["rejected: WORKFLOW_DISABLED"]);
}
