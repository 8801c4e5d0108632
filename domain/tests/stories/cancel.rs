//! A cancel, whatever the execution is doing.

use crate::story::Story;
use domain::answer::Answer;
use domain::command::CancelExecution;
use domain::id::ExecutionId;
use serde_json::{Value, json};
use uuid::Uuid;

const CANCELLED: [&str; 1] = ["cancelled, 0 tasks: cancelled"];
const OVER: [&str; 1] = ["rejected: EXECUTION_FINISHED"];

fn request() -> Value {
    json!({ "name": "a", "request": { "url": "https://a.example" }, "auto_retry": true })
}

fn pause() -> Value {
    json!({ "name": "pause", "delay": { "value": 1, "unit": "days" } })
}

#[test]
fn one_that_is_queued_ends_and_is_queued_no_more() {
    let mut story = Story::given_run(&json!([request()]));
    assert_eq!(story.alive(), 2, "the run, and its place in the queue");
    story.when(story.cancel()).then(&CANCELLED);
    assert_eq!(story.alive(), 0);
}

#[test]
fn one_whose_step_runs_ends_and_what_the_step_gives_comes_too_late() {
    let mut story = Story::given_run(&json!([request()]));
    let outcomes = [story.outcome("", false), story.outcome("HTTP_ERROR", true)];
    story.when(story.cancel()).then(&CANCELLED);
    for outcome in outcomes {
        story.when(outcome).then(&OVER);
    }
    assert_eq!(story.alive(), 0);
}

#[test]
fn one_that_waits_ends_and_its_timer_fires_in_vain() {
    let mut story = Story::given_run(&json!([pause(), request()]));
    let timer = story.timer();
    story.when(story.cancel()).then(&CANCELLED);
    assert_eq!(story.alive(), 0);
    story.later(24 * 3_600_000);
    story.when(timer).then(&OVER);
}

#[test]
fn one_that_waits_for_a_retry_ends_and_is_not_tried_again() {
    let mut story = Story::given_run(&json!([request()]));
    story.when(story.outcome("HTTP_ERROR", true));
    let timer = story.timer();
    story.when(story.cancel()).then(&CANCELLED);
    assert_eq!(story.alive(), 0);
    story.when(timer).then(&OVER);
}

#[test]
fn what_was_done_before_stays_counted() {
    let mut story = Story::given_run(&json!([request(), pause()]));
    story.when(story.outcome("", false));
    story.when(story.cancel()).then(&["cancelled, 1 tasks: cancelled"]);
}

#[test]
fn who_waits_for_the_response_of_a_cancelled_run_is_told() {
    let answer = json!({ "name": "answer", "response": { "status": 200 } });
    let mut story = Story::given(&json!([request(), answer]));
    let asked = story.command(story.request());
    story.when_again(&asked).then(&["started", "step 0 ready now, attempt 1"]);
    let waits = story.rows.seen(asked.meta.command_id).unwrap();
    assert_eq!(waits.answer, None);
    story.when(story.cancel()).then(&CANCELLED);
    let told = story.rows.seen(asked.meta.command_id).unwrap().answer.clone();
    let Some(Answer::Rejected { code, reason }) = told else { panic!("{told:?}") };
    assert_eq!(code, "EXECUTION_WITHOUT_RESPONSE");
    assert!(reason.contains("CANCELLED"), "{reason}");
}

#[test]
fn who_has_the_response_keeps_it_when_the_run_is_cancelled_afterwards() {
    let answer = json!({ "name": "answer", "response": { "status": 201 } });
    let mut story = Story::given(&json!([answer, request()]));
    let asked = story.command(story.request());
    story.when_again(&asked).then(&[
        "started",
        "step 0 succeeded, attempt 1",
        "responded 201",
        "step 1 ready now, attempt 1",
    ]);
    story.when(story.cancel()).then(&CANCELLED);
    let told = &story.rows.seen(asked.meta.command_id).unwrap().answer;
    assert!(matches!(told, Some(Answer::Responded { status: 201, .. })), "{told:?}");
}

#[test]
fn one_that_has_ended_cannot_be_cancelled() {
    let mut succeeded = Story::given_run(&json!([request()]));
    succeeded.when(succeeded.outcome("", false));
    let mut failed = Story::given_run(&json!([request()]));
    failed.when(failed.outcome("HTTP_ERROR", false));
    let mut cancelled = Story::given_run(&json!([request()]));
    cancelled.when(cancelled.cancel());
    for story in [&mut succeeded, &mut failed, &mut cancelled] {
        story.when(story.cancel()).then(&OVER);
    }
}

#[test]
fn one_that_never_was_cannot_be_cancelled() {
    let mut story = Story::given(&json!([request()]));
    story.when(CancelExecution { execution: ExecutionId(Uuid::from_u128(5)) }).then(&OVER);
}

#[test]
fn one_of_another_user_cannot_be_cancelled() {
    let mut story = Story::given_run(&json!([request()]));
    let mut cancel = story.command(story.cancel());
    cancel.meta.key = cancel.meta.key.replace("anna", "mallory");
    story.when_again(&cancel).then(&OVER);
    story.when(story.cancel()).then(&CANCELLED);
}

#[test]
fn a_repeated_cancel_is_a_repeat_and_no_refusal() {
    let mut story = Story::given_run(&json!([request()]));
    let cancel = story.command(story.cancel());
    story.when_again(&cancel).then(&CANCELLED);
    story.when_again(&cancel).then(&["repeated"]);
}
