//! `…/task-history/…`: executions, for the customer's team.

mod query;
mod view;

use crate::admin::execution::{Again, Asked, replayed};
use crate::auth::Team;
use crate::body::Received;
use crate::door::Shared;
use crate::idempotency::IdempotencyKey;
use crate::layer::origin;
use crate::path::Address;
use crate::problem::{EXECUTION_UNKNOWN, Outcome, STEP_EXECUTION_UNKNOWN};
use crate::query::Query;
use crate::reply::{Created, Reply};
use axum::extract::State;
use axum::http::HeaderMap;
use domain::id::ExecutionId;
use domain::key::Key;
use domain::view::{StepContents, StepType};
use query::{Search, Wanted};
use serde_json::Value;
use uuid::Uuid;

/// Executions per page.
pub(crate) const PAGE_LEN: usize = 100;

/// Searches executions.
pub(crate) async fn list(
    State(door): State<Shared>,
    team: Team,
    address: Address,
    query: Query<Search>,
    headers: HeaderMap,
) -> Outcome<Reply<view::Executions>> {
    let filter = query.read()?.filter(&team.project)?;
    let page = door.app.history.list(team.id, &filter).await?;
    let next = filter.offset.saturating_add(page.rows.len() as u64);
    let more = !page.rows.is_empty() && next < page.total;
    let link = || format!("{}{}?{}", origin(&headers), address.path(), query.at(filter.sort, next));
    let now = door.now();
    let rows = page.rows.into_iter().map(|row| view::Execution::of(row, now));
    Ok(Reply::new(view::Executions {
        workflow_executions: rows.collect(),
        next_link: more.then(link),
        total: page.total,
    }))
}

/// One execution with its steps.
pub(crate) async fn read(
    State(door): State<Shared>,
    team: Team,
    address: Address,
) -> Outcome<Reply<view::Run>> {
    let id: ExecutionId = address.id("execution", &EXECUTION_UNKNOWN)?;
    door.settle(id).await?;
    let run = door.app.history.run(team.id, id).await?;
    let run = run.ok_or_else(|| EXECUTION_UNKNOWN.plain())?;
    let items = door.app.history.items(&run).await?;
    Ok(Reply::new(view::Run::of(run, items, door.now())))
}

/// Runs an execution again as it was: with its version, and what it was begun with.
pub(crate) async fn replay(
    State(door): State<Shared>,
    team: Team,
    address: Address,
    key: IdempotencyKey,
    Received(body): Received,
) -> Outcome<Created> {
    let asked = Asked { route: "replay", key, body: &body };
    replayed(&door, (team.id, &team.project), &address, asked, Again::default()).await?;
    Ok(Created)
}

/// What an attempt of a step took in and gave, the last one unless the query names another.
/// Values over `step_bytes_shown_max` are left out and marked.
pub(crate) async fn step(
    State(door): State<Shared>,
    team: Team,
    address: Address,
    query: Query<Wanted>,
) -> Outcome<Reply<view::StepContents>> {
    let id: ExecutionId = address.id("execution", &EXECUTION_UNKNOWN)?;
    let step: Uuid = address.id("step", &STEP_EXECUTION_UNKNOWN)?;
    let Wanted { attempt } = query.read()?;
    door.settle(id).await?;
    let contents = door.app.history.step(team.id, id, step, attempt).await?;
    let contents = contents.ok_or_else(|| STEP_EXECUTION_UNKNOWN.plain())?;
    let StepContents { user, is_test, step, number, sealed } = contents;
    let shown_max = door.app.limits.step_bytes_shown_max;
    let shown = number.checked_sub(1).and_then(|index| step.attempts.get(index));
    let is_large = |size: Option<i64>| size.is_some_and(|bytes| bytes > shown_max);
    let is_large_input = is_large(shown.map(|attempt| attempt.input_size));
    let is_large_output = is_large(shown.map(|attempt| attempt.output_size));
    let clear = door.open(&Key::User(team.id, user), &sealed).await?;
    let (input, output) = match step.kind {
        StepType::Trigger(_) | StepType::Item => (&b""[..], &clear[..]),
        StepType::Step(_) => domain::exchange::unpack(&clear).unwrap_or_default(),
    };
    Ok(Reply::new(view::StepContents {
        is_large_input,
        is_large_output,
        input: if is_large_input { Value::Null } else { view::contents(input, is_test) },
        output: if is_large_output { Value::Null } else { view::contents(output, is_test) },
        attempt: number,
        attempts: view::attempts(step.attempts),
    }))
}
