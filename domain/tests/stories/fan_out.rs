//! The same steps for each item of an array.

use crate::story::{Story, Then};
use domain::id::ExecutionId;
use domain::state::{LIVE_MAX, RowKey};
use serde_json::{Value, json};

/// A function gives the array, a fan out runs a function for each item, and a last function gets
/// what they gave.
fn steps() -> Value {
    json!([
        { "name": "list", "function": "f" },
        { "name": "each", "fan_out": "{{list.result}}", "steps": [
            { "name": "work", "function": "f", "parameters": { "n": "{{each.instance}}" } },
        ] },
        { "name": "last", "function": "f", "parameters": { "all": "{{work.result}}" } },
    ])
}

/// A run whose first function gave the array, and whose fan out has let items begin.
fn fanned_out(steps: &Value, array: &Value) -> Story {
    let mut story = Story::given_run(steps);
    story.begin();
    let outcome = story.outcome_of(story.execution(), "", &json!({ "result": array }));
    story.when(outcome);
    story.fire_all();
    story
}

/// The outcome of an item's step.
fn ends(story: &mut Story, item: ExecutionId, code: &str) -> Then {
    let outcome = story.outcome_of(item, code, &json!({ "result": 1 }));
    story.when(outcome)
}

#[test]
fn the_step_after_it_waits_for_every_item() {
    let mut story = fanned_out(&steps(), &json!([1, 2, 3]));
    let items = story.items();
    assert_eq!(items.len(), 3);
    ends(&mut story, items[2], "").then(&["step 2 succeeded, attempt 1", "item 2 succeeded"]);
    ends(&mut story, items[0], "").then(&["step 2 succeeded, attempt 1", "item 0 succeeded"]);
    ends(&mut story, items[1], "").then(&[
        "step 2 succeeded, attempt 1",
        "item 1 succeeded",
        "step 1 ready in 1 ms, attempt 1",
    ]);
    let timer = story.timer();
    story.when(timer).then(&["step 1 succeeded, attempt 1", "step 3 ready now, attempt 1"]);
    let gathered = story.rows.lineage(story.execution()).and_then(|run| run.gathered(2));
    assert_eq!(gathered, Some((story.execution(), 3)));
    story.begin();
    let outcome = story.outcome("", false);
    story.when(outcome).then(&["step 3 succeeded, attempt 1", "succeeded, 5 tasks: "]);
    assert_eq!(story.alive(), 0);
}

#[test]
fn an_item_that_fails_leaves_the_others_alone_and_fails_the_step() {
    let mut story = fanned_out(&steps(), &json!([1, 2]));
    let items = story.items();
    ends(&mut story, items[0], "HTTP_STATUS")
        .then(&["step 2 failed, attempt 1: HTTP_STATUS", "item 0 failed"]);
    ends(&mut story, items[1], "");
    let timer = story.timer();
    story
        .when(timer)
        .then(&["step 1 failed, attempt 1: HTTP_STATUS", "failed, 2 tasks: http_status"]);
    assert_eq!(story.alive(), 0);
}

#[test]
fn a_fan_out_may_go_on_in_spite_of_failures() {
    let mut steps = steps();
    steps[1]["continue_on_error"] = json!(true);
    let mut story = fanned_out(&steps, &json!([1]));
    let items = story.items();
    ends(&mut story, items[0], "HTTP_STATUS");
    let timer = story.timer();
    story
        .when(timer)
        .then(&["step 1 failed, attempt 1: HTTP_STATUS, goes on", "step 3 ready now, attempt 1"]);
}

#[test]
fn there_may_be_nothing_to_fan_out_over() {
    for array in [json!([]), json!(null)] {
        let mut story = Story::given_run(&steps());
        story.begin();
        let outcome = story.outcome_of(story.execution(), "", &json!({ "result": array }));
        story.when(outcome).then(&[
            "step 0 succeeded, attempt 1",
            "step 1 succeeded, attempt 1",
            "step 3 ready now, attempt 1",
        ]);
    }
}

#[test]
fn what_is_no_array_is_not_fanned_out_over() {
    for array in [json!(5), json!("abc"), json!({ "0": 1 }), json!(true)] {
        let mut story = Story::given_run(&steps());
        story.begin();
        let outcome = story.outcome_of(story.execution(), "", &json!({ "result": array }));
        story.when(outcome).then(&[
            "step 0 succeeded, attempt 1",
            "step 1 failed, attempt 1: FAN_OUT_INVALID",
            "failed, 1 tasks: fan_out_invalid",
        ]);
    }
}

#[test]
fn items_of_a_cancelled_run_end_when_something_is_heard_of_them() {
    let mut story = fanned_out(&steps(), &json!([1, 2, 3]));
    let items = story.items();
    let cancel = story.cancel();
    story.when(cancel).then(&["cancelled, 1 tasks: cancelled"]);
    ends(&mut story, items[0], "").then(&["step 2 succeeded, attempt 1", "item 0 cancelled"]);
    let pause = story.pause_of(items[1]);
    story.when(pause).then(&["item 1 cancelled"]);
    ends(&mut story, items[2], "HTTP_STATUS")
        .then(&["step 2 failed, attempt 1: HTTP_STATUS", "item 2 cancelled"]);
    assert_eq!(story.alive(), 0);
}

#[test]
fn an_item_is_not_cancelled_by_itself() {
    let mut story = fanned_out(&steps(), &json!([1]));
    let cancel = domain::command::CancelExecution { execution: story.items()[0] };
    story.when(cancel).then(&["rejected: EXECUTION_FINISHED"]);
}

#[test]
fn many_items_run_a_bounded_number_at_a_time_and_each_counts_once() {
    let count = 3_000;
    let array: Vec<u32> = (0..count).collect();
    let mut story = fanned_out(&steps(), &json!(array));
    let mut ended = 0;
    loop {
        let items = story.items();
        assert!(items.len() <= LIVE_MAX as usize, "{} live", items.len());
        if items.is_empty() {
            break;
        }
        for item in items {
            ends(&mut story, item, "");
            ended += 1;
        }
        story.fire_all();
    }
    assert_eq!(ended, count);
    story.begin();
    let outcome = story.outcome("", false);
    let tasks = format!("succeeded, {} tasks: ", count + 2);
    story.when(outcome).then(&["step 3 succeeded, attempt 1", tasks.as_str()]);
    assert_eq!(story.alive(), 0);
}

#[test]
fn items_without_outside_effects_end_in_the_decision_that_begins_them() {
    let steps = json!([
        { "name": "each", "fan_out": [1, 2, 3], "steps": [
            { "name": "odd", "if": { "{{each.instance}}": { "exactly_matches": "2" } } },
        ] },
    ]);
    let mut story = Story::given_run(&steps);
    story.fire_all();
    assert_eq!(story.alive(), 0);
}

#[test]
fn a_fan_out_within_a_fan_out_is_joined_by_its_item() {
    let steps = json!([
        { "name": "each", "fan_out": [[1, 2], [3]], "steps": [
            { "name": "inner", "fan_out": "{{each.instance}}", "steps": [
                { "name": "work", "function": "f", "parameters": {
                    "outer": "{{each.instance}}", "inner": "{{inner.instance}}",
                } },
            ] },
            { "name": "sum", "function": "f", "parameters": { "all": "{{work.result}}" } },
        ] },
    ]);
    let mut story = Story::given_run(&steps);
    for leaves in [3, 2] {
        story.fire_all();
        let items: Vec<ExecutionId> =
            story.items().into_iter().filter(|id| story.waits(*id)).collect();
        assert_eq!(items.len(), leaves);
        for item in items {
            ends(&mut story, item, "");
        }
    }
    story.fire_all();
    assert_eq!(story.alive(), 0);
}

#[test]
fn an_item_that_fanned_out_ends_with_the_last_of_its_items_when_the_run_around_it_is_gone() {
    let steps = json!([{ "name": "each", "fan_out": [1], "steps": [
        { "name": "inner", "fan_out": [1, 2], "steps": [{ "name": "work", "function": "f" }] },
    ] }]);
    let mut story = Story::given_run(&steps);
    story.fire_all();
    let cancel = story.cancel();
    story.when(cancel).then(&["cancelled, 0 tasks: cancelled"]);
    let inner: Vec<_> = story.items().into_iter().filter(|id| story.waits(*id)).collect();
    let [first, last] = inner[..] else { panic!("{inner:?}") };
    ends(&mut story, first, "").then(&["step 2 succeeded, attempt 1", "item 0 cancelled"]);
    let outcome = story.outcome_of(last, "", &json!({ "result": 1 }));
    let command = story.command(outcome);
    let run = story.decided(&command);
    let tasks = run.iter().filter_map(|event| match &event.body {
        domain::event::Event::ItemFinished(e) => Some(e.task_count),
        _ => None,
    });
    assert_eq!(tasks.collect::<Vec<_>>(), [1, 2], "its own, then what both were metered as");
    story.take(&run);
    assert_eq!(story.alive(), 0);
}

#[test]
fn an_item_of_an_inactive_integration_waits_and_one_of_a_removed_one_fails() {
    let mut story = fanned_out(&steps(), &json!([1]));
    let item = story.items()[0];
    story.set_active(false);
    let pause = story.pause_of(item);
    story.when(pause).then(&["step 2 paused, attempt 1: INTEGRATION_INACTIVE"]);
    assert!(story.rows.contains(&RowKey::Paused(story.integration, item)));
    story.remove_integration();
    let resume = story.resume_of(item);
    story.when(resume).then(&["item 0 failed", "step 1 ready in 1 ms, attempt 1"]);
}
