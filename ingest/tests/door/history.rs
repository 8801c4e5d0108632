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
use domain::view::{Attempt, Execution, Run, Sort, Status, StepContents, StepExecution, StepType};
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
        original: None,
        is_paused: false,
        is_test: false,
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
        "workflowVersion": 1,
        "credentialId": Uuid::from_u128(9),
        "triggerType": "TRIGGER/EVENT",
        "triggerDetail": "Contact Created",
        "errorCode": null,
        "isPaused": false,
        "isTest": false,
        "replayOf": null,
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
        is_kept: false,
        attempts: vec![attempt(BEGUN)],
        started_at: BEGUN,
        ended_at: Some(BEGUN.plus_ms(9)),
        next: vec![Uuid::from_u128(n + 1)],
        prev: None,
    }
}

fn attempt(started_at: Timestamp) -> Attempt {
    Attempt {
        status: Status::Succeeded,
        code: String::new(),
        started_at,
        ended_at: Some(started_at.plus_ms(9)),
        retry_at: None,
        input_size: 220,
        output_size: 76,
    }
}

/// A step that failed first and is tried again ten seconds later.
fn retried(n: u128) -> StepExecution {
    let again = BEGUN.plus_ms(10_009);
    let failed = Attempt {
        status: Status::Errored,
        code: "REQUEST_FAILED".into(),
        retry_at: Some(again),
        output_size: 10,
        ..attempt(BEGUN)
    };
    StepExecution {
        attempts: vec![failed, attempt(again)],
        ended_at: Some(again.plus_ms(9)),
        ..step(n, StepType::Step(StepKind::Request))
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_is_told_with_its_steps() {
    let world = World::start().await;
    let run = Run {
        execution: execution(&world, 5, Status::Succeeded),
        steps: vec![step(1, StepType::Trigger(TriggerKind::AppEvent)), retried(2)],
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
        "end": "2023-02-20T06:21:52.292Z",
        "next": [Uuid::from_u128(3)],
        "prev": null,
        "inputSize": "220",
        "outputSize": "76",
        "errorCode": null,
        "attemptCount": 2,
        "isKept": false,
        "attempts": [
            { "status": "FAILED", "errorCode": "REQUEST_FAILED",
              "start": "2023-02-20T06:21:42.274Z", "end": "2023-02-20T06:21:42.283Z",
              "retryAt": "2023-02-20T06:21:52.283Z", "inputSize": "220", "outputSize": "10" },
            { "status": "SUCCEEDED", "errorCode": null,
              "start": "2023-02-20T06:21:52.283Z", "end": "2023-02-20T06:21:52.292Z",
              "retryAt": null, "inputSize": "220", "outputSize": "76" },
        ],
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
    let both = exchange::pack(&json!({ "url": "x" }), &json!({ "ok": true })).unwrap();
    let refused = exchange::pack(&json!({ "url": "x" }), &json!("Error: no auth")).unwrap();
    let contents = |step, number, sealed| StepContents {
        user: "u1".into(),
        is_test: false,
        step,
        number,
        sealed,
    };
    let large = Attempt { output_size: 6_000_000, ..attempt(BEGUN) };
    let large =
        StepExecution { attempts: vec![large], ..step(3, StepType::Step(StepKind::Function)) };
    let trigger = sealed(br#"{"event":1}"#.to_vec()).await;
    let steps = vec![
        contents(step(1, StepType::Trigger(TriggerKind::AppEvent)), 1, trigger),
        contents(retried(2), 1, sealed(refused).await),
        contents(retried(2), 2, sealed(both.clone()).await),
        contents(large, 1, sealed(both).await),
    ];
    *world.readers.tasks.steps.lock().unwrap() = steps;
    let of = |n: u128, query: &str| {
        let ids = (Uuid::from_u128(5), Uuid::from_u128(n));
        let path = format!("/{}/step-executions/{}{query}", ids.0, ids.1);
        async move { get(world, &path, API_KEY).await }
    };
    let shown = |body: Value| {
        json!([body["isLargeInput"], body["isLargeOutput"], body["input"], body["output"]])
    };
    assert_eq!(shown(of(1, "").await.json()), json!([false, false, {}, { "event": 1 }]));
    let last = of(2, "").await.json();
    assert_eq!(shown(last.clone()), json!([false, false, { "url": "x" }, { "ok": true }]));
    assert_eq!((&last["attempt"], last["attempts"].as_array().unwrap().len()), (&json!(2), 2));
    let first = of(2, "?attempt=1").await.json();
    assert_eq!(shown(first.clone()), json!([false, false, { "url": "x" }, "Error: no auth"]));
    assert_eq!((&first["attempt"], &first["attempts"]), (&json!(1), &last["attempts"]));
    assert_eq!(shown(of(3, "").await.json()), json!([false, true, { "url": "x" }, null]));
    for (n, query) in [(4, ""), (2, "?attempt=3")] {
        assert_eq!(of(n, query).await.problem(), (404, "STEP_EXECUTION_UNKNOWN".into()));
    }
    for query in ["?attempt=0", "?attempt=x", "?attempt="] {
        assert_eq!(of(2, query).await.problem(), (400, "QUERY_MALFORMED".into()), "{query}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_execution_is_found_as_soon_as_its_caller_knows_its_id() {
    let world = World::start().await;
    world.connect().await;
    let fire = format!("triggers/{}", world.workflow("fire"));
    let accepted = world.call("POST", &fire, "{}").await;
    assert_eq!(accepted.status, 202);
    let id: ExecutionId = accepted.json()["executionId"].as_str().unwrap().parse().unwrap();
    let path = format!("/{}", id.0);
    // History trails: it is folded while the request waits.
    *world.readers.tasks.coming.lock().unwrap() = Some(row(&world, id));
    let found = get(&world, &path, API_KEY).await;
    assert_eq!((found.status, &found.json()["id"]), (200, &json!(id)));
    *world.readers.tasks.run.lock().unwrap() = None;
    *world.readers.tasks.coming.lock().unwrap() = Some(row(&world, id));
    let cancel = format!("/admin/v1/projects/{PROJECT}/executions/{}/cancel", id.0);
    assert_eq!(world.admin("POST", &cancel, "").await.status, 200);
    // It stands still: the request does not.
    *world.readers.tasks.run.lock().unwrap() = None;
    world.readers.tasks.stuck.store(true, std::sync::atomic::Ordering::SeqCst);
    let began = tokio::time::Instant::now();
    let reply = get(&world, &path, API_KEY).await;
    assert_eq!(reply.problem(), (404, "EXECUTION_UNKNOWN".into()));
    assert_eq!(began.elapsed().as_secs(), 2);
}

/// A run as history knows it, of the user `u1`.
pub(crate) fn row(world: &World, id: ExecutionId) -> Run {
    let execution = Execution { id, user: "u1".into(), ..execution(world, 0, Status::Running) };
    Run { execution, steps: Vec::new() }
}
