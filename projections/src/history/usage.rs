//! What users used: tasks by month, and who had a connected account.
//!
//! Tasks are counted when a step succeeds, in the month that it does, so a run may be in two. Of
//! connected users a month's row says how many began to be it and how many ceased: how many there
//! were is the sum up to there.

use super::{HistoryReader, decode, user_of};
use crate::queue::after;
use crate::runner::{Loaded, Standing};
use bytes::{BufMut, Bytes, BytesMut};
use domain::event::Event;
use domain::id::{CredentialId, ProjectId};
use domain::meta::Recorded;
use domain::time::Month;
use domain::view::{Usage, UserUsage};
use ports::{Error, Range, Table};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Tasks of users, by project, month and user.
pub(super) const TASKS: Table = Table("history.tasks");
/// Tasks, and connected users that came and went, by project and month.
pub(super) const MONTHS: Table = Table("history.month");
/// The connected accounts of users, by project and user.
pub(super) const CONNECTED: Table = Table("history.connected");

/// Months that are looked at, at most: of more than eighty years.
const MONTHS_MAX: usize = 1_000;

/// A row of [`MONTHS`].
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct InMonth {
    tasks: u64,
    /// Users who had no account, and got one.
    came: i64,
    /// Users who had one, and lost the last.
    went: i64,
}

/// A row of [`CONNECTED`].
#[derive(Default, Serialize, Deserialize)]
struct Accounts {
    ids: BTreeSet<CredentialId>,
    /// When the user last lost the last one.
    went: Option<Month>,
}

/// The tasks that an event is metered as.
fn tasks(event: &Event) -> u64 {
    let tasks = match event {
        Event::StepSucceeded(e) => e.kind.tasks(),
        Event::PageFetched(e) => e.kind.tasks(),
        _ => 0,
    };
    u64::try_from(tasks).unwrap_or_default()
}

fn connects(event: &Event) -> Option<(CredentialId, bool)> {
    match event {
        Event::CredentialConnected(e) => Some((e.credential, true)),
        Event::CredentialRemoved(e) => Some((e.credential, false)),
        _ => None,
    }
}

fn month_key(partition: u16, project: ProjectId, month: Month) -> Bytes {
    let mut key = BytesMut::with_capacity(22);
    key.put_u16(partition);
    key.put_slice(project.bytes());
    key.put_i32(month.0);
    key.freeze()
}

/// Users of a month stand in their order.
fn user_key(partition: u16, project: ProjectId, (month, user): (Month, &str)) -> Bytes {
    let mut key = BytesMut::from(&month_key(partition, project, month)[..]);
    key.put_slice(user.as_bytes());
    key.freeze()
}

fn accounts_key(partition: u16, project: ProjectId, user: &str) -> Bytes {
    let mut key = BytesMut::with_capacity(18 + user.len());
    key.put_u16(partition);
    key.put_slice(project.bytes());
    key.put_slice(user.as_bytes());
    key.freeze()
}

pub(super) fn touched(partition: u16, events: &[Standing]) -> Vec<(Table, Bytes)> {
    let mut keys = BTreeSet::new();
    for (_, event) in events {
        let (project, month) = (event.meta.project, event.meta.occurred_at.month());
        if tasks(&event.body) > 0 {
            keys.insert((TASKS, user_key(partition, project, (month, &user_of(event)))));
            keys.insert((MONTHS, month_key(partition, project, month)));
        } else if connects(&event.body).is_some() {
            keys.insert((CONNECTED, accounts_key(partition, project, &user_of(event))));
            keys.insert((MONTHS, month_key(partition, project, month)));
        }
    }
    keys.into_iter().collect()
}

/// What a batch adds.
#[derive(Default)]
pub(super) struct Meter {
    users: BTreeMap<(ProjectId, Month, String), u64>,
    months: BTreeMap<(ProjectId, Month), InMonth>,
}

impl Meter {
    pub(super) fn note(
        &mut self,
        partition: u16,
        rows: &mut Loaded,
        event: &Recorded<Event>,
    ) -> Result<(), Error> {
        let (project, month) = (event.meta.project, event.meta.occurred_at.month());
        let tasks = tasks(&event.body);
        if tasks > 0 {
            *self.users.entry((project, month, user_of(event))).or_default() += tasks;
            self.months.entry((project, month)).or_default().tasks += tasks;
        }
        let Some((credential, is_connected)) = connects(&event.body) else { return Ok(()) };
        let key = accounts_key(partition, project, &user_of(event));
        let mut accounts = rows.get::<Accounts>(CONNECTED, &key)?.unwrap_or_default();
        let before = accounts.ids.is_empty();
        match is_connected {
            true => accounts.ids.insert(credential),
            false => accounts.ids.remove(&credential),
        };
        let in_month = self.months.entry((project, month)).or_default();
        match (before, accounts.ids.is_empty()) {
            // It counts as if it had never been away.
            (true, false) if accounts.went == Some(month) => in_month.went -= 1,
            (true, false) => in_month.came += 1,
            (false, true) => {
                in_month.went += 1;
                accounts.went = Some(month);
            }
            _ => {}
        }
        rows.put(CONNECTED, key, &accounts)
    }

    pub(super) fn write(self, partition: u16, rows: &mut Loaded) -> Result<(), Error> {
        for ((project, month, user), tasks) in self.users {
            let key = user_key(partition, project, (month, &user));
            let before = rows.get::<u64>(TASKS, &key)?.unwrap_or_default();
            rows.put(TASKS, key, &(before + tasks))?;
        }
        for ((project, month), more) in self.months {
            let key = month_key(partition, project, month);
            let mut row = rows.get::<InMonth>(MONTHS, &key)?.unwrap_or_default();
            row.tasks += more.tasks;
            row.came += more.came;
            row.went += more.went;
            rows.put(MONTHS, key, &row)?;
        }
        Ok(())
    }
}

impl HistoryReader {
    /// What the project used, month by month up to `now`, newest first.
    ///
    /// # Errors
    /// As [`HistoryReader::list`].
    pub async fn usage(&self, project: ProjectId, now: Month) -> Result<Vec<Usage>, Error> {
        let mut months = BTreeMap::<Month, InMonth>::new();
        for partition in 0..self.log.partitions() {
            let (from, until) = (
                month_key(partition, project, Month(0)),
                month_key(partition, project, Month(i32::MAX)),
            );
            let range = Range { from, until, limit: MONTHS_MAX, backwards: false };
            for (key, value) in self.store.scan(MONTHS, range).await? {
                let Some((_, month)) = key.split_last_chunk::<4>() else { continue };
                let (month, row) = (Month(i32::from_be_bytes(*month)), decode::<InMonth>(&value)?);
                let sum = months.entry(month).or_default();
                sum.tasks += row.tasks;
                sum.came += row.came;
                sum.went += row.went;
            }
        }
        let Some(first) = months.keys().next().copied() else { return Ok(Vec::new()) };
        let mut connected = 0;
        let mut usage: Vec<Usage> = (first.0..=now.0)
            .map(|month| {
                let month = Month(month);
                let InMonth { tasks, came, went } = months.get(&month).copied().unwrap_or_default();
                connected += came;
                let connected_users = u64::try_from(connected).unwrap_or_default();
                connected -= went;
                let connected_at_end = u64::try_from(connected).unwrap_or_default();
                Usage { month, tasks, connected_users, connected_at_end }
            })
            .collect();
        usage.reverse();
        Ok(usage)
    }

    /// What users used in a month: those behind a user, in the order of their ids.
    ///
    /// # Errors
    /// As [`HistoryReader::list`].
    pub async fn usage_of_users(
        &self,
        project: ProjectId,
        month: Month,
        (behind, limit): (&str, usize),
    ) -> Result<Vec<UserUsage>, Error> {
        let mut users = Vec::new();
        for partition in 0..self.log.partitions() {
            let from = super::starts::after(&user_key(partition, project, (month, behind)));
            let until = after(&month_key(partition, project, month));
            let range = Range { from, until, limit, backwards: false };
            for (key, value) in self.store.scan(TASKS, range).await? {
                let user = String::from_utf8_lossy(key.get(22..).unwrap_or_default()).into_owned();
                users.push(UserUsage { user, tasks: decode(&value)? });
            }
        }
        users.sort_by(|one, other| one.user.cmp(&other.user));
        users.truncate(limit);
        Ok(users)
    }
}
