//! Stories of projects: what an apply writes, and what stands afterwards.

use super::*;
use crate::command::{ApplyProject, SecretValue};
use crate::event::{Event, ProjectConfigured, WorkflowReleased, WorkflowSaved};
use crate::id::{CommandId, EventId, StepId, WorkflowId};
use crate::meta::{Actor, Meta, Recorded};
use crate::payload::Payload;
use crate::time::Timestamp;
use crate::workflow::{Action, Delay, DelayUnit, Missed, Schedule, Step, Trigger};
use bytes::Bytes;
use serde_json::json;
use uuid::Uuid;

const PROJECT: ProjectId = ProjectId(Uuid::from_u128(1));
const GITHUB: IntegrationId = IntegrationId(Uuid::from_u128(10));
const SLACK: IntegrationId = IntegrationId(Uuid::from_u128(11));
const WORKFLOW: WorkflowId = WorkflowId(Uuid::from_u128(20));

fn recorded(project: ProjectId, body: Event) -> Recorded<Event> {
    let meta = Meta {
        event_id: EventId(Uuid::nil()),
        project,
        key: format!("project/{project}"),
        execution: None,
        occurred_at: Timestamp(0),
        actor: Actor::Team,
        causation_id: None,
        correlation_id: Uuid::nil(),
        command_id: CommandId(Uuid::nil()),
        body_hash: None,
        command_offset: 0,
        config_offset: -1,
        epoch: 1,
        incarnation: 1,
        i: 0,
        n: 1,
    };
    Recorded { meta, body }
}

fn integration(id: IntegrationId, kind: &str) -> IntegrationSettings {
    IntegrationSettings {
        id,
        kind: kind.into(),
        name: kind.into(),
        base_url: format!("https://{kind}.test"),
        hosts: Vec::new(),
        authorization: Authorization::None,
        headers: BTreeMap::new(),
        active: true,
        webhook: None,
        paging: None,
        inputs: vec![],
    }
}

fn workflow(id: WorkflowId, trigger: Trigger) -> Workflow {
    let delay = Delay { value: json!(5), unit: DelayUnit::Minutes };
    Workflow {
        format: 1,
        id,
        name: format!("w{}", id.0.as_u128()),
        integration: SLACK,
        trigger,
        steps: vec![Step {
            id: StepId(Uuid::from_u128(30)),
            name: "wait".into(),
            action: Action::Delay(delay),
            next: None,
            auto_retry: false,
            continue_on_error: false,
        }],
        default_enabled: false,
        hidden: false,
        inputs: vec![],
        permissions: None,
        field_mapping: None,
    }
}

fn event(name: &str) -> Trigger {
    Trigger::AppEvent { name: name.into() }
}

fn webhook(name: &str) -> Trigger {
    Trigger::Webhook { name: name.into(), integration: GITHUB }
}

fn deployed(workflow: Workflow) -> DesiredWorkflow {
    DesiredWorkflow { workflow, deployed: true }
}

fn desired(workflows: Vec<DesiredWorkflow>) -> Desired {
    let project = json!({ "id": PROJECT, "name": "Demo" });
    let github = IntegrationSettings {
        webhook: Some(WebhookSettings {
            scheme: "github".into(),
            own: None,
            provider_id: "body.installation.id".into(),
            tolerance_s: 300,
        }),
        ..integration(GITHUB, "github")
    };
    Desired {
        project: serde_json::from_value(project).unwrap(),
        integrations: vec![integration(SLACK, "slack"), github],
        workflows,
        app_events: BTreeMap::from([("Contact Created".into(), json!({ "email": "a@b.test" }))]),
        api_keys: BTreeMap::from([("ops".into(), "ab".repeat(32))]),
        secrets: vec!["TOKEN".into()],
    }
}

fn command(desired: &Desired, version: &str) -> ApplyProject {
    let secret = |name: String| SecretValue {
        fingerprint: format!("{name} {version}"),
        name,
        sealed: Payload::Sealed(Bytes::from_static(b"x")),
    };
    let document = serde_json::to_string(desired).unwrap();
    let names = [secret_name("TOKEN"), webhook_secret_name(GITHUB)];
    ApplyProject { document, secrets: names.map(secret).into() }
}

fn apply(config: &mut Config, desired: &Desired) -> Vec<Event> {
    let events = decide_apply(config, &command(desired, "1"), u32::MAX).unwrap();
    for event in &events {
        config.fold(config.offset + 1, &recorded(desired.project.id, event.clone())).unwrap();
    }
    events
}

fn lines(config: &Config, desired: &Desired) -> Vec<String> {
    let secrets = command(desired, "1").secrets;
    let fingerprints = secrets.into_iter().map(|s| (s.name, s.fingerprint)).collect();
    difference(config, desired, &fingerprints).iter().map(ToString::to_string).collect()
}

#[test]
fn a_first_apply_adds_everything_and_the_fold_has_it() {
    let mut config = Config::default();
    let wanted = desired(vec![deployed(workflow(WORKFLOW, event("Contact Created")))]);
    assert_eq!(
        lines(&config, &wanted),
        [
            "+ project Demo",
            "+ integration slack",
            "+ integration github",
            "+ app event Contact Created",
            "+ secret TOKEN",
            "+ webhook secret of github",
            "+ API key ops",
            "+ workflow w20: version 1, deployed",
        ]
    );
    assert_eq!(apply(&mut config, &wanted).len(), 9);
    let project = config.project(PROJECT).unwrap();
    assert_eq!(project.settings, wanted.project);
    assert_eq!(project.integration_of_kind("slack").unwrap().id, SLACK);
    assert_eq!(project.integration_named(&GITHUB.to_string()).unwrap().kind, "github");
    assert_eq!(config.integration(GITHUB).unwrap().0.settings.id, PROJECT);
    assert_eq!(project.api_key(&"ab".repeat(32)), Some("ops"));
    assert!(project.app_events.contains_key("Contact Created"));
    assert!(project.secrets.contains_key("secret/TOKEN"));
    assert_eq!(project.released(WORKFLOW).unwrap().0, 1);
    assert_eq!(project.started_by_event("Contact Created").count(), 1);
}

#[test]
fn the_same_apply_again_differs_in_nothing_and_still_leaves_an_event() {
    let mut config = Config::default();
    let wanted = desired(vec![deployed(workflow(WORKFLOW, event("Contact Created")))]);
    apply(&mut config, &wanted);
    assert_eq!(lines(&config, &wanted), [""; 0]);
    let before = config.projects.clone();
    let events = apply(&mut config, &wanted);
    assert!(matches!(&events[..], [Event::ProjectConfigured(ProjectConfigured { .. })]));
    assert_eq!(config.projects, before);
}

#[test]
fn folding_twice_is_folding_once() {
    let mut config = Config::default();
    let wanted = desired(vec![deployed(workflow(WORKFLOW, webhook("issues.opened")))]);
    let events = apply(&mut config, &wanted);
    let mut again = config.clone();
    for (offset, event) in events.into_iter().enumerate() {
        again.fold(offset as i64, &recorded(PROJECT, event)).unwrap();
    }
    assert_eq!(again, config);
}

#[test]
fn a_changed_workflow_becomes_a_new_version_and_the_old_one_stays() {
    let mut config = Config::default();
    apply(&mut config, &desired(vec![deployed(workflow(WORKFLOW, event("Contact Created")))]));
    let second = desired(vec![deployed(workflow(WORKFLOW, webhook("issues.opened")))]);
    assert_eq!(lines(&config, &second), ["~ workflow w20: version 2, deployed"]);
    let events = apply(&mut config, &second);
    assert!(matches!(
        &events[..],
        [
            Event::WorkflowSaved(WorkflowSaved { version: 2, .. }),
            Event::WorkflowReleased(WorkflowReleased { version: 2, .. })
        ]
    ));
    let project = config.project(PROJECT).unwrap();
    assert_eq!(project.workflow(WORKFLOW, 1).unwrap().trigger, event("Contact Created"));
    assert_eq!(project.workflow(WORKFLOW, 2).unwrap().trigger, webhook("issues.opened"));
    assert_eq!(project.started_by_event("Contact Created").count(), 0);
    assert_eq!(project.started_by_webhook(GITHUB, "issues.opened").count(), 1);
}

#[test]
fn saving_without_deploying_runs_nothing() {
    let mut config = Config::default();
    let saved = workflow(WORKFLOW, event("Contact Created"));
    let wanted = desired(vec![DesiredWorkflow { workflow: saved.clone(), deployed: false }]);
    assert_eq!(lines(&config, &wanted).last().unwrap(), "+ workflow w20: version 1, not deployed");
    let events = apply(&mut config, &wanted);
    assert!(!events.iter().any(|event| matches!(event, Event::WorkflowReleased(_))));
    assert!(config.project(PROJECT).unwrap().released(WORKFLOW).is_none());

    let events = apply(&mut config, &desired(vec![deployed(saved)]));
    assert!(matches!(&events[..], [Event::WorkflowReleased(WorkflowReleased { version: 1, .. })]));
}

#[test]
fn what_the_file_leaves_out_goes() {
    let mut config = Config::default();
    apply(&mut config, &desired(vec![deployed(workflow(WORKFLOW, event("Contact Created")))]));
    let mut wanted = desired(Vec::new());
    wanted.integrations.pop();
    wanted.app_events.clear();
    wanted.api_keys.clear();
    wanted.secrets.clear();
    wanted.project.concurrency_max = 60;
    wanted.integrations[0].active = false;
    assert_eq!(
        lines(&config, &wanted),
        [
            "~ project Demo: concurrency_max 50 → 60",
            "~ integration slack: active true → false",
            "- integration github",
            "- app event Contact Created",
            "- secret TOKEN",
            "- webhook secret of github",
            "- API key ops",
            "- workflow w20: undeployed",
        ]
    );
    apply(&mut config, &wanted);
    let project = config.project(PROJECT).unwrap();
    assert!(project.released(WORKFLOW).is_none() && project.workflow(WORKFLOW, 1).is_some());
    assert!(project.secrets.is_empty() && project.api_keys.is_empty());
    assert!(config.integration(GITHUB).is_none());
    assert_eq!(project.started_by_event("Contact Created").count(), 0);
    assert_eq!(lines(&config, &wanted), [""; 0]);
}

#[test]
fn a_webhook_without_action_takes_every_action() {
    let mut config = Config::default();
    let (all, other) = (WorkflowId(Uuid::from_u128(21)), WorkflowId(Uuid::from_u128(22)));
    apply(
        &mut config,
        &desired(vec![
            deployed(workflow(WORKFLOW, webhook("issues.opened"))),
            deployed(workflow(all, webhook("issues"))),
            deployed(workflow(other, webhook("push"))),
        ]),
    );
    let project = config.project(PROJECT).unwrap();
    let started = |name| -> Vec<_> {
        project.started_by_webhook(GITHUB, name).map(|(id, _, _)| id).collect()
    };
    assert_eq!(started("issues.opened"), [WORKFLOW, all]);
    assert_eq!(started("issues.closed"), [all]);
    assert_eq!(started("issues"), [all]);
    assert_eq!(started("pull_request.opened"), []);
    assert_eq!(project.started_by_webhook(SLACK, "push").count(), 0);
}

#[test]
fn a_secret_is_changed_when_its_fingerprint_is_and_kept_when_no_value_comes() {
    let mut config = Config::default();
    let wanted = desired(Vec::new());
    apply(&mut config, &wanted);
    let events = decide_apply(&config, &command(&wanted, "2"), u32::MAX).unwrap();
    let names: Vec<_> = events
        .iter()
        .map(|event| match event {
            Event::SecretSet(e) => e.name.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, [secret_name("TOKEN"), webhook_secret_name(GITHUB)]);
    let silent = ApplyProject { secrets: Vec::new(), ..command(&wanted, "1") };
    assert_eq!(decide_apply(&config, &silent, u32::MAX).unwrap().len(), 1);
}

#[test]
fn a_secret_without_a_value_anywhere_is_refused() {
    let silent = ApplyProject { secrets: Vec::new(), ..command(&desired(Vec::new()), "1") };
    let rejected = decide_apply(&Config::default(), &silent, u32::MAX).unwrap_err();
    assert_eq!(rejected.code, "SECRET_MISSING");
}

#[test]
fn an_integration_of_another_project_is_not_taken_over() {
    let mut config = Config::default();
    apply(&mut config, &desired(Vec::new()));
    let mut other = desired(Vec::new());
    other.project.id = ProjectId(Uuid::from_u128(2));
    let rejected = decide_apply(&config, &command(&other, "1"), u32::MAX).unwrap_err();
    assert_eq!(rejected.code, "INTEGRATION_TAKEN");
}

#[test]
fn more_than_a_decision_holds_is_refused() {
    let many = (100..700).map(|n| deployed(workflow(WorkflowId(Uuid::from_u128(n)), event("x"))));
    let wanted = desired(many.collect());
    let rejected = decide_apply(&Config::default(), &command(&wanted, "1"), u32::MAX).unwrap_err();
    assert_eq!(rejected.code, "APPLY_TOO_LARGE");
}

#[test]
fn a_kind_that_goes_over_to_another_id_is_still_found() {
    let mut config = Config::default();
    apply(&mut config, &desired(Vec::new()));
    let mut wanted = desired(Vec::new());
    let other = IntegrationId(Uuid::from_u128(12));
    wanted.integrations[0].id = other;
    apply(&mut config, &wanted);
    assert_eq!(config.project(PROJECT).unwrap().integration_of_kind("slack").unwrap().id, other);
}

#[test]
fn a_definition_that_cannot_be_read_stops_the_fold_and_changes_nothing() {
    let mut config = Config::default();
    apply(&mut config, &desired(Vec::new()));
    let before = config.clone();
    let broken = WorkflowSaved { workflow: WORKFLOW, version: 1, definition: "{".into() };
    let error = config.fold(99, &recorded(PROJECT, broken.into())).unwrap_err();
    assert_eq!((error.offset, error.what), (99, "workflow"));
    assert_eq!(config, before);
}

#[test]
fn numbers_in_definitions_come_back_as_they_were() {
    let mut config = Config::default();
    let mut numbers = workflow(WORKFLOW, event("Contact Created"));
    let mut odd = vec![0.1, 1.0 / 3.0, 5e-324, 1.797_693_134_862_315_7e308];
    let bits = (1..2_000u64).map(|n| f64::from_bits(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    odd.extend(bits.filter(|number| number.is_finite()));
    numbers.steps[0].action = Action::Response(crate::workflow::Response {
        response_type: Default::default(),
        status_code: 200,
        body: json!(odd),
    });
    let wanted = desired(vec![deployed(numbers)]);
    apply(&mut config, &wanted);
    assert_eq!(lines(&config, &wanted), [""; 0]);
}

#[test]
fn the_example_file_is_applied_and_found_again() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/project/demo.yaml");
    let document = crate::definition::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
    let wanted = document.desired;
    let secret = |asked: &crate::definition::Asked| SecretValue {
        name: asked.name.clone(),
        fingerprint: "1".into(),
        sealed: Payload::Sealed(Bytes::from_static(b"x")),
    };
    let secrets: Vec<SecretValue> = document.secrets.iter().map(secret).collect();
    let document = serde_json::to_string(&wanted).unwrap();
    let command = ApplyProject { document, secrets };
    let mut config = Config::default();
    for event in decide_apply(&config, &command, u32::MAX).unwrap() {
        config.fold(config.offset + 1, &recorded(wanted.project.id, event)).unwrap();
    }
    let project = config.project(wanted.project.id).unwrap();
    let github = project.integration_of_kind("github").unwrap().id;
    assert_eq!(project.started_by_webhook(github, "issues.opened").count(), 1);
    assert_eq!(project.started_by_event("Contact Created").count(), 1);
    assert_eq!(project.deployed().count(), 3);
    let tasklab = project.integration_of_kind("custom.tasklab").unwrap().id;
    assert_eq!(project.enabled_by_default(tasklab).count(), 1);
    assert!(project.secrets.contains_key(&webhook_secret_name(github)));
    let again = decide_apply(&config, &command, u32::MAX).unwrap();
    assert!(matches!(&again[..], [Event::ProjectConfigured(_)]));
}

#[test]
fn what_older_builds_cannot_run_waits_until_the_level_allows_it() {
    let schedule = Trigger::Schedule(Schedule {
        cron: "* * * * *".into(),
        timezone: None,
        exact: false,
        missed: Missed::Once,
    });
    let (config, wanted) =
        (Config::default(), desired(vec![deployed(workflow(WORKFLOW, schedule))]));
    let command = command(&wanted, "1");
    let rejected = decide_apply(&config, &command, 314).unwrap_err();
    assert_eq!(rejected.code, "LEVEL_TOO_LOW");
    assert!(decide_apply(&config, &command, 325).is_ok());
}
