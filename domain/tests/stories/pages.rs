//! Paginated requests.

use crate::story::Story;
use domain::command::{RecordOutcome, RecordPage};
use serde_json::{Value, json};

fn steps() -> Value {
    json!([{ "name": "list", "request": {
        "url": "https://a.example",
        "params": { "cursor": "{{self.pageToken}}" },
        "pagination": { "output": "{{self.response.body.items}}",
            "page_token": "{{self.response.body.next}}" },
    } }])
}

fn page(story: &Story) -> RecordPage {
    let outcome = story.outcome("", false);
    RecordPage {
        execution: outcome.execution,
        step: outcome.step,
        attempt: outcome.attempt,
        started_at: outcome.started_at,
        status: Some(200),
        input_size: outcome.input_size,
        output_size: outcome.output_size,
        sealed: outcome.sealed,
    }
}

fn refused(story: &Story, status: i32) -> RecordOutcome {
    RecordOutcome { status: Some(status), ..story.outcome("REQUEST_FAILED", true) }
}

#[test]
fn each_page_is_recorded_once_and_counts_as_a_task() {
    let mut story = Story::given_run(&steps());
    let first = page(&story);
    story.when(first.clone()).then(&["page 0 fetched, attempt 1", "step 0 ready now, attempt 2"]);
    story.when(first).then(&["rejected: OUTCOME_LATE"]);
    let second = page(&story);
    story.when(second).then(&["page 1 fetched, attempt 2", "step 0 ready now, attempt 3"]);
    let last = story.outcome("", false);
    story.when(last).then(&["step 0 succeeded, attempt 3", "succeeded, 3 tasks: "]);
    assert_eq!(story.alive(), 0);
}

#[test]
fn a_page_that_comes_too_often_is_waited_for_and_then_given_up_with_what_there_is() {
    let mut story = Story::given_run(&steps());
    let first = page(&story);
    story.when(first);
    for (attempt, wait) in (2..).zip([10, 20, 30, 50, 80]) {
        let late = refused(&story, 429);
        story.when(late).then(&[
            &format!("step 0 failed, attempt {attempt}: REQUEST_FAILED, again in {wait}000 ms"),
            &format!("step 0 ready in {wait}000 ms, attempt {}", attempt + 1),
        ]);
        let timer = story.timer();
        story.later(wait * 1_000);
        story.when(timer);
    }
    let late = refused(&story, 429);
    story
        .when(late)
        .then(&["step 0 failed, attempt 7: REQUEST_FAILED, goes on", "succeeded, 1 tasks: "]);
    assert_eq!(story.alive(), 0);
}

#[test]
fn retries_of_one_page_leave_the_next_its_own() {
    let mut story = Story::given_run(&steps());
    let late = refused(&story, 429);
    story.when(late);
    let timer = story.timer();
    story.later(10_000);
    story.when(timer);
    let first = page(&story);
    story.when(first).then(&["page 0 fetched, attempt 2", "step 0 ready now, attempt 3"]);
    let late = refused(&story, 429);
    story.when(late).then(&[
        "step 0 failed, attempt 3: REQUEST_FAILED, again in 10000 ms",
        "step 0 ready in 10000 ms, attempt 4",
    ]);
}

#[test]
fn a_first_page_that_is_refused_fails_the_step() {
    let mut story = Story::given_run(&steps());
    let gone = refused(&story, 401);
    story
        .when(gone)
        .then(&["step 0 failed, attempt 1: REQUEST_FAILED", "failed, 0 tasks: request_failed"]);
}
