//! A step that fails: when it is tried again, and what happens when it is not.

use crate::story::Story;
use domain::command::RecordOutcome;
use serde_json::{Value, json};

const BASE_MS: [i64; 5] = [10_000, 20_000, 30_000, 50_000, 80_000];

/// A request that is tried again, and a function behind it.
fn steps() -> Value {
    json!([
        { "name": "a", "request": { "url": "https://a.example" }, "auto_retry": true },
        { "name": "b", "function": "function yourFunction() {}" },
    ])
}

fn stubborn() -> Value {
    let mut steps = steps();
    steps[0]["auto_retry"] = json!(false);
    steps
}

#[test]
fn a_failed_step_is_tried_again_after_10_20_30_50_and_80_seconds_and_no_more() {
    let mut story = Story::given_run(&steps());
    for (attempt, wait) in (1..).zip(BASE_MS) {
        let next = attempt + 1;
        story.when(story.outcome("HTTP_ERROR", true)).then(&[
            &format!("step 0 failed, attempt {attempt}: HTTP_ERROR, again in {wait} ms"),
            &format!("step 0 ready in {wait} ms, attempt {next}"),
        ]);
        story.later(wait);
        story.when(story.timer()).then(&[&format!("step 0 ready now, attempt {next}")]);
    }
    story
        .when(story.outcome("HTTP_ERROR", true))
        .then(&["step 0 failed, attempt 6: HTTP_ERROR", "failed, 0 tasks: http_error"]);
    assert_eq!(story.alive(), 0);
}

#[test]
fn retries_come_up_to_a_tenth_sooner_or_later_and_not_all_at_once() {
    let mut story = Story::given_run(&steps());
    for base in BASE_MS {
        let mut waits = Vec::new();
        for last in 0..=u8::MAX {
            let command = story.command_ending(last, story.outcome("HTTP_ERROR", true));
            let decided = story.decided(&command);
            let domain::event::Event::StepReady(ready) = &decided[1].body else { panic!() };
            waits.push(ready.due.unwrap().since_ms(story.now));
        }
        let (least, most) = (*waits.iter().min().unwrap(), *waits.iter().max().unwrap());
        assert!(least >= base * 9 / 10 && most <= base * 11 / 10, "{base}: {least} to {most}");
        assert!(most - least >= base * 19 / 100, "{base}: {least} to {most}");
        waits.dedup();
        assert_eq!(waits.len(), 256, "{base}: some come back together");
        story.when(story.outcome("HTTP_ERROR", true));
        story.later(base);
        story.when(story.timer());
    }
}

#[test]
fn a_retry_that_succeeds_goes_on_and_counts_once() {
    let mut story = Story::given_run(&steps());
    story.when(story.outcome("HTTP_ERROR", true));
    story.later(10_000);
    story.when(story.timer());
    story
        .when(story.outcome("", false))
        .then(&["step 0 succeeded, attempt 2", "step 1 ready now, attempt 1"]);
    story
        .when(story.outcome("", false))
        .then(&["step 1 succeeded, attempt 1", "succeeded, 2 tasks: "]);
}

#[test]
fn each_step_has_retries_of_its_own() {
    let mut steps = steps();
    steps[1]["auto_retry"] = json!(true);
    let mut story = Story::given_run(&steps);
    story.when(story.outcome("HTTP_ERROR", true));
    story.later(10_000);
    story.when(story.timer());
    story.when(story.outcome("", false));
    story.when(story.outcome("FUNCTION_TIMEOUT", true)).then(&[
        "step 1 failed, attempt 1: FUNCTION_TIMEOUT, again in 10000 ms",
        "step 1 ready in 10000 ms, attempt 2",
    ]);
}

#[test]
fn only_what_the_step_asks_for_and_what_could_help_is_tried_again() {
    let failed = ["step 0 failed, attempt 1: HTTP_ERROR", "failed, 0 tasks: http_error"];
    for (steps, retryable) in [(steps(), false), (stubborn(), true), (stubborn(), false)] {
        let mut story = Story::given_run(&steps);
        story.when(story.outcome("HTTP_ERROR", retryable)).then(&failed);
    }
}

#[test]
fn a_provider_can_ask_for_a_longer_wait_but_not_for_a_shorter_one() {
    let hour = 3_600_000;
    for (asked, wait) in [
        (0, 10_000),
        (3_000, 10_000),
        (10_001, 10_001),
        (45_000, 45_000),
        (hour, hour),
        (i64::MAX, hour),
        (-5, 10_000),
        (i64::MIN, 10_000),
    ] {
        let mut story = Story::given_run(&steps());
        let outcome =
            RecordOutcome { retry_after_ms: Some(asked), ..story.outcome("RATE_LIMITED", true) };
        story.when(outcome).then(&[
            &format!("step 0 failed, attempt 1: RATE_LIMITED, again in {wait} ms"),
            &format!("step 0 ready in {wait} ms, attempt 2"),
        ]);
    }
}

#[test]
fn a_provider_s_word_makes_no_step_be_tried_again() {
    let mut story = Story::given_run(&stubborn());
    let outcome = RecordOutcome { retry_after_ms: Some(1), ..story.outcome("RATE_LIMITED", true) };
    story
        .when(outcome)
        .then(&["step 0 failed, attempt 1: RATE_LIMITED", "failed, 0 tasks: rate_limited"]);
}

#[test]
fn a_run_goes_on_after_a_failed_step_where_the_step_says_so() {
    let mut steps = stubborn();
    steps[0]["continue_on_error"] = json!(true);
    let mut story = Story::given_run(&steps);
    story
        .when(story.outcome("HTTP_ERROR", true))
        .then(&["step 0 failed, attempt 1: HTTP_ERROR, goes on", "step 1 ready now, attempt 1"]);
    story
        .when(story.outcome("", false))
        .then(&["step 1 succeeded, attempt 1", "succeeded, 1 tasks: "]);
}

#[test]
fn a_run_goes_on_only_when_the_retries_are_used_up() {
    let mut steps = steps();
    steps[0]["continue_on_error"] = json!(true);
    let mut story = Story::given_run(&steps);
    for wait in BASE_MS {
        story.when(story.outcome("HTTP_ERROR", true));
        story.later(wait);
        story.when(story.timer());
    }
    story
        .when(story.outcome("HTTP_ERROR", true))
        .then(&["step 0 failed, attempt 6: HTTP_ERROR, goes on", "step 1 ready now, attempt 1"]);
}

#[test]
fn later_steps_see_the_error_of_a_step_that_went_on() {
    let steps = json!([
        { "name": "a", "request": { "url": "https://a.example" }, "continue_on_error": true },
        { "name": "choose", "if": { "{{a.code}}": { "exactly_matches": "HTTP_ERROR" } },
          "then": [{ "name": "b", "function": "function yourFunction() {}" }] },
    ]);
    let mut story = Story::given_run(&steps);
    story.when(story.outcome("HTTP_ERROR", false)).then(&[
        "step 0 failed, attempt 1: HTTP_ERROR, goes on",
        "step 1 succeeded, attempt 1",
        "step 2 ready now, attempt 1",
    ]);
}
