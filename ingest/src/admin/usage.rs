//! What is metered: tasks and connected users, by month.

use crate::auth::{Admin, Open};
use crate::door::Shared;
use crate::path::Address;
use crate::problem::{MONTH_MALFORMED, Outcome};
use crate::query::{Parameter, Queried, Query};
use crate::reply::Reply;
use axum::extract::State;
use domain::time::Month;
use domain::view;
use schemars::JsonSchema;
use serde::Serialize;

/// Users per page.
const PAGE_LEN: usize = 1_000;

/// What a project used, newest month first.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Months {
    months: Vec<InMonth>,
    /// Users with a connected account now.
    connected_users: u64,
    /// Users who may have one; null: any number.
    connected_users_max: Option<u64>,
}

/// What a project used in a month.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct InMonth {
    /// `YYYY-MM`, in UTC.
    month: String,
    /// Successful integration requests, requests and functions; each page and each item of a fan out
    /// counts, retries do not.
    task_count: u64,
    /// Users with a connected account at any time in it.
    connected_users: u64,
}

/// What users used in a month, in the order of their ids.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Users {
    users: Vec<OfUser>,
    /// What to ask for as `after` to get the next page, if there is one.
    next: Option<String>,
}

/// What a user used in a month.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OfUser {
    user_id: String,
    task_count: u64,
}

/// Which page of users.
#[derive(Default)]
pub(crate) struct Behind(String);

impl Queried for Behind {
    const PARAMETERS: &'static [Parameter<Self>] = &[Parameter::new::<String>(
        "after",
        "the last user of the page before",
        |behind, value| {
            behind.0 = value.to_owned();
            Some(())
        },
    )];
}

/// Every month.
pub(crate) async fn months(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
) -> Outcome<Reply<Months>> {
    let usage = door.app.history.usage(open.id, door.now().month()).await?;
    Ok(Reply::new(Months {
        connected_users: usage.first().map_or(0, |now| now.connected_at_end),
        connected_users_max: open.project.settings.connected_users_max,
        months: usage.into_iter().map(InMonth::from).collect(),
    }))
}

/// The users of one month.
pub(crate) async fn users(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
    address: Address,
    query: Query<Behind>,
) -> Outcome<Reply<Users>> {
    let month: Month = address.id("month", &MONTH_MALFORMED)?;
    let Behind(behind) = query.read()?;
    let page = (behind.as_str(), PAGE_LEN);
    let users = door.app.history.usage_of_users(open.id, month, page).await?;
    let next = users.last().filter(|_| users.len() == PAGE_LEN).map(|last| last.user.clone());
    let users = users.into_iter().map(OfUser::from).collect();
    Ok(Reply::new(Users { users, next }))
}

impl From<view::Usage> for InMonth {
    fn from(row: view::Usage) -> Self {
        let month = row.month.to_string();
        Self { month, task_count: row.tasks, connected_users: row.connected_users }
    }
}

impl From<view::UserUsage> for OfUser {
    fn from(row: view::UserUsage) -> Self {
        Self { user_id: row.user, task_count: row.tasks }
    }
}
