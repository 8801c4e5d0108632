//! Workflows, tried out.

use crate::story::{PROJECT, Story, sealed};
use domain::command::{KeptStep, TestWorkflow};
use domain::event::StepKind;
use domain::id::{ExecutionId, StepId};
use domain::payload::Payload;
use serde_json::{Value, json};

/// A function, a pause, and a request that would be tried again.
fn steps() -> Value {
    json!([
        { "name": "a", "function": "f" },
        { "name": "pause", "delay": { "value": 1, "unit": "minutes" } },
        { "name": "b", "request": { "url": "https://b.example" }, "auto_retry": true },
        { "name": "c", "function": "f" },
    ])
}

fn step(story: &Story, index: usize) -> StepId {
    let project = story.config.project(PROJECT).unwrap();
    project.workflow(story.by_event, 1).unwrap().steps[index].id
}

fn test(story: &Story, only: Option<usize>) -> TestWorkflow {
    TestWorkflow {
        workflow: story.by_event,
        version: 1,
        only: only.map(|index| step(story, index)),
        kept: vec![],
        size: 2,
        sealed: sealed(&json!({})),
    }
}

#[test]
fn it_runs_though_nothing_is_deployed_and_tries_nothing_again() {
    let mut story = Story::given(&steps());
    story.redeploy(|desired| desired.workflows[0].deployed = false);
    let wish = test(&story, None);
    story.when(wish).then(&["started", "ExecutionTested", "step 0 ready now, attempt 1"]);
    story.begin();
    let outcome = story.outcome("", false);
    story
        .when(outcome)
        .then(&["step 0 succeeded, attempt 1", "step 1 ready in 60000 ms, attempt 1"]);
    story.later(60_000);
    let timer = story.timer();
    story.when(timer).then(&["step 1 succeeded, attempt 1", "step 2 ready now, attempt 1"]);
    story.begin();
    let outcome = story.outcome("HTTP_STATUS", true);
    story
        .when(outcome)
        .then(&["step 2 failed, attempt 1: HTTP_STATUS", "failed, 1 tasks: http_status"]);
    assert_eq!(story.alive(), 0);
}

#[test]
fn of_one_step_nothing_else_is_run() {
    let mut story = Story::given(&steps());
    let packed = domain::exchange::pack(&json!(null), &json!({ "result": 5 })).unwrap();
    let kept = KeptStep {
        step: step(&story, 0),
        kind: StepKind::Function,
        input_size: 4,
        output_size: 12,
        sealed: Payload::Sealed(packed.into()),
    };
    let wish = TestWorkflow { kept: vec![kept], ..test(&story, Some(2)) };
    story.when(wish).then(&[
        "started",
        "ExecutionTested",
        "StepKept",
        "step 2 ready now, attempt 1",
    ]);
    assert!(story.rows.lineage(story.execution()).unwrap().output(0).is_some());
    story.begin();
    let outcome = story.outcome("", false);
    story.when(outcome).then(&["step 2 succeeded, attempt 1", "succeeded, 1 tasks: "]);
    let wish = test(&story, Some(1));
    story.when(wish).then(&["started", "ExecutionTested", "step 1 ready in 60000 ms, attempt 1"]);
    story.later(60_000);
    let timer = story.timer();
    story.when(timer).then(&["step 1 succeeded, attempt 1", "succeeded, 0 tasks: "]);
    assert_eq!(story.alive(), 0);
}

#[test]
fn items_of_a_fan_out_are_part_of_the_test() {
    let steps = json!([
        { "name": "each", "fan_out": [1, 2], "steps": [
            { "name": "work", "request": { "url": "https://b.example" }, "auto_retry": true },
        ] },
        { "name": "last", "function": "f" },
    ]);
    let mut story = Story::given(&steps);
    let wish = test(&story, Some(0));
    story.when(wish);
    story.fire_all();
    let end = |story: &mut Story, item: ExecutionId, code: &str| {
        let outcome = story.outcome_of(item, code, &json!({ "result": 1 }));
        story.when(domain::command::RecordOutcome { retryable: true, ..outcome })
    };
    let items = story.items();
    end(&mut story, items[0], "").then(&["step 1 succeeded, attempt 1", "item 0 succeeded"]);
    end(&mut story, items[1], "X").then(&[
        "step 1 failed, attempt 1: X",
        "item 1 failed",
        "step 0 ready in 1 ms, attempt 1",
    ]);
    let timer = story.timer();
    story.when(timer).then(&["step 0 failed, attempt 1: X", "failed, 1 tasks: x"]);
    assert_eq!(story.alive(), 0);
}

#[test]
fn what_it_needs_is_told() {
    let mut story = Story::given(&steps());
    let unknown = TestWorkflow { version: 9, ..test(&story, None) };
    story.when(unknown).then(&["rejected: VERSION_UNKNOWN"]);
    let gone = TestWorkflow { only: Some(StepId(uuid::Uuid::nil())), ..test(&story, None) };
    story.when(gone).then(&["rejected: REPLAY_STEP_UNKNOWN"]);
    story.when(domain::command::DeleteUser {});
    let wish = test(&story, None);
    story.when(wish).then(&["rejected: CREDENTIAL_UNKNOWN"]);
}
