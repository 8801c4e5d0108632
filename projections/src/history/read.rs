//! What the door asks of Task History.

use super::index::Scope;
use super::search::{Found, Search};
use super::{CONTENTS, History, ITEMS, PARENTS, RUNS, STARTS, contents_key, decode, run_key};
use crate::owner::Seat;
use crate::queue::after;
use crate::runner;
use bytes::{BufMut, Bytes, BytesMut};
use domain::event::StepKind;
use domain::id::{ExecutionId, ProjectId, hash16_of};
use domain::key::{Key, partition_of};
use domain::payload::Payload;
use domain::view::{Execution, ExecutionFilter, Executions, Run, StepContents, StepType};
use ports::{Error, Log, Range, Store};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Items of fan outs that are shown with the execution that they are in.
const ITEMS_SHOWN_MAX: usize = 100;

/// Pauses between looks at how far the projection has come.
const PAUSE: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(10);

/// Reads Task History.
pub struct HistoryReader {
    pub(super) log: Arc<dyn Log>,
    pub(super) store: Arc<dyn Store>,
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
        while runner::applied(self.store.as_ref(), &History, seat).await? < end {
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
        let partitions = self.partitions(project, filter);
        let scope = |partition: &u16| match &filter.user {
            Some(user) => Scope::user(*partition, project, user),
            None => Scope::project(*partition, project),
        };
        let scopes = partitions.iter().map(scope).collect();
        let Found { page, total } = Search::new(self.store.as_ref(), filter, scopes).run().await?;
        let keys: Vec<Bytes> =
            page.iter().map(|(scope, id)| run_key(partitions[*scope], *id)).collect();
        let found = self.store.get(RUNS, &keys).await?;
        // A run begins with its execution, and no more of it is read.
        let rows = found.into_iter().flatten().map(|run| decode::<Execution>(&run));
        Ok(Executions { rows: rows.collect::<Result<_, _>>()?, total })
    }

    /// The partitions that may have what a filter lets pass: all that a user does is in one.
    fn partitions(&self, project: ProjectId, filter: &ExecutionFilter) -> Vec<u16> {
        let count = self.log.partitions();
        match &filter.user {
            Some(user) if !user.is_empty() => {
                vec![Key::User(project, user.clone()).partition(count)]
            }
            Some(_) | None => (0..count).collect(),
        }
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
        let outer = self.outermost(partition, &run).await?;
        let scope = match outer.is_test {
            true => Scope::tests(partition, project),
            false => Scope::project(partition, project),
        };
        let start = scope.start_key(outer.started_at, outer.id);
        Ok(self.row(STARTS, start).await?.map(|_| run))
    }

    /// The execution that the run of an item is in; of another run, its own.
    async fn outermost(&self, partition: u16, run: &Run) -> Result<Execution, Error> {
        let mut outer = run.execution.clone();
        while let Some(parent) = self.row(PARENTS, run_key(partition, outer.id)).await? {
            let parent: ExecutionId = decode(&parent)?;
            let Some(bytes) = self.row(RUNS, run_key(partition, parent)).await? else { break };
            // A run begins with its execution, and no more of it is read.
            outer = decode(&bytes)?;
        }
        Ok(outer)
    }

    /// The runs of the items of its fan outs, in the order of their arrays: the first ones.
    ///
    /// # Errors
    /// As [`HistoryReader::list`].
    pub async fn items(&self, run: &Run) -> Result<Vec<Run>, Error> {
        let fans_out = StepType::Step(StepKind::FanOut);
        if !run.steps.iter().any(|step| step.kind == fans_out) {
            return Ok(Vec::new());
        }
        let id = run.execution.id;
        let partition = partition_of(hash16_of(&id.0), self.log.partitions());
        let from = run_key(partition, id);
        let range = Range { until: after(&from), from, limit: ITEMS_SHOWN_MAX, backwards: false };
        let found = self.store.scan(ITEMS, range).await?;
        let keys: Result<Vec<Bytes>, Error> = found
            .iter()
            .map(|(_, item)| decode(item).map(|item: ExecutionId| run_key(partition, item)))
            .collect();
        let rows = self.store.get(RUNS, &keys?).await?;
        rows.into_iter().flatten().map(|row| decode(&row)).collect()
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
        let (user, is_test) = (run.execution.user, run.execution.is_test);
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
            Some(bytes) => runner::sealed(self.log.as_ref(), partition, decode(&bytes)?).await?,
            None => Payload::empty(),
        };
        Ok(Some(StepContents { user, is_test, step: row, number, sealed }))
    }

    /// Rows whose keys begin with the partition and the project: of each partition the last ones.
    pub(super) async fn of_project<R: DeserializeOwned>(
        &self,
        table: ports::Table,
        project: ProjectId,
        limit: usize,
    ) -> Result<Vec<R>, Error> {
        let mut rows = Vec::new();
        for partition in 0..self.log.partitions() {
            let mut from = BytesMut::with_capacity(18);
            from.put_u16(partition);
            from.put_slice(project.bytes());
            let (until, from) = (after(&from), from.freeze());
            let range = Range { from, until, limit, backwards: true };
            for (_, value) in self.store.scan(table, range).await? {
                rows.push(decode(&value)?);
            }
        }
        Ok(rows)
    }

    pub(super) async fn row(
        &self,
        table: ports::Table,
        key: Bytes,
    ) -> Result<Option<Bytes>, Error> {
        Ok(self.store.get(table, &[key]).await?.into_iter().next().flatten())
    }
}
