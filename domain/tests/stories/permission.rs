//! Workflows that are not for everyone.

use crate::settings::delay;
use crate::story::{Story, sealed};
use domain::command::{DescribeUser, RemoveCredential, SwitchWorkflow};
use domain::workflow::Condition;
use domain::workflow::condition::{Operator, Rule};
use serde_json::{Value, json};

const STARTED: [&str; 3] = ["received, starts 1", "started", "step 0 ready in 60000 ms, attempt 1"];

fn of_gold() -> Condition {
    let (left, right) = (json!("{{settings.plan}}"), json!("gold"));
    Condition::Rule(Rule { left, operator: Operator::ExactlyMatches, right })
}

/// Anna's metadata is given; both workflows are on, and the first one is for gold from now on.
fn limited(metadata: &Value) -> Story {
    let mut story = Story::given(&delay());
    story.when(describe(metadata)).then(&["UserDescribed"]);
    story.redeploy(|desired| desired.workflows[0].workflow.permissions = Some(of_gold()));
    story
}

fn describe(metadata: &Value) -> DescribeUser {
    DescribeUser { sealed: sealed(metadata) }
}

#[test]
fn a_workflow_runs_for_whom_it_is_and_for_nobody_else() {
    let mut story = limited(&json!({ "plan": "gold" }));
    story.when(story.event()).then(&STARTED);
    let mut story = limited(&json!({ "plan": "silver" }));
    story.when(story.event()).then(&["received, starts 0"]);
    let mut story = Story::given(&delay());
    story.redeploy(|desired| desired.workflows[1].workflow.permissions = Some(of_gold()));
    story.when(story.request()).then(&["rejected: WORKFLOW_UNPERMITTED"]);
}

#[test]
fn a_change_of_metadata_switches_off_and_nothing_on() {
    let mut story = limited(&json!({ "plan": "gold" }));
    let command = story.command(describe(&json!({ "plan": "silver" })));
    let run = story.decided(&command);
    story.take(&run);
    let once = story.all();
    story.take(&run);
    assert_eq!(story.all(), once);
    assert_eq!(
        run.iter().map(|event| event.body.name()).collect::<Vec<_>>(),
        ["UserDescribed", "WorkflowSwitched"]
    );
    story.when(describe(&json!({ "plan": "gold" }))).then(&["UserDescribed"]);
    story.when(story.event()).then(&["received, starts 0"]);
    let workflow = story.by_event;
    let on = SwitchWorkflow { workflow, credential: None, enabled: true };
    story.when(on.clone()).then(&["switched on"]);
    story.when(story.event()).then(&STARTED);
    story.when(describe(&json!({ "plan": "tin" }))).then(&["UserDescribed", "switched off"]);
    story.when(on).then(&["rejected: WORKFLOW_UNPERMITTED"]);
    let save = json!({ "workflows": { workflow.to_string(): { "enabled": true } } });
    story.when(story.save(&save)).then(&["rejected: WORKFLOW_UNPERMITTED"]);
    // To switch off what is off already is never refused.
    let off = SwitchWorkflow { workflow, credential: None, enabled: false };
    story.when(off).then(&["switched off"]);
}

#[test]
fn what_is_on_by_default_is_on_for_whom_it_is() {
    let mut story = limited(&json!({ "plan": "silver" }));
    let integration = story.integration;
    let remove = RemoveCredential { integration, credential: None };
    story.when(remove.clone()).then(&["CredentialRemoved"]);
    story.when(story.connect()).then(&["CredentialConnected", "switched on"]);
    story.when(describe(&json!({ "plan": "gold" }))).then(&["UserDescribed"]);
    story.when(remove).then(&["CredentialRemoved"]);
    story.when(story.connect()).then(&["CredentialConnected", "switched on", "switched on"]);
}
