//! Outcomes and timers that come late, twice, or for something else: the first in log order wins.

use crate::story::Story;
use domain::command::{Command, FireTimer, RecordOutcome};
use domain::id::StepId;
use serde_json::{Value, json};
use uuid::Uuid;

const LATE: [&str; 1] = ["rejected: OUTCOME_LATE"];
const OVER: [&str; 1] = ["rejected: EXECUTION_FINISHED"];

/// Two requests with a pause between them.
fn steps() -> Value {
    json!([
        { "name": "a", "request": { "url": "https://a.example" }, "auto_retry": true },
        { "name": "pause", "delay": { "value": 1, "unit": "minutes" } },
        { "name": "b", "request": { "url": "https://b.example" } },
    ])
}

/// The command is refused, again when it is repeated, and no row changes.
fn changes_nothing(story: &mut Story, body: impl Into<Command>, refusal: &[&str]) {
    let before = story.all();
    let command = story.command(body);
    story.when_again(&command).then(refusal);
    story.when_again(&command).then(refusal);
    assert_eq!(story.all(), before);
}

#[test]
fn an_outcome_that_comes_twice_counts_once() {
    let mut story = Story::given_run(&steps());
    let outcome = story.outcome("", false);
    story
        .when(outcome.clone())
        .then(&["step 0 succeeded, attempt 1", "step 1 ready in 60000 ms, attempt 1"]);
    changes_nothing(&mut story, outcome, &LATE);
}

#[test]
fn of_two_outcomes_the_first_wins() {
    let mut story = Story::given_run(&steps());
    let (well, ill) = (story.outcome("", false), story.outcome("HTTP_ERROR", true));
    story.when(well);
    changes_nothing(&mut story, ill, &LATE);
    let mut story = Story::given_run(&steps());
    let (well, ill) = (story.outcome("", false), story.outcome("HTTP_ERROR", true));
    story.when(ill);
    changes_nothing(&mut story, well, &LATE);
}

#[test]
fn an_outcome_of_an_earlier_attempt_is_not_that_of_the_next() {
    let mut story = Story::given_run(&steps());
    let late = story.outcome("", false);
    story.when(story.outcome("HTTP_ERROR", true));
    story.later(10_000);
    story.when(story.timer()).then(&["step 0 ready now, attempt 2"]);
    changes_nothing(&mut story, late, &LATE);
    story
        .when(story.outcome("", false))
        .then(&["step 0 succeeded, attempt 2", "step 1 ready in 60000 ms, attempt 1"]);
}

#[test]
fn an_attempt_that_has_not_begun_has_no_outcome() {
    let mut story = Story::given_run(&steps());
    let next = RecordOutcome { attempt: 2, ..story.outcome("", false) };
    changes_nothing(&mut story, next.clone(), &LATE);
    story.when(story.outcome("HTTP_ERROR", true));
    changes_nothing(&mut story, next, &LATE);
}

#[test]
fn a_step_that_is_not_due_has_no_outcome() {
    let mut story = Story::given_run(&steps());
    let other = RecordOutcome { step: StepId(Uuid::from_u128(9)), ..story.outcome("", false) };
    changes_nothing(&mut story, other, &LATE);
    story.when(story.outcome("", false));
    let pause = story.outcome("", false);
    changes_nothing(&mut story, pause, &LATE);
}

#[test]
fn an_outcome_after_the_end_changes_nothing() {
    let mut story = Story::given_run(&json!([steps()[0]]));
    let outcome = story.outcome("", false);
    story.when(outcome.clone()).then(&["step 0 succeeded, attempt 1", "succeeded, 1 tasks: "]);
    changes_nothing(&mut story, outcome, &OVER);
}

#[test]
fn a_pause_ends_once() {
    let mut story = Story::given_run(&steps());
    story.when(story.outcome("", false));
    let timer = story.timer();
    story.later(60_000);
    story.when(timer.clone()).then(&["step 1 succeeded, attempt 1", "step 2 ready now, attempt 1"]);
    changes_nothing(&mut story, timer, &LATE);
}

#[test]
fn a_retry_begins_once() {
    let mut story = Story::given_run(&steps());
    story.when(story.outcome("HTTP_ERROR", true));
    let timer = story.timer();
    story.later(10_000);
    story.when(timer.clone()).then(&["step 0 ready now, attempt 2"]);
    changes_nothing(&mut story, timer.clone(), &["rejected: TIMER_LATE"]);
    story.when(story.outcome("HTTP_ERROR", true));
    changes_nothing(&mut story, timer, &LATE);
}

#[test]
fn a_timer_for_another_moment_fires_in_vain() {
    let mut story = Story::given_run(&steps());
    story.when(story.outcome("", false));
    let timer = story.timer();
    for shift in [-1, 1] {
        let other = FireTimer { due: timer.due.plus_ms(shift), ..timer.clone() };
        changes_nothing(&mut story, other, &["rejected: TIMER_LATE"]);
    }
}

#[test]
fn a_timer_for_a_step_that_waits_for_the_world_fires_in_vain() {
    let mut story = Story::given_run(&steps());
    let pending = story.pending().unwrap();
    let timer = FireTimer {
        execution: story.execution(),
        step: pending.step,
        attempt: pending.attempt,
        due: story.now,
    };
    changes_nothing(&mut story, timer, &["rejected: TIMER_LATE"]);
}

#[test]
fn a_timer_after_the_end_fires_in_vain() {
    let mut story = Story::given_run(&json!([steps()[1]]));
    let timer = story.timer();
    story.later(60_000);
    story.when(timer.clone()).then(&["step 0 succeeded, attempt 1", "succeeded, 0 tasks: "]);
    changes_nothing(&mut story, timer, &OVER);
}

#[test]
fn an_event_that_comes_again_starts_nothing() {
    let mut story = Story::given(&steps());
    let event = story.command(story.event());
    story.when_again(&event).then(&[
        "received, starts 1",
        "started",
        "step 0 ready now, attempt 1",
    ]);
    story.when_again(&event).then(&["repeated"]);
}
