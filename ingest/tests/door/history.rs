//! The Task History API.

use crate::project::{API_KEY, PROJECT};
use crate::token::token;
use crate::world::{Reply, World, project_id};
use axum::body::Body;
use axum::http::Request;
use domain::event::{StepKind, TriggerKind};
use domain::exchange;
use domain::id::{CredentialId, ExecutionId, StepId};
use domain::key::Key;
use domain::time::Timestamp;
use domain::view::{Execution, Run, Sort, Status, StepContents, StepExecution, StepType};
use serde_json::{Value, json};
use uuid::Uuid;

const BASE: &str = "task-history/workflow-executions";
/// 2023-02-20T06:21:42.274Z
const BEGUN: Timestamp = Timestamp(1_676_874_102_274);

async fn get(world: &World, path: &str, key: &str) -> Reply {
    let path = format!("/projects/{PROJECT}/{BASE}{path}");
    let request = Request::get(path)
        .header("host", "zeus.example.com")
        .header("x-forwarded-proto", "https")
        .header("authorization", format!("Bearer {key}"));
    world.send(request.body(Body::empty()).unwrap()).await
}

fn execution(world: &World, n: u128, status: Status) -> Execution {
    let config = world.feed.current();
    let integration =
        config.project(project_id()).unwrap().integration_of_kind("slack").unwrap().id;
    Execution {
        id: ExecutionId(Uuid::from_u128(n)),
        user: "test@example.com".into(),
        workflow: world.workflow("notify"),
        version: 1,
        integration,
        credential: CredentialId(Uuid::from_u128(9)),
        trigger: TriggerKind::AppEvent,
        trigger_detail: "Contact Created".into(),
        status,
        code: String::new(),
        task_count: 1,
        started_at: BEGUN,
        ended_at: (status == Status::Succeeded).then(|| BEGUN.plus_ms(1_477)),
    }
}

#[tokio::test(start_paused = true)]
async fn an_execution_is_told_in_the_words_of_the_documentation() {
    let world = World::start().await;
    let rows = vec![execution(&world, 1, Status::Paused), execution(&world, 2, Status::Succeeded)];
    *world.readers.tasks.rows.lock().unwrap() = rows;
    let reply = get(&world, "", API_KEY).await;
    assert_eq!(reply.status, 200);
    let first = json!({
        "id": Uuid::from_u128(2),
        "userId": "test@example.com",
        "taskCount": 1,
        "runDuration": 1_477,
        "workflowId": world.workflow("notify"),
        "status": "SUCCEEDED",
        "dateEnded": "2023-02-20T06:21:43.751Z",
        "dateStarted": "2023-02-20T06:21:42.274Z",
    });
    let body = reply.json();
    assert_eq!(body["workflowExecutions"][0], first);
    assert_eq!((&body["total"], &body["nextLink"]), (&json!(2), &Value::Null));
    let second = &body["workflowExecutions"][1];
    assert_eq!((&second["status"], &second["dateEnded"]), (&json!("DELAYED"), &Value::Null));
}

#[tokio::test(start_paused = true)]
async fn filters_are_read_and_kept_in_the_next_link() {
    let world = World::start().await;
    let rows: Vec<Execution> = (0..150).map(|n| execution(&world, n, Status::Errored)).collect();
    *world.readers.tasks.rows.lock().unwrap() = rows;
    let query = "?userId=test@example.com&status=FAILED&integration=slack\
        &afterDate=2023-02-16T00:00:00&beforeDate=2023-02-23&sortBy=ASC";
    let first = get(&world, query, API_KEY).await.json();
    assert_eq!(first["workflowExecutions"].as_array().unwrap().len(), 100);
    assert_eq!(first["total"], 150);
    let filter = world.readers.tasks.asked.lock().unwrap()[0].clone();
    assert_eq!(filter.user.as_deref(), Some("test@example.com"));
    assert_eq!(filter.statuses, [Status::Errored, Status::Cancelled]);
    assert_eq!(filter.after, Some(Timestamp(1_676_505_600_000)));
    assert_eq!(filter.before, Some(Timestamp(1_677_110_400_000)));
    assert_eq!((filter.sort, filter.limit, filter.offset), (Sort::Ascending, 100, 0));
    let link = first["nextLink"].as_str().unwrap();
    let start = format!("https://zeus.example.com/projects/{PROJECT}/{BASE}");
    let rest = link.strip_prefix(&start).unwrap();
    let second = get(&world, rest, API_KEY).await.json();
    assert_eq!(second["workflowExecutions"].as_array().unwrap().len(), 50);
    assert_eq!(second["nextLink"], Value::Null);
    let again = world.readers.tasks.asked.lock().unwrap()[1].clone();
    assert_eq!(again, domain::view::ExecutionFilter { offset: 100, ..filter });
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_cannot_be_read_is_refused() {
    let world = World::start().await;
    for query in [
        "workflowId=x",
        "status=RUNNING",
        "status=",
        "beforeDate=yesterday",
        "afterDate=2023-02-30",
        "offset=-1",
        "offset=x",
        "sortBy=asc",
    ] {
        let reply = get(&world, &format!("?{query}"), API_KEY).await;
        assert_eq!(reply.problem(), (400, "QUERY_MALFORMED".into()), "{query}");
    }
    let reply = get(&world, "?integration=nothing", API_KEY).await;
    assert_eq!(reply.problem(), (404, "INTEGRATION_UNKNOWN".into()));
    assert_eq!(get(&world, "?unknown=1", API_KEY).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn only_the_projects_api_key_opens_it() {
    let world = World::start().await;
    for key in ["", "key_of_the_tea", "key_of_the_team2", &token("u1"), crate::project::ADMIN_KEY] {
        let reply = get(&world, "", key).await;
        assert_eq!(reply.problem(), (401, "API_KEY_INVALID".into()), "{key}");
    }
    let as_user = world.call("GET", &format!("/projects/{PROJECT}/{BASE}"), "").await;
    assert_eq!(as_user.problem(), (401, "API_KEY_INVALID".into()));
}

fn step(n: u128, kind: StepType) -> StepExecution {
    StepExecution {
        id: Uuid::from_u128(n),
        step: StepId(Uuid::from_u128(n + 100)),
        status: Status::Succeeded,
        kind,
        attempt: 1,
        started_at: BEGUN,
        ended_at: Some(BEGUN.plus_ms(9)),
        next: vec![Uuid::from_u128(n + 1)],
        prev: None,
        input_size: 220,
        output_size: 76,
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_is_told_with_its_steps() {
    let world = World::start().await;
    let run = Run {
        execution: execution(&world, 5, Status::Succeeded),
        steps: vec![
            step(1, StepType::Trigger(TriggerKind::AppEvent)),
            step(2, StepType::Step(StepKind::Request)),
        ],
    };
    *world.readers.tasks.run.lock().unwrap() = Some(run);
    let body = get(&world, &format!("/{}", Uuid::from_u128(5)), API_KEY).await.json();
    assert_eq!(body["status"], "SUCCEEDED");
    let expected = json!({
        "id": Uuid::from_u128(2),
        "stepId": Uuid::from_u128(102),
        "workflowExecutionId": Uuid::from_u128(5),
        "status": "SUCCEEDED",
        "type": "ACTION/REQUEST",
        "start": "2023-02-20T06:21:42.274Z",
        "end": "2023-02-20T06:21:42.283Z",
        "next": [Uuid::from_u128(3)],
        "prev": null,
        "inputSize": "220",
        "outputSize": "76",
    });
    assert_eq!(body["stepExecutions"][1], expected);
    for path in [format!("/{}", Uuid::from_u128(6)), "/nonsense".into()] {
        let reply = get(&world, &path, API_KEY).await;
        assert_eq!(reply.problem(), (404, "EXECUTION_UNKNOWN".into()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_shows_what_it_took_in_and_gave_unless_it_is_large() {
    let world = World::start().await;
    let key = Key::User(project_id(), "u1".into());
    world.vault.prepare(&key).await.unwrap();
    let (world, key) = (&world, &key);
    let sealed = |bytes: Vec<u8>| async move { world.vault.store(key, &bytes).await.unwrap() };
    let both = exchange::pack(&json!({ "url": "x" }), &json!("Error: no auth")).unwrap();
    let contents = |step, sealed| StepContents { user: "u1".into(), step, sealed };
    let large =
        StepExecution { output_size: 6_000_000, ..step(3, StepType::Step(StepKind::Function)) };
    let steps = vec![
        contents(
            step(1, StepType::Trigger(TriggerKind::AppEvent)),
            sealed(br#"{"event":1}"#.to_vec()).await,
        ),
        contents(step(2, StepType::Step(StepKind::Request)), sealed(both.clone()).await),
        contents(large, sealed(both).await),
    ];
    *world.readers.tasks.steps.lock().unwrap() = steps;
    let of = |n: u128| {
        let path = format!("/{}/step-executions/{}", Uuid::from_u128(5), Uuid::from_u128(n));
        async move { get(world, &path, API_KEY).await }
    };
    let shown = |large_output: bool, input: Value, output: Value| json!({ "isLargeInput": false, "isLargeOutput": large_output, "input": input, "output": output });
    assert_eq!(of(1).await.json(), shown(false, json!({}), json!({ "event": 1 })));
    assert_eq!(of(2).await.json(), shown(false, json!({ "url": "x" }), json!("Error: no auth")));
    assert_eq!(of(3).await.json(), shown(true, json!({ "url": "x" }), Value::Null));
    assert_eq!(of(4).await.problem(), (404, "STEP_EXECUTION_UNKNOWN".into()));
}

/// A run as history knows it, of the user `u1`.
pub(crate) fn row(world: &World, id: ExecutionId) -> Run {
    let execution = Execution { id, user: "u1".into(), ..execution(world, 0, Status::Running) };
    Run { execution, steps: Vec::new() }
}
