//! An inactive integration pauses its triggers and waiting steps; a removed one ends its runs.

use crate::story::Story;
use serde_json::{Value, json};

/// A request, a pause, a request.
fn steps() -> Value {
    json!([
        { "name": "a", "request": { "url": "https://a.example" }, "auto_retry": true },
        { "name": "pause", "delay": { "value": 1, "unit": "minutes" } },
        { "name": "b", "request": { "url": "https://b.example" } },
    ])
}

/// A run that waits for its delay.
fn waiting() -> Story {
    let mut story = Story::given_run(&steps());
    story.when(story.outcome("", false));
    story
}

#[test]
fn an_inactive_integration_starts_nothing_until_it_is_active_again() {
    let mut story = Story::given(&steps());
    story.set_active(false);
    story.when(story.event()).then(&["received, starts 0"]);
    story.when(story.request()).then(&["rejected: WORKFLOW_DISABLED"]);
    story.set_active(true);
    story.when(story.event()).then(&[
        "received, starts 1",
        "started",
        "step 0 ready now, attempt 1",
    ]);
}

#[test]
fn a_step_whose_turn_comes_is_paused_and_resumed() {
    let mut story = Story::given_run(&steps());
    story.set_active(false);
    story.when(story.pause()).then(&["step 0 paused, attempt 1: INTEGRATION_INACTIVE"]);
    story.when(story.pause()).then(&["rejected: OUTCOME_LATE"]);
    story.when(story.resume()).then(&["rejected: INTEGRATION_INACTIVE"]);
    // An outcome that nobody expects any more.
    story.when(story.outcome("", false)).then(&["rejected: OUTCOME_LATE"]);
    story.set_active(true);
    story.when(story.resume()).then(&["step 0 ready now, attempt 1"]);
    story.when(story.resume()).then(&["rejected: OUTCOME_LATE"]);
    story
        .when(story.outcome("", false))
        .then(&["step 0 succeeded, attempt 1", "step 1 ready in 60000 ms, attempt 1"]);
}

#[test]
fn a_step_that_is_to_be_paused_when_the_integration_is_active_again_waits_for_its_turn() {
    let mut story = Story::given_run(&steps());
    story.when(story.pause()).then(&["step 0 ready now, attempt 1"]);
    assert_eq!(story.alive(), 2);
}

#[test]
fn a_delay_that_ends_meanwhile_goes_on_when_it_is_resumed() {
    let mut story = waiting();
    story.set_active(false);
    story.later(60_000);
    story.when(story.timer()).then(&["step 1 paused, attempt 1: INTEGRATION_INACTIVE"]);
    story.later(3_600_000);
    story.set_active(true);
    story
        .when(story.resume())
        .then(&["step 1 succeeded, attempt 1", "step 2 ready now, attempt 1"]);
}

#[test]
fn a_retry_that_falls_due_meanwhile_keeps_its_number() {
    let mut story = Story::given_run(&steps());
    story.when(story.outcome("HTTP_ERROR", true));
    story.set_active(false);
    story.later(10_000);
    story.when(story.timer()).then(&["step 0 paused, attempt 2: INTEGRATION_INACTIVE"]);
    story.set_active(true);
    story.when(story.resume()).then(&["step 0 ready now, attempt 2"]);
}

#[test]
fn a_paused_run_can_be_cancelled() {
    let mut story = Story::given_run(&steps());
    story.set_active(false);
    story.when(story.pause());
    let resume = story.resume();
    story.when(story.cancel()).then(&["cancelled, 0 tasks: cancelled"]);
    assert_eq!(story.alive(), 0);
    story.when(resume).then(&["rejected: EXECUTION_FINISHED"]);
}

#[test]
fn a_run_whose_integration_is_removed_ends_with_its_next_step() {
    let mut story = waiting();
    story.remove_integration();
    story.later(60_000);
    story.when(story.timer()).then(&["failed, 1 tasks: integration_unknown"]);
    let mut story = waiting();
    story.set_active(false);
    story.later(60_000);
    story.when(story.timer());
    story.remove_integration();
    story.when(story.resume()).then(&["failed, 1 tasks: integration_unknown"]);
    assert_eq!(story.alive(), 0);
}
