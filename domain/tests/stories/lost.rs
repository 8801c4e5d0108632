//! Steps that have begun, and whose node is gone.

use crate::story::Story;
use domain::state::{Due, RowKey};
use serde_json::{Value, json};

/// A request that asks for no retries.
fn step() -> Value {
    json!([{ "name": "a", "request": { "url": "https://a.example" } }])
}

fn places(story: &Story) -> (usize, usize) {
    let rows = story.all();
    let count = |is: fn(&RowKey) -> bool| rows.keys().filter(|key| is(key)).count();
    let ready = count(|key| matches!(key, RowKey::Ready(..)));
    (ready, count(|key| matches!(key, RowKey::Started(..))))
}

#[test]
fn a_step_that_begins_leaves_its_queue() {
    let mut story = Story::given_run(&step());
    assert_eq!(places(&story), (1, 0));
    story.begin();
    assert_eq!((places(&story), story.pending().unwrap().due), ((0, 1), Due::Begun));
    story
        .when(story.outcome("", false))
        .then(&["step 0 succeeded, attempt 1", "succeeded, 1 tasks: "]);
    assert_eq!(story.alive(), 0);
}

#[test]
fn a_record_of_a_beginning_that_comes_late_begins_nothing() {
    let mut story = Story::given_run(&step());
    let first = story.begun();
    story.take(&first);
    story.when(story.lose());
    let before = story.all();
    story.take(&first);
    assert_eq!(story.all(), before, "the next attempt has not begun");
}

#[test]
fn a_lost_step_is_tried_again_at_once_though_it_asks_for_no_retries() {
    let mut story = Story::given_run(&step());
    story.begin();
    let lost = story.lose();
    story.when(lost.clone()).then(&[
        "step 0 failed, attempt 1: NODE_LOST, again in 0 ms",
        "step 0 ready now, attempt 2",
    ]);
    assert_eq!(places(&story), (1, 0));
    story.when(lost).then(&["rejected: OUTCOME_LATE"]);
    let late = domain::command::RecordOutcome { attempt: 1, ..story.outcome("", false) };
    story.when(late).then(&["rejected: OUTCOME_LATE"]);
    story
        .when(story.outcome("", false))
        .then(&["step 0 succeeded, attempt 2", "succeeded, 1 tasks: "]);
}

#[test]
fn a_step_that_has_not_begun_is_not_lost() {
    let mut story = Story::given_run(&step());
    story.when(story.lose()).then(&["rejected: OUTCOME_LATE"]);
}

#[test]
fn a_step_that_is_lost_again_and_again_is_given_up() {
    let mut story = Story::given_run(&step());
    for attempt in 1..=5 {
        story.begin();
        story.when(story.lose()).then(&[
            &format!("step 0 failed, attempt {attempt}: NODE_LOST, again in 0 ms"),
            &format!("step 0 ready now, attempt {}", attempt + 1),
        ]);
    }
    story.begin();
    story
        .when(story.lose())
        .then(&["step 0 failed, attempt 6: NODE_LOST", "failed, 0 tasks: node_lost"]);
    assert_eq!(story.alive(), 0);
}

#[test]
fn a_step_that_began_can_be_cancelled() {
    let mut story = Story::given_run(&step());
    story.begin();
    story.when(story.cancel());
    assert_eq!(story.alive(), 0);
}
