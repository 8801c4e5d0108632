//! Versions of workflows are named and restored.

use crate::story::{PROJECT, Story};
use domain::command::{NameVersion, RestoreVersion};
use domain::key::Key;
use serde_json::json;

/// A project whose workflow was saved twice; two commands later it is asked what it has.
fn twice_saved() -> Story {
    let mut story = Story::given(&json!([{ "name": "a", "function": "f" }]));
    story.later(1_000);
    story.redeploy(|desired| desired.workflows[0].workflow.name = "renamed".into());
    story.key = Key::Project(PROJECT);
    story
}

#[test]
fn an_earlier_version_becomes_the_newest_under_a_number_of_its_own() {
    let mut story = twice_saved();
    let workflow = story.by_event;
    let restore = |version, deploy| RestoreVersion { workflow, version, deploy };
    story.when_configured(restore(2, false)).then(&["rejected: VERSION_CURRENT"]);
    story.when_configured(restore(1, false)).then(&["WorkflowSaved"]);
    let project = story.config.project(PROJECT).unwrap();
    assert_eq!(project.workflow(workflow, 3), project.workflow(workflow, 1));
    assert_eq!(project.released(workflow).unwrap().0, 2, "what runs stays as it is");
    story.when_configured(restore(1, true)).then(&["WorkflowReleased"]);
    assert_eq!(story.config.project(PROJECT).unwrap().released(workflow).unwrap().0, 3);
    story.when_configured(restore(9, false)).then(&["rejected: VERSION_UNKNOWN"]);
}

#[test]
fn each_version_knows_when_it_came_about_and_what_people_call_it() {
    let mut story = twice_saved();
    let workflow = story.by_event;
    let name = |version, name: &str| NameVersion { workflow, version, name: name.into() };
    story.when_configured(name(1, "before the move")).then(&["VersionNamed"]);
    story.when_configured(name(3, "x")).then(&["rejected: VERSION_UNKNOWN"]);
    let notes = &story.config.project(PROJECT).unwrap().workflows[&workflow].notes;
    assert_eq!(notes[&1].name, "before the move");
    assert_eq!((notes[&2].saved_at, notes[&2].deployed_at), (story.now, Some(story.now)));
    assert!(notes[&1].saved_at < story.now && notes[&1].deployed_at < Some(story.now));
}
