//! Jobs, and a runner for them.

use super::server::local;
use connectors::Runner;
use connectors::http::Client;
use connectors::sandbox::{Options, Sandbox};
use domain::config::{IntegrationSettings, ProjectSettings};
use domain::effect::{Call, EffectKey};
use domain::id::{ExecutionId, IntegrationId, ProjectId, StepId, WorkflowId};
use domain::time::Timestamp;
use domain::workflow::{Action, Authorization, Request, Scope, Step, Trigger, Workflow};
use ports::Clock;
use ports::outbound::Job;
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

pub const NOW: Timestamp = Timestamp(1_000_000);

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        NOW
    }
}

pub fn runner(client: Client) -> Runner {
    runner_at(client, Arc::new(Stopped))
}

pub fn runner_at(client: Client, clock: Arc<dyn Clock>) -> Runner {
    Runner::new(client, Arc::new(Sandbox::new(Options::default())), clock)
}

pub fn local_runner() -> Runner {
    runner(local())
}

pub fn action(action: Value) -> Action {
    serde_json::from_value(action).unwrap()
}

pub fn get(url: &str) -> Action {
    action(json!({ "request": { "method": "GET", "url": url } }))
}

pub fn post(url: &str) -> Request {
    serde_json::from_value(json!({ "method": "POST", "url": url })).unwrap()
}

pub fn job(action: Action) -> Job {
    let step = Step {
        id: StepId(Uuid::from_u128(5)),
        name: "step".to_owned(),
        action,
        next: None,
        auto_retry: false,
        continue_on_error: false,
    };
    let integration = IntegrationId(Uuid::from_u128(3));
    let workflow = Workflow {
        format: 1,
        id: WorkflowId(Uuid::from_u128(2)),
        name: "workflow".to_owned(),
        integration,
        trigger: Trigger::AppEvent { name: "event".to_owned() },
        steps: vec![step],
        default_enabled: false,
        hidden: false,
        inputs: vec![],
        permissions: None,
        field_mapping: None,
    };
    let project = ProjectId(Uuid::from_u128(1));
    Job {
        call: Call {
            key: EffectKey {
                execution: ExecutionId(Uuid::from_u128(4)),
                step: StepId(Uuid::from_u128(5)),
            },
            project,
            user: "user".to_owned(),
            index: 0,
            attempt: 1,
            page: 0,
            runs: 1,
        },
        workflow: Arc::new(workflow),
        integration: Arc::new(IntegrationSettings {
            id: integration,
            kind: "custom.tasklab".to_owned(),
            name: "TaskLab".to_owned(),
            base_url: "http://127.0.0.1:1".to_owned(),
            hosts: Vec::new(),
            authorization: Authorization::Bearer { token: "{{settings.token}}".to_owned() },
            headers: [].into(),
            active: true,
            webhook: None,
            paging: None,
            inputs: vec![],
        }),
        settings: Arc::new(
            serde_json::from_value(json!({ "id": project, "name": "project" }))
                .map(|settings: ProjectSettings| ProjectSettings {
                    step_bytes_max: 100_000,
                    ..settings
                })
                .unwrap(),
        ),
        scope: Scope {
            trigger: json!({ "event": { "id": 7 } }),
            settings: json!({ "token": "t0ken" }).as_object().unwrap().clone(),
            secrets: [("KEY".to_owned(), "s3cret".to_owned())].into(),
            ..Scope::default()
        },
    }
}
