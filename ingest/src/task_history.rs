//! `…/task-history/…`: executions, for the customer's team.

mod query;
mod view;

use crate::auth::Team;
use crate::door::Shared;
use crate::layer::origin;
use crate::path::Address;
use crate::problem::{EXECUTION_UNKNOWN, Outcome, STEP_EXECUTION_UNKNOWN};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use domain::id::ExecutionId;
use domain::key::Key;
use domain::view::{StepContents, StepType};
use query::Query;
use serde_json::{Value, json};
use uuid::Uuid;

/// Executions per page.
pub(crate) const PAGE_LEN: usize = 100;

/// Searches executions.
pub(crate) async fn list(
    State(door): State<Shared>,
    team: Team,
    address: Address,
    headers: HeaderMap,
) -> Outcome<Json<Value>> {
    let query = Query::parse(address.query(), &team.project)?;
    let page = door.app.history.list(team.id, &query.filter).await?;
    let next = query.filter.offset.saturating_add(page.rows.len() as u64);
    let more = !page.rows.is_empty() && next < page.total;
    let link = || format!("{}{}?{}", origin(&headers), address.path(), query.at(next));
    let now = door.now();
    let rows = page.rows.iter().map(|row| view::execution(row, now));
    Ok(Json(json!({
        "workflowExecutions": rows.collect::<Vec<_>>(),
        "nextLink": more.then(link),
        "total": page.total,
    })))
}

/// One execution with its steps.
pub(crate) async fn read(
    State(door): State<Shared>,
    team: Team,
    address: Address,
) -> Outcome<Json<Value>> {
    let id: ExecutionId = address.id("execution", &EXECUTION_UNKNOWN)?;
    door.settle(id).await?;
    let run = door.app.history.run(team.id, id).await?;
    let run = run.ok_or_else(|| EXECUTION_UNKNOWN.plain())?;
    Ok(Json(view::run(&run, door.now())))
}

/// What an attempt of a step took in and gave, the last one unless the query names another.
/// Values over `step_bytes_shown_max` are left out and marked.
pub(crate) async fn step(
    State(door): State<Shared>,
    team: Team,
    address: Address,
) -> Outcome<Json<Value>> {
    let id: ExecutionId = address.id("execution", &EXECUTION_UNKNOWN)?;
    let step: Uuid = address.id("step", &STEP_EXECUTION_UNKNOWN)?;
    let attempt = query::attempt(address.query())?;
    door.settle(id).await?;
    let contents = door.app.history.step(team.id, id, step, attempt).await?;
    let contents = contents.ok_or_else(|| STEP_EXECUTION_UNKNOWN.plain())?;
    let StepContents { user, step, number, sealed } = contents;
    let shown_max = door.app.limits.step_bytes_shown_max;
    let shown = number.checked_sub(1).and_then(|index| step.attempts.get(index));
    let is_large = |size: Option<i64>| size.is_some_and(|bytes| bytes > shown_max);
    let large_input = is_large(shown.map(|attempt| attempt.input_size));
    let large_output = is_large(shown.map(|attempt| attempt.output_size));
    let clear = door.open(&Key::User(team.id, user), &sealed).await?;
    let (input, output) = match step.kind {
        StepType::Trigger(_) => (&b""[..], &clear[..]),
        StepType::Step(_) => domain::exchange::unpack(&clear).unwrap_or_default(),
    };
    Ok(Json(json!({
        "isLargeInput": large_input,
        "isLargeOutput": large_output,
        "input": if large_input { Value::Null } else { view::contents(input) },
        "output": if large_output { Value::Null } else { view::contents(output) },
        "attempt": number,
        "attempts": view::attempts(&step),
    })))
}
