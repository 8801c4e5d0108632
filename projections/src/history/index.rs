//! Where executions stand in order of their start, and where they are counted.
//!
//! A scope is what a list goes through: a project, or one user of it. In each scope an execution
//! has a row in [`STARTS`](super::STARTS), and is counted in one row of
//! [`COUNTS`](super::COUNTS) for each length of bucket.

use bytes::{BufMut, Bytes, BytesMut};
use domain::id::{ExecutionId, IntegrationId, ProjectId, WorkflowId};
use domain::time::Timestamp;
use domain::view::{Execution, Status};
use ports::Error;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Lengths of buckets of a project, in milliseconds: each a multiple of the next. There are few
/// projects, so a batch changes few of these rows; the shortest keeps what is read start by start
/// small at thousands of executions a second.
const OF_PROJECT: &[i64] = &[DAY, 10 * MINUTE, 5 * SECOND];
/// Those of a user. A batch has executions of many users, so each level costs nearly a row for each
/// execution: one is enough for a year of hours.
const OF_USER: &[i64] = &[HOUR];

const PROJECT: u8 = 0;
const USER: u8 = 1;
const TESTS: u8 = 2;

/// What lists filter by, and executions are counted by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) integration: IntegrationId,
    pub(super) workflow: WorkflowId,
    pub(super) status: Status,
}

impl Group {
    pub(super) fn of(execution: &Execution) -> Self {
        let Execution { integration, workflow, status, .. } = *execution;
        Self { integration, workflow, status }
    }
}

fn prefix(partition: u16, project: ProjectId, of: u8) -> BytesMut {
    let mut prefix = BytesMut::with_capacity(64);
    prefix.put_u16(partition);
    prefix.put_slice(project.bytes());
    prefix.put_u8(of);
    prefix
}

/// The executions of a project or of a user in one partition.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    prefix: Bytes,
    buckets: &'static [i64],
}

impl Scope {
    pub(super) fn project(partition: u16, project: ProjectId) -> Self {
        Self { prefix: prefix(partition, project, PROJECT).freeze(), buckets: OF_PROJECT }
    }

    /// Tests, which are not counted.
    pub(super) fn tests(partition: u16, project: ProjectId) -> Self {
        Self { prefix: prefix(partition, project, TESTS).freeze(), buckets: &[] }
    }

    pub(super) fn user(partition: u16, project: ProjectId, user: &str) -> Self {
        let mut prefix = prefix(partition, project, USER);
        // With its length in front no user's rows stand among those of another.
        prefix.put_u32(u32::try_from(user.len()).unwrap_or(u32::MAX));
        prefix.put_slice(user.as_bytes());
        Self { prefix: prefix.freeze(), buckets: OF_USER }
    }

    /// Every scope that an execution belongs to.
    pub(super) fn all(partition: u16, project: ProjectId, user: &str) -> [Self; 2] {
        [Self::project(partition, project), Self::user(partition, project, user)]
    }

    /// Lengths of its buckets by level, the longest first, in milliseconds.
    pub(super) fn buckets(&self) -> &'static [i64] {
        self.buckets
    }

    pub(super) fn start_key(&self, at: Timestamp, id: ExecutionId) -> Bytes {
        let mut key = BytesMut::with_capacity(self.prefix.len() + 24);
        key.put_slice(&self.prefix);
        key.put_i64(at.0);
        key.put_slice(id.bytes());
        key.freeze()
    }

    /// A key that every start at `at` or later is behind, and every earlier one in front of.
    pub(super) fn bound(&self, at: i64) -> Bytes {
        self.start_key(Timestamp(at), ExecutionId(Uuid::nil()))
    }

    /// The row of the bucket that begins at `begin`.
    pub(super) fn count_key(&self, level: usize, begin: i64) -> Bytes {
        let mut key = BytesMut::with_capacity(self.prefix.len() + 9);
        key.put_slice(&self.prefix);
        key.put_u8(u8::try_from(level).unwrap_or(u8::MAX));
        key.put_i64(begin);
        key.freeze()
    }

    /// The rows that count what begins at a moment.
    pub(super) fn count_keys(&self, at: Timestamp) -> impl Iterator<Item = Bytes> {
        let levels = self.buckets.iter().enumerate();
        levels.map(move |(level, length)| self.count_key(level, at.0 - at.0.rem_euclid(*length)))
    }
}

/// The moment and the execution of a row of [`STARTS`](super::STARTS).
pub(super) fn parse_start(key: &[u8]) -> Result<(Timestamp, ExecutionId), Error> {
    let (rest, id) = key.split_last_chunk::<16>().ok_or_else(|| short(key))?;
    let (_, at) = rest.split_last_chunk::<8>().ok_or_else(|| short(key))?;
    Ok((Timestamp(i64::from_be_bytes(*at)), ExecutionId(Uuid::from_bytes(*id))))
}

/// Where the bucket of a row of [`COUNTS`](super::COUNTS) begins.
pub(super) fn parse_count(key: &[u8]) -> Result<i64, Error> {
    let (_, begin) = key.split_last_chunk::<8>().ok_or_else(|| short(key))?;
    Ok(i64::from_be_bytes(*begin))
}

fn short(key: &[u8]) -> Error {
    Error::Corrupt(format!("a key of {} bytes in the index of history", key.len()))
}
