//! Field mappings: what a workflow is triggered with, as the user mapped it.

use crate::settings::{delay, input};
use crate::story::Story;
use domain::config::{Input, InputKind};
use domain::event::Event;
use domain::payload::Payload;
use serde_json::{Value, json};

/// What the run that an event starts is given.
fn given(story: &mut Story) -> Value {
    let command = story.command(story.event());
    let run = story.decided(&command);
    let started = run.iter().find_map(|event| match &event.body {
        Event::ExecutionStarted(e) => Some(e.sealed.clone()),
        _ => None,
    });
    let Some(Payload::Sealed(bytes)) = started else { panic!("{run:?}") };
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn the_payload_is_mapped_as_it_was_saved_when_the_run_began() {
    let mut story = Story::given(&delay());
    story.redeploy(|desired| {
        let kind = InputKind::FieldMapping { fields: vec!["n".into()], object: None };
        desired.integrations[0].inputs = vec![Input { kind, ..input("task", false) }];
        desired.workflows[0].workflow.field_mapping = Some("task".into());
    });
    let mapped = |name: Value, object: Value| {
        json!({ "originalPayload": { "n": 1 }, "mappedIntegrationObject": object,
            "objectName": name })
    };
    assert_eq!(given(&mut story), mapped(Value::Null, json!({})));
    let task = json!({ "objectMapping": "Task", "fieldMappings": { "n": "Number" } });
    let saved = json!({ "shared": { "task": task } });
    story.when(story.save(&saved)).then(&["saved for all: task"]);
    assert_eq!(given(&mut story), mapped(json!("Task"), json!({ "Number": 1 })));
    // An input of the workflow's own is read where it was saved.
    story.redeploy(|desired| {
        let own = desired.integrations[0].inputs.remove(0);
        desired.workflows[0].workflow.inputs = vec![own];
    });
    assert_eq!(given(&mut story), mapped(Value::Null, json!({})));
    let other = json!({ "objectMapping": "Issue", "fieldMappings": { "n": "Count" } });
    let own =
        json!({ "workflows": { story.by_event.to_string(): { "settings": { "task": other } } } });
    story.when(story.save(&own)).then(&["saved for one: task"]);
    assert_eq!(given(&mut story), mapped(json!("Issue"), json!({ "Count": 1 })));
}
