//! The project that every simulated world runs: each kind of trigger and step once.

use domain::config::{Desired, DesiredWorkflow};
use domain::id::{IntegrationId, ProjectId, StepId, WorkflowId};
use domain::key::Key;
use domain::workflow::condition::{Operator, Rule};
use domain::workflow::{
    Action, Authorization, Body, Condition, Conditional, Delay, DelayUnit, FanOut, Function,
    Method, Pagination, Request, RequestTrigger, Response, ResponseType, Step, Trigger, Workflow,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The project.
pub(crate) const PROJECT: ProjectId = ProjectId(Uuid::from_u128(1));
/// Its integration.
pub(crate) const INTEGRATION: IntegrationId = IntegrationId(Uuid::from_u128(2));
/// Steps of the project at a time.
pub(crate) const CONCURRENCY_MAX: u32 = 6;
/// The app event that starts workflows.
pub(crate) const EVENT: &str = "E";
/// The webhook that starts workflows.
pub(crate) const WEBHOOK: &str = "issues.opened";
/// Workflows started by [`EVENT`], by a request, and by [`WEBHOOK`].
pub(crate) const WORKFLOWS: [WorkflowId; 5] =
    [BY_EVENT, BRANCHING, BY_REQUEST, BY_WEBHOOK, SPREADING];
/// The workflow that a request starts.
pub(crate) const BY_REQUEST: WorkflowId = WorkflowId(Uuid::from_u128(12));

const BY_EVENT: WorkflowId = WorkflowId(Uuid::from_u128(10));
const BRANCHING: WorkflowId = WorkflowId(Uuid::from_u128(11));
const BY_WEBHOOK: WorkflowId = WorkflowId(Uuid::from_u128(13));
const SPREADING: WorkflowId = WorkflowId(Uuid::from_u128(14));

/// Pages of the paginated request, before the last one.
pub(crate) const PAGES: u32 = 2;

/// A connected user by number.
pub(crate) fn user(number: usize) -> Key {
    Key::User(PROJECT, format!("u{number}"))
}

/// The address where webhooks arrive.
pub(crate) fn address() -> Key {
    Key::App(PROJECT, INTEGRATION)
}

/// The address that lends the project's slots.
pub(crate) fn limit() -> Key {
    Key::Limit(PROJECT)
}

/// The whole project, as a deploy sends it; whether its integration is active.
pub(crate) fn document(active: bool) -> Result<String, serde_json::Error> {
    serde_json::to_string(&desired(active)?)
}

fn desired(active: bool) -> Result<Desired, serde_json::Error> {
    let settings = json!({
        "id": PROJECT, "name": "P",
        "concurrency_max": CONCURRENCY_MAX, "user_concurrency_max": 2,
    });
    let integration = json!({
        "id": INTEGRATION, "kind": "custom.x", "name": "X", "base_url": "https://x.example",
        "active": active,
    });
    Ok(Desired {
        project: serde_json::from_value(settings)?,
        integrations: vec![serde_json::from_value(integration)?],
        workflows: vec![by_event(), branching(), by_request(), by_webhook(), spreading()],
        app_events: [(EVENT.to_owned(), json!({}))].into(),
        api_keys: [].into(),
        secrets: vec![],
    })
}

fn by_event() -> DesiredWorkflow {
    let retried = Step { auto_retry: true, ..step(101, "one", function(), Some(1)) };
    let carried = Step { continue_on_error: true, ..step(102, "two", function(), None) };
    workflow(BY_EVENT, Trigger::AppEvent { name: EVENT.into() }, vec![retried, carried])
}

fn branching() -> DesiredWorkflow {
    let rule = Rule {
        left: json!("{{trigger.event.n}}"),
        operator: Operator::GreaterThan,
        right: json!(5),
    };
    let choice = Conditional { when: Condition::Rule(rule), yes: Some(1), no: Some(2) };
    let pause = Delay { value: json!(2), unit: DelayUnit::Minutes };
    let steps = vec![
        step(111, "choose", Action::Conditional(choice), Some(3)),
        step(112, "pause", Action::Delay(pause), Some(3)),
        Step { auto_retry: true, ..step(113, "work", function(), Some(3)) },
        step(114, "last", function(), None),
    ];
    workflow(BRANCHING, Trigger::AppEvent { name: EVENT.into() }, steps)
}

fn by_request() -> DesiredWorkflow {
    let respond = Action::Response(Response {
        response_type: ResponseType::Json,
        status_code: 201,
        body: json!({ "got": "{{work.result}}" }),
    });
    let steps = vec![
        step(121, "work", function(), Some(1)),
        step(122, "answer", respond, Some(2)),
        Step { auto_retry: true, ..step(123, "after", function(), None) },
    ];
    workflow(BY_REQUEST, Trigger::Request(RequestTrigger::default()), steps)
}

fn by_webhook() -> DesiredWorkflow {
    let trigger = Trigger::Webhook { name: WEBHOOK.into(), integration: INTEGRATION };
    let step = Step { auto_retry: true, ..step(131, "work", function(), None) };
    workflow(BY_WEBHOOK, trigger, vec![step])
}

/// Pages, then a fan out with another one among its items, then what gathers what they gave.
fn spreading() -> DesiredWorkflow {
    let pages = Action::Request(Request {
        method: Method::Get,
        url: "https://x.example".into(),
        params: vec![],
        headers: vec![],
        body: Body::None,
        authorization: Authorization::None,
        timeout_ms: None,
        pagination: Some(Pagination {
            output: json!("{{self.response.body}}"),
            page_token: json!("{{self.response.body}}"),
            stop_when: None,
        }),
    });
    let over = |over: Value, first| Action::FanOut(FanOut { over, first: Some(first) });
    let steps = vec![
        Step { auto_retry: true, ..step(141, "pages", pages, Some(1)) },
        Step { continue_on_error: true, ..step(142, "each", over(json!([1, 2, 3]), 2), Some(5)) },
        Step { auto_retry: true, ..step(143, "part", function(), Some(3)) },
        step(144, "inner", over(json!([1, 2]), 4), None),
        step(145, "leaf", function(), None),
        step(146, "gathered", gathering(), None),
    ];
    workflow(SPREADING, Trigger::AppEvent { name: EVENT.into() }, steps)
}

fn gathering() -> Action {
    let parameters = Map::from_iter([("all".to_owned(), Value::from("{{part.result}}"))]);
    Action::Function(Function { code: "x".into(), parameters })
}

fn function() -> Action {
    let parameters = Map::from_iter([("given".to_owned(), Value::from("{{trigger.event}}"))]);
    Action::Function(Function { code: "x".into(), parameters })
}

fn step(n: u128, name: &str, action: Action, next: Option<u16>) -> Step {
    let id = StepId(Uuid::from_u128(n));
    Step { id, name: name.into(), action, next, auto_retry: false, continue_on_error: false }
}

fn workflow(id: WorkflowId, trigger: Trigger, steps: Vec<Step>) -> DesiredWorkflow {
    let workflow = Workflow {
        format: 1,
        id,
        name: format!("w{id}"),
        integration: INTEGRATION,
        trigger,
        steps,
        default_enabled: false,
        hidden: false,
        inputs: vec![],
        permissions: None,
        field_mapping: None,
    };
    DesiredWorkflow { workflow, deployed: true }
}
