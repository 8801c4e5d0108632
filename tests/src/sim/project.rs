//! The project that every simulated world runs: each kind of trigger and step once.

use domain::config::{Config, Desired, DesiredWorkflow};
use domain::id::{IntegrationId, ProjectId, StepId, WorkflowId};
use domain::key::Key;
use domain::workflow::condition::{Operator, Rule};
use domain::workflow::{
    Action, Authorization, Body, Condition, Conditional, CustomPagination, Delay, DelayUnit,
    FanOut, Function, Method, Missed, Pagination, Request, RequestTrigger, Response, ResponseType,
    Schedule, Step, Trigger, Workflow,
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
/// Workflows started by [`EVENT`], by a request, by [`WEBHOOK`], and by schedules.
pub(crate) const WORKFLOWS: [WorkflowId; 7] =
    [BY_EVENT, BRANCHING, BY_REQUEST, BY_WEBHOOK, SPREADING, REGULAR, SKIPPING];
/// The one of them that connecting an account switches on.
pub(crate) const BY_DEFAULT: WorkflowId = REGULAR;
/// The workflow that a request starts.
pub(crate) const BY_REQUEST: WorkflowId = WorkflowId(Uuid::from_u128(12));

/// The workflow of two functions, one after the other.
pub(crate) const BY_EVENT: WorkflowId = WorkflowId(Uuid::from_u128(10));
/// Its first step.
pub(crate) const FIRST: StepId = StepId(Uuid::from_u128(101));
/// Its second one.
pub(crate) const SECOND: StepId = StepId(Uuid::from_u128(102));

const BRANCHING: WorkflowId = WorkflowId(Uuid::from_u128(11));
const BY_WEBHOOK: WorkflowId = WorkflowId(Uuid::from_u128(13));
const SPREADING: WorkflowId = WorkflowId(Uuid::from_u128(14));
/// One run makes up for moments that were missed; all users at once.
const REGULAR: WorkflowId = WorkflowId(Uuid::from_u128(15));
/// Moments that were missed are gone; users are spread.
const SKIPPING: WorkflowId = WorkflowId(Uuid::from_u128(16));

/// Pages of the paginated request, before the last one.
pub(crate) const PAGES: u32 = 2;

/// Patterns of the schedules, and how far their moments are apart, in milliseconds. Each has a
/// moment whenever the time since 1970 is a multiple of that, in the zone of the schedules too.
const PERIODS: [(&str, i64); 3] =
    [("*/30 * * * * *", 30_000), ("0 * * * * *", 60_000), ("0 */2 * * * *", 120_000)];

/// What of the project is deployed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Release {
    /// Whether its integration is active.
    pub(crate) active: bool,
    pub(crate) schedules: Schedules,
}

/// Whether its schedules are deployed, and how often they fire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Schedules {
    None,
    Often,
    Seldom,
}

impl Release {
    /// Everything, as it is deployed first.
    pub(crate) const WHOLE: Self = Self { active: true, schedules: Schedules::Often };

    /// Everything that may be deployed.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let schedules = [Schedules::None, Schedules::Often, Schedules::Seldom];
        let of = move |active| schedules.map(|schedules| Self { active, schedules });
        [true, false].into_iter().flat_map(of)
    }

    /// What is deployed; `None`: no project.
    pub(crate) fn of(config: &Config) -> Option<Self> {
        let project = config.project(PROJECT)?;
        let schedules = match project.released(REGULAR).map(|(_, workflow)| &workflow.trigger) {
            None => Schedules::None,
            Some(trigger) if *trigger == regular(Schedules::Often).workflow.trigger => {
                Schedules::Often
            }
            Some(_) => Schedules::Seldom,
        };
        Some(Self { active: project.is_active(INTEGRATION)?, schedules })
    }
}

/// How far the moments of a schedule of the project are apart, in milliseconds.
pub(crate) fn period_ms(schedule: &Schedule) -> Option<i64> {
    PERIODS.iter().find(|(cron, _)| *cron == schedule.cron).map(|(_, period_ms)| *period_ms)
}

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

/// The whole project, as a deploy sends it.
pub(crate) fn document(release: Release) -> Result<String, serde_json::Error> {
    serde_json::to_string(&desired(release)?)
}

fn desired(release: Release) -> Result<Desired, serde_json::Error> {
    let settings = json!({
        "id": PROJECT, "name": "P",
        "concurrency_max": CONCURRENCY_MAX, "user_concurrency_max": 2,
    });
    let integration = json!({
        "id": INTEGRATION, "kind": "custom.x", "name": "X", "base_url": "https://x.example",
        "active": release.active,
    });
    let mut workflows = vec![by_event(), branching(), by_request(), by_webhook(), spreading()];
    workflows.extend([regular(release.schedules), skipping(release.schedules)]);
    Ok(Desired {
        project: serde_json::from_value(settings)?,
        integrations: vec![serde_json::from_value(integration)?],
        workflows,
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
        pagination: Some(Pagination::Custom(CustomPagination {
            output: json!("{{self.response.body}}"),
            page_token: json!("{{self.response.body}}"),
            stop_when: None,
        })),
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

fn regular(schedules: Schedules) -> DesiredWorkflow {
    let seldom = schedules == Schedules::Seldom;
    let (cron, _) = PERIODS[usize::from(seldom)];
    let missed = Missed::Once;
    let schedule = Schedule { cron: cron.into(), timezone: None, exact: true, missed };
    let step = Step { auto_retry: true, ..step(151, "work", function(), None) };
    let mut one = workflow(REGULAR, Trigger::Schedule(schedule), vec![step]);
    one.workflow.default_enabled = true;
    DesiredWorkflow { deployed: schedules != Schedules::None, ..one }
}

fn skipping(schedules: Schedules) -> DesiredWorkflow {
    let seldom = schedules == Schedules::Seldom;
    let (cron, _) = PERIODS[1 + usize::from(seldom)];
    let missed = Missed::Skip;
    let schedule = Schedule { cron: cron.into(), timezone: None, exact: false, missed };
    let steps = vec![step(161, "work", function(), None)];
    let one = workflow(SKIPPING, Trigger::Schedule(schedule), steps);
    DesiredWorkflow { deployed: schedules != Schedules::None, ..one }
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
