//! Executions, run again.

use crate::story::{PROJECT, Story, sealed};
use domain::command::{
    ContinueReplay, KeptStep, ReplayExecution, ReplayExecutions, SwitchWorkflow,
};
use domain::event::{Ending, Event, StepKind, TriggerKind};
use domain::id::{CommandId, EventId, ExecutionId, StepId};
use domain::state::{RowKey, Wanted};
use domain::time::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

/// Two functions, the second with what the first gave.
fn steps() -> Value {
    json!([
        { "name": "a", "function": "f" },
        { "name": "b", "function": "f", "parameters": { "n": "{{a.result.n}}" } },
    ])
}

/// The wish to run the last execution again.
fn again(story: &Story) -> ReplayExecution {
    ReplayExecution {
        original: story.execution(),
        workflow: story.by_event,
        version: Some(1),
        credential: story.accounts()[0].0,
        trigger: TriggerKind::AppEvent,
        trigger_detail: "Order Placed".into(),
        from: None,
        kept: vec![],
        edited: false,
        replay: None,
        size: 7,
        sealed: sealed(&json!({ "event": { "n": 1 } })),
    }
}

fn step(story: &Story, index: usize) -> StepId {
    let project = story.config.project(PROJECT).unwrap();
    project.workflow(story.by_event, 1).unwrap().steps[index].id
}

fn kept(story: &Story, index: usize) -> KeptStep {
    let packed = domain::exchange::pack(&json!(null), &json!({ "result": { "n": 5 } })).unwrap();
    let sealed = domain::payload::Payload::Sealed(packed.into());
    KeptStep {
        step: step(story, index),
        kind: StepKind::Function,
        input_size: 4,
        output_size: 20,
        sealed,
    }
}

/// A run that ended.
fn ended() -> Story {
    let mut story = Story::given_run(&steps());
    for _ in 0..2 {
        story.begin();
        let outcome = story.outcome("", false);
        story.when(outcome);
    }
    assert_eq!(story.alive(), 0);
    story
}

#[test]
fn it_runs_from_the_beginning_as_a_run_of_its_own() {
    let mut story = ended();
    let original = story.execution();
    let command = story.command(again(&story));
    let run = story.decided(&command);
    let Event::ExecutionReplayed(e) = &run[1].body else { panic!("{run:?}") };
    assert_eq!((e.original, e.from, e.edited), (original, None, false));
    assert_ne!(e.execution, original);
    story.take(&run);
    assert!(story.pending().is_some_and(|pending| pending.index == 0));
    story.when_again(&command).then(&["repeated"]);
}

#[test]
fn from_a_step_the_results_before_it_are_kept_and_not_metered_again() {
    let mut story = ended();
    let from = Some(step(&story, 1));
    let wish = ReplayExecution { from, kept: vec![kept(&story, 0)], ..again(&story) };
    story.when(wish).then(&[
        "started",
        "ExecutionReplayed",
        "StepKept",
        "step 1 ready now, attempt 1",
    ]);
    let given = story.rows.lineage(story.execution()).unwrap().output(0).cloned();
    assert_eq!(given, Some(kept(&story, 0).sealed));
    story.begin();
    let outcome = story.outcome("", false);
    story.when(outcome).then(&["step 1 succeeded, attempt 1", "succeeded, 1 tasks: "]);
    assert_eq!(story.alive(), 0);
}

#[test]
fn on_another_version_only_steps_that_it_has_are_kept() {
    let mut story = ended();
    story.redeploy(|desired| {
        let steps = &mut desired.workflows[0].workflow.steps;
        steps.remove(0);
        steps[0].action = domain::workflow::Action::Function(domain::workflow::Function {
            code: "g".into(),
            parameters: Default::default(),
        });
    });
    let from = Some(step(&story, 1));
    let wish =
        ReplayExecution { version: None, from, kept: vec![kept(&story, 0)], ..again(&story) };
    story.when(wish.clone()).then(&["started", "ExecutionReplayed", "step 0 ready now, attempt 1"]);
    let gone = ReplayExecution { version: Some(2), from: Some(step(&story, 0)), ..wish.clone() };
    story.when(gone).then(&["rejected: REPLAY_STEP_UNKNOWN"]);
    let unknown = ReplayExecution { version: Some(9), ..wish };
    story.when(unknown).then(&["rejected: VERSION_UNKNOWN"]);
}

#[test]
fn within_a_fan_out_nothing_begins_by_itself() {
    let steps = json!([{ "name": "each", "fan_out": [1], "steps": [
        { "name": "work", "function": "f" },
    ] }]);
    let mut story = Story::given_run(&steps);
    let from = Some(step(&story, 1));
    story.when(ReplayExecution { from, ..again(&story) }).then(&["rejected: REPLAY_STEP_UNFIT"]);
}

#[test]
fn what_is_disabled_or_gone_starts_nothing() {
    let mut story = ended();
    let wish = again(&story);
    let workflow = story.by_event;
    story.set_active(false);
    story.when(wish.clone()).then(&["rejected: WORKFLOW_DISABLED"]);
    story.set_active(true);
    let switch = |enabled| SwitchWorkflow { workflow, credential: None, enabled };
    story.when(switch(false)).then(&["switched off"]);
    story.when(wish.clone()).then(&["rejected: WORKFLOW_DISABLED"]);
    story.when(switch(true)).then(&["switched on"]);
    story.redeploy(|desired| desired.workflows[0].deployed = false);
    story.when(wish).then(&["rejected: WORKFLOW_UNKNOWN"]);
}

fn many(story: &Story) -> ReplayExecutions {
    ReplayExecutions {
        replay: CommandId(Uuid::from_u128(77)),
        integration: story.integration,
        workflow: None,
        user: None,
        ending: Some(Ending::Failed),
        code: String::new(),
        after: None,
        before: Timestamp(i64::MAX),
        current: false,
        from_failed: true,
        per_second: 16,
        partitions: 8,
    }
}

#[test]
fn partitions_share_the_pace_of_a_replay_of_many() {
    let mut story = Story::given(&steps());
    let wish = many(&story);
    story.when(wish.clone()).then(&["ExecutionsReplayRequested"]);
    let key = RowKey::Replays(PROJECT, story.integration);
    let row = |story: &Story| story.rows.replays(&key).map(|rows| rows[&wish.replay].clone());
    let first = row(&story).unwrap();
    assert_eq!(first.page_len(), 2, "16 in a second, by 8");
    let Wanted::Executions(asked) = &first.wanted else { panic!("{first:?}") };
    assert_eq!(asked.before, story.now.plus_ms(1), "what begins later is not part of it");
    let piece = ContinueReplay {
        integration: story.integration,
        replay: wish.replay,
        until_at: Timestamp(5),
        until: EventId(ExecutionId(Uuid::from_u128(1)).0),
        replayed: 2,
        skipped: 0,
        done: false,
    };
    story.when(piece.clone()).then(&["ReplayContinued"]);
    assert_eq!(row(&story).unwrap().due.since_ms(story.now), 1_000);
    story.when(ContinueReplay { done: true, ..piece }).then(&["ReplayContinued"]);
    assert_eq!(row(&story), None);
}
