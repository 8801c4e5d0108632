//! What the door asks of Task History.

use super::{CONTENTS, NAME, RUNS, STARTS, Start, contents_key, run_key, start_key};
use crate::owner::Seat;
use crate::runner;
use bytes::{BufMut, Bytes, BytesMut};
use domain::codec;
use domain::event::Event;
use domain::id::{ExecutionId, ProjectId, hash16_of};
use domain::key::partition_of;
use domain::payload::Payload;
use domain::time::Timestamp;
use domain::view::{Execution, ExecutionFilter, Executions, Run, Sort, StepContents};
use ports::{Error, Log, Offset, Partition, Range, Store};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Rows of the index read in one go.
const SCAN_ROWS_MAX: usize = 4_096;

/// Pauses between looks at how far the projection has come.
const PAUSE: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(10);

/// Reads Task History.
pub struct HistoryReader {
    log: Arc<dyn Log>,
    store: Arc<dyn Store>,
}

impl HistoryReader {
    /// A reader of a node's own rows, and of the events that they point to.
    pub fn new(log: Arc<dyn Log>, store: Arc<dyn Store>) -> Self {
        Self { log, store }
    }

    /// Returns when the rows have everything of the execution's partition that was durable at the
    /// call. It does not give up: how long to wait is the caller's to say.
    ///
    /// # Errors
    /// As [`HistoryReader::list`].
    pub async fn settle(&self, id: ExecutionId) -> Result<(), Error> {
        let seat = Seat::of(partition_of(hash16_of(&id.0), self.log.partitions()));
        let end = self.log.end(seat.events).await?;
        let mut pause = PAUSE;
        while runner::applied(self.store.as_ref(), NAME, seat).await? < end {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
        Ok(())
    }

    /// A page of executions.
    ///
    /// # Errors
    /// `Unavailable`: the rows cannot be read now.
    pub async fn list(
        &self,
        project: ProjectId,
        filter: &ExecutionFilter,
    ) -> Result<Executions, Error> {
        let wanted = usize::try_from(filter.offset).unwrap_or(usize::MAX);
        let wanted = wanted.saturating_add(filter.limit);
        let mut found: Vec<(Timestamp, ExecutionId, u16)> = Vec::new();
        let mut total = 0;
        for partition in 0..self.log.partitions() {
            total += self.scan(partition, project, filter, (wanted, &mut found)).await?;
        }
        found.sort();
        if filter.sort == Sort::Descending {
            found.reverse();
        }
        let offset = usize::try_from(filter.offset).unwrap_or(usize::MAX);
        let mut rows = Vec::new();
        for (_, id, partition) in found.into_iter().skip(offset).take(filter.limit) {
            rows.extend(self.execution(partition, id).await?);
        }
        Ok(Executions { rows, total })
    }

    /// Counts what passes in one partition and keeps the first `wanted`.
    async fn scan(
        &self,
        partition: u16,
        project: ProjectId,
        filter: &ExecutionFilter,
        (wanted, found): (usize, &mut Vec<(Timestamp, ExecutionId, u16)>),
    ) -> Result<u64, Error> {
        let none = ExecutionId(Uuid::nil());
        let after = filter.after.map_or(Timestamp(i64::MIN), |at| at.plus_ms(1));
        let mut from = start_key(partition, project, after.max(Timestamp(0)), none);
        let until = filter.before.unwrap_or(Timestamp(i64::MAX));
        let mut until = start_key(partition, project, until.max(Timestamp(0)), none);
        let backwards = filter.sort == Sort::Descending;
        let (mut total, mut kept) = (0, 0);
        loop {
            let (first, last) = (from.clone(), until.clone());
            let range = Range { from: first, until: last, limit: SCAN_ROWS_MAX, backwards };
            let rows = self.store.scan(STARTS, range).await?;
            for (key, value) in &rows {
                let Some((at, id)) = parse_start(key) else { continue };
                if passes(filter, &decode::<Start>(value)?) {
                    total += 1;
                    if kept < wanted {
                        kept += 1;
                        found.push((at, id, partition));
                    }
                }
            }
            match rows.last() {
                Some((key, _)) if rows.len() == SCAN_ROWS_MAX && backwards => until = key.clone(),
                Some((key, _)) if rows.len() == SCAN_ROWS_MAX => {
                    let mut next = BytesMut::from(&key[..]);
                    next.put_u8(0);
                    from = next.freeze();
                }
                _ => return Ok(total),
            }
        }
    }

    async fn execution(&self, partition: u16, id: ExecutionId) -> Result<Option<Execution>, Error> {
        let run = self.row(RUNS, run_key(partition, id)).await?;
        run.map(|bytes| decode::<Run>(&bytes).map(|run| run.execution)).transpose()
    }

    /// One execution with its steps; `None` if the project has no such execution.
    ///
    /// # Errors
    /// As [`HistoryReader::list`].
    pub async fn run(&self, project: ProjectId, id: ExecutionId) -> Result<Option<Run>, Error> {
        let partition = partition_of(hash16_of(&id.0), self.log.partitions());
        let Some(bytes) = self.row(RUNS, run_key(partition, id)).await? else { return Ok(None) };
        let run: Run = decode(&bytes)?;
        // The index knows the project; an id of another project's is as good as none.
        let start = start_key(partition, project, run.execution.started_at, id);
        Ok(self.row(STARTS, start).await?.map(|_| run))
    }

    /// What one attempt of a step took in and gave, the last one if none is named; `None` if the
    /// execution has no such step, or the step no such attempt.
    ///
    /// # Errors
    /// As [`HistoryReader::list`].
    pub async fn step(
        &self,
        project: ProjectId,
        id: ExecutionId,
        step: Uuid,
        attempt: Option<usize>,
    ) -> Result<Option<StepContents>, Error> {
        let Some(run) = self.run(project, id).await? else { return Ok(None) };
        let user = run.execution.user;
        let Some(row) = run.steps.into_iter().find(|known| known.id == step) else {
            return Ok(None);
        };
        let number = attempt.unwrap_or(row.attempts.len());
        if attempt.is_some_and(|number| number == 0 || number > row.attempts.len()) {
            return Ok(None);
        }
        let partition = partition_of(hash16_of(&id.0), self.log.partitions());
        let key = contents_key(partition, id, &step, i32::try_from(number).unwrap_or(i32::MAX));
        let sealed = match self.row(CONTENTS, key).await? {
            Some(bytes) => self.sealed(partition, decode(&bytes)?).await?,
            None => Payload::empty(),
        };
        Ok(Some(StepContents { user, step: row, number, sealed }))
    }

    /// What the event at an offset holds sealed.
    async fn sealed(&self, partition: u16, offset: Offset) -> Result<Payload, Error> {
        let found = self.log.read(Partition::events(partition), offset, 1).await?;
        let lost = || Error::Corrupt(format!("event {offset} of partition {partition} is gone"));
        let stored = found.into_iter().find(|stored| stored.offset == offset).ok_or_else(lost)?;
        let mut event = codec::decode::<Event>(&stored.record.value)
            .map_err(|error| Error::Corrupt(format!("event at {offset}: {error}")))?;
        Ok(event.body.payload_mut().map_or_else(Payload::empty, |payload| payload.clone()))
    }

    async fn row(&self, table: ports::Table, key: Bytes) -> Result<Option<Bytes>, Error> {
        Ok(self.store.get(table, &[key]).await?.into_iter().next().flatten())
    }
}

fn passes(filter: &ExecutionFilter, start: &Start) -> bool {
    filter.user.as_ref().is_none_or(|user| *user == start.user)
        && filter.workflow.is_none_or(|workflow| workflow == start.workflow)
        && filter.integration.is_none_or(|integration| integration == start.integration)
        && (filter.statuses.is_empty() || filter.statuses.contains(&start.status))
}

fn parse_start(key: &[u8]) -> Option<(Timestamp, ExecutionId)> {
    let at = i64::from_be_bytes(key.get(18..26)?.try_into().ok()?);
    Some((Timestamp(at), ExecutionId(Uuid::from_slice(key.get(26..42)?).ok()?)))
}

fn decode<R: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<R, Error> {
    postcard::from_bytes(bytes)
        .map_err(|error| Error::Corrupt(format!("a row of history does not decode: {error}")))
}
