//! An execution is paused and goes on when somebody says so.

use crate::story::Story;
use domain::command::{
    DeleteUser, PauseExecution, RemoveCredential, ResumeExecution, SwitchUser, SwitchWorkflow,
};
use domain::id::ExecutionId;
use domain::key::Key;
use serde_json::{Value, json};
use uuid::Uuid;

/// A request, a pause, a request.
fn steps() -> Value {
    json!([
        { "name": "a", "request": { "url": "https://a.example" } },
        { "name": "pause", "delay": { "value": 1, "unit": "minutes" } },
        { "name": "b", "request": { "url": "https://b.example" } },
    ])
}

fn pause(story: &Story) -> PauseExecution {
    PauseExecution { execution: story.execution() }
}

fn resume(story: &Story) -> ResumeExecution {
    ResumeExecution { execution: story.execution() }
}

#[test]
fn what_is_at_work_ends_and_nothing_else_begins() {
    let mut story = Story::given_run(&steps());
    story.begin();
    story.when(pause(&story)).then(&["ExecutionPaused"]);
    story.when(pause(&story)).then(&["ExecutionPaused"]);
    let outcome = story.outcome("", false);
    story
        .when(outcome)
        .then(&["step 0 succeeded, attempt 1", "step 1 ready in 60000 ms, attempt 1"]);
    // Time does not stand still meanwhile.
    story.later(60_000);
    let timer = story.timer();
    story.when(timer).then(&["step 1 paused, attempt 1: EXECUTION_PAUSED"]);
    story.when(story.resume()).then(&["rejected: EXECUTION_PAUSED"]);
    story.when(resume(&story)).then(&[
        "ExecutionResumed",
        "step 1 succeeded, attempt 1",
        "step 2 ready now, attempt 1",
    ]);
    story.when(resume(&story)).then(&["ExecutionResumed"]);
}

#[test]
fn a_step_that_waits_for_its_turn_is_set_aside() {
    let mut story = Story::given_run(&steps());
    story.when(pause(&story)).then(&["ExecutionPaused"]);
    story.when(story.pause()).then(&["step 0 paused, attempt 1: EXECUTION_PAUSED"]);
    story.when(resume(&story)).then(&["ExecutionResumed", "step 0 ready now, attempt 1"]);
    story.begin();
    let outcome = story.outcome("X", false);
    story.when(outcome).then(&["step 0 failed, attempt 1: X", "failed, 0 tasks: x"]);
    assert_eq!(story.alive(), 0);
    story.when(pause(&story)).then(&["rejected: EXECUTION_FINISHED"]);
    story.when(resume(&story)).then(&["rejected: EXECUTION_FINISHED"]);
}

#[test]
fn it_goes_on_only_when_its_integration_does_too() {
    let mut story = Story::given_run(&steps());
    story.when(pause(&story));
    story.set_active(false);
    story.when(story.pause()).then(&["step 0 paused, attempt 1: INTEGRATION_INACTIVE"]);
    story.when(resume(&story)).then(&["ExecutionResumed"]);
    story.when(pause(&story)).then(&["ExecutionPaused"]);
    story.set_active(true);
    story.when(story.resume()).then(&["rejected: EXECUTION_PAUSED"]);
    story.when(resume(&story)).then(&["ExecutionResumed", "step 0 ready now, attempt 1"]);
}

#[test]
fn it_can_be_cancelled_meanwhile() {
    let mut story = Story::given_run(&steps());
    story.when(pause(&story));
    story.when(story.pause());
    story.when(story.cancel()).then(&["cancelled, 0 tasks: cancelled"]);
    assert_eq!(story.alive(), 0);
}

#[test]
fn with_it_waits_what_is_within_its_fan_outs() {
    let steps = json!([
        { "name": "each", "fan_out": [1, 2], "steps": [
            { "name": "work", "function": "f" },
            { "name": "more", "function": "f" },
        ] },
    ]);
    let mut story = Story::given_run(&steps);
    story.fire_all();
    let items = story.items();
    story.when(pause(&story)).then(&["ExecutionPaused"]);
    let outcome = story.outcome_of(items[0], "", &json!({ "result": 1 }));
    story.when(outcome).then(&["step 1 succeeded, attempt 1", "step 2 ready now, attempt 1"]);
    for item in &items {
        let (set_aside, resumed) = (story.pause_of(*item), story.resume_of(*item));
        assert!(story.when(set_aside).is_one_that_says("EXECUTION_PAUSED"));
        story.when(resumed).then(&["rejected: EXECUTION_PAUSED"]);
    }
    story.when(PauseExecution { execution: items[0] }).then(&["rejected: EXECUTION_FINISHED"]);
    story.when(resume(&story)).then(&["ExecutionResumed"]);
    story.when(story.resume_of(items[0])).then(&["step 2 ready now, attempt 1"]);
    story.when(story.resume_of(items[1])).then(&["step 1 ready now, attempt 1"]);
}

#[test]
fn of_another_user_there_is_no_such_execution() {
    let mut story = Story::given_run(&steps());
    let (paused, unknown) = (pause(&story), ExecutionId(Uuid::nil()));
    story.when(PauseExecution { execution: unknown }).then(&["rejected: EXECUTION_FINISHED"]);
    story.key = Key::User(crate::story::PROJECT, "otto".into());
    story.when(paused).then(&["rejected: EXECUTION_FINISHED"]);
}

#[test]
fn what_runs_for_a_disabled_user_waits_until_the_user_is_enabled() {
    let mut story = Story::given_run(&steps());
    story.when(SwitchUser { enabled: false });
    story.when(story.pause()).then(&["step 0 paused, attempt 1: USER_DISABLED"]);
    story.when(story.resume()).then(&["rejected: USER_DISABLED"]);
    story.when(SwitchUser { enabled: true });
    story.when(story.resume()).then(&["step 0 ready now, attempt 1"]);
}

#[test]
fn what_runs_for_an_account_that_is_removed_ends_with_its_next_step() {
    let mut story = Story::given_run(&steps());
    story.begin();
    let integration = story.integration;
    story.when(RemoveCredential { integration, credential: None }).then(&["CredentialRemoved"]);
    let outcome = story.outcome("", false);
    story
        .when(outcome)
        .then(&["step 0 succeeded, attempt 1", "step 1 ready in 60000 ms, attempt 1"]);
    story.later(60_000);
    let timer = story.timer();
    story.when(timer).then(&["failed, 1 tasks: credential_removed"]);
    assert_eq!(story.alive(), 0);
}

#[test]
fn with_a_user_go_the_accounts_and_what_runs_for_them_ends() {
    let mut story = Story::given_run(&steps());
    story.when(story.connect());
    story.when(DeleteUser {}).then(&["CredentialRemoved", "UserDeleted"]);
    story.when(DeleteUser {}).then(&["rejected: USER_UNKNOWN"]);
    assert!(story.accounts().is_empty());
    story.when(story.pause()).then(&["failed, 0 tasks: credential_removed"]);
    story.when(story.event()).then(&["received, starts 0"]);
    // The same id comes back as a new user.
    story.when(story.connect());
    story.when(story.event()).then(&[
        "received, starts 1",
        "started",
        "step 0 ready now, attempt 1",
    ]);
}

#[test]
fn what_is_switched_off_or_undeployed_runs_to_its_end() {
    let mut story = Story::given_run(&steps());
    story.begin();
    let switch = SwitchWorkflow { workflow: story.by_event, credential: None, enabled: false };
    story.when(switch).then(&["switched off"]);
    story.redeploy(|desired| desired.workflows[0].deployed = false);
    let outcome = story.outcome("", false);
    story
        .when(outcome)
        .then(&["step 0 succeeded, attempt 1", "step 1 ready in 60000 ms, attempt 1"]);
    story.later(60_000);
    let timer = story.timer();
    story.when(timer).then(&["step 1 succeeded, attempt 1", "step 2 ready now, attempt 1"]);
}
