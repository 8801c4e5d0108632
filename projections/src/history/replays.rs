//! Replays of many executions: how far they have come, and what they go through.

use super::index::{Group, Scope, parse_start};
use super::{HistoryReader, REPLAYS, RUNS, STARTS, decode, run_key};
use crate::runner::{Loaded, Standing};
use bytes::{BufMut, Bytes, BytesMut};
use domain::command::{KeptStep, ReplayExecution};
use domain::event::{Event, ExecutionsReplayRequested, ReplayContinued};
use domain::id::{CommandId, ExecutionId, IntegrationId, ProjectId, StepId};
use domain::key::Key;
use domain::meta::Recorded;
use domain::time::Timestamp;
use domain::view::{ExecutionsReplay, Run, Status, StepType, Unkept};
use ports::{Error, Range, Table};
use std::collections::BTreeMap;

/// Starts that are looked at in one go.
const SCAN_ROWS_MAX: usize = 1_024;
/// What the steps before the one that a replay begins with gave, in bytes: it goes into one record.
const KEPT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Replays that are shown, at most, of each partition.
const SHOWN_MAX: usize = 1_000;

/// The next part of what a replay goes through.
pub(crate) struct Span<'a> {
    pub(crate) asked: &'a ExecutionsReplayRequested,
    /// It begins behind this execution.
    pub(crate) behind: Option<(Timestamp, ExecutionId)>,
    /// At most so many.
    pub(crate) limit: usize,
}

/// A part of what a replay goes through, oldest first.
pub(crate) struct Page {
    /// What passes.
    pub(crate) runs: Vec<Run>,
    /// The last execution that was looked at; `None`: there was none.
    pub(crate) until: Option<(Timestamp, ExecutionId)>,
    /// Whether there are no more behind it.
    pub(crate) is_last: bool,
}

fn replay_key(
    partition: u16,
    project: ProjectId,
    (replay, integration): (CommandId, IntegrationId),
) -> Bytes {
    let mut key = BytesMut::with_capacity(50);
    key.put_u16(partition);
    key.put_slice(project.bytes());
    key.put_slice(replay.bytes());
    key.put_slice(integration.bytes());
    key.freeze()
}

/// The event, if it says how far a replay of executions has come: addresses replay webhooks.
fn continued(event: &Recorded<Event>) -> Option<&ReplayContinued> {
    match (&event.body, event.meta.parsed_key()) {
        (Event::ReplayContinued(e), Some(Key::Lane(..))) => Some(e),
        _ => None,
    }
}

pub(super) fn touched(partition: u16, events: &[Standing]) -> impl Iterator<Item = (Table, Bytes)> {
    let continued = events.iter().filter_map(|(_, event)| Some((event, continued(event)?)));
    continued.map(move |(event, e)| {
        let key = replay_key(partition, event.meta.project, (e.replay, e.integration));
        (REPLAYS, key)
    })
}

pub(super) fn fold(
    partition: u16,
    rows: &mut Loaded,
    event: &Recorded<Event>,
) -> Result<(), Error> {
    let (project, requested_at) = (event.meta.project, event.meta.occurred_at);
    if let Event::ExecutionsReplayRequested(e) = &event.body {
        let key = replay_key(partition, project, (e.replay, e.integration));
        let (asked, replayed, skipped, is_done) = (e.clone(), 0, 0, false);
        let row = ExecutionsReplay { asked, requested_at, replayed, skipped, is_done };
        return rows.put(REPLAYS, key, &row);
    }
    let Some(e) = continued(event) else { return Ok(()) };
    let key = replay_key(partition, project, (e.replay, e.integration));
    let Some(mut row) = rows.get::<ExecutionsReplay>(REPLAYS, &key)? else { return Ok(()) };
    row.replayed += u64::try_from(e.replayed).unwrap_or_default();
    row.skipped += u64::try_from(e.skipped).unwrap_or_default();
    row.is_done = e.done;
    rows.put(REPLAYS, key, &row)
}

impl HistoryReader {
    /// The project's replays of many executions, newest first: each over all partitions.
    ///
    /// # Errors
    /// As [`HistoryReader::list`].
    pub async fn replays(&self, project: ProjectId) -> Result<Vec<ExecutionsReplay>, Error> {
        let mut replays = BTreeMap::<_, ExecutionsReplay>::new();
        for row in self.of_project::<ExecutionsReplay>(REPLAYS, project, SHOWN_MAX).await? {
            let part = (row.replayed, row.skipped, row.is_done);
            let key = (row.asked.replay, row.asked.integration);
            let known = replays.entry(key).or_insert_with(|| ExecutionsReplay {
                replayed: 0,
                skipped: 0,
                is_done: true,
                ..row
            });
            known.replayed += part.0;
            known.skipped += part.1;
            known.is_done &= part.2;
        }
        let mut rows: Vec<_> = replays.into_values().collect();
        rows.sort_by_key(|row| std::cmp::Reverse((row.requested_at, row.asked.replay)));
        rows.truncate(SHOWN_MAX);
        Ok(rows)
    }

    /// The command that runs an execution again, from a step if one is named.
    ///
    /// # Errors
    /// As [`HistoryReader::list`]; within it, why it cannot be run again so.
    pub async fn replay(
        &self,
        project: ProjectId,
        run: &Run,
        from: Option<StepId>,
    ) -> Result<Result<ReplayExecution, Unkept>, Error> {
        let kept_steps = match from.map(|step| run.kept_before(step)).transpose() {
            Ok(steps) => steps.unwrap_or_default(),
            Err(unkept) => return Ok(Err(unkept)),
        };
        let (execution, id) = (&run.execution, run.execution.id);
        let Some(first) = run.steps.first() else { return Ok(Err(Unkept::Gone)) };
        if first.kind == StepType::Item {
            return Ok(Err(Unkept::Item));
        }
        let Some(begun) = self.step(project, id, first.id, None).await? else {
            return Ok(Err(Unkept::Gone));
        };
        let (mut kept, mut kept_bytes) = (Vec::with_capacity(kept_steps.len()), 0);
        for (step, kind) in kept_steps {
            let found = self.step(project, id, step.id, None).await?;
            let Some(contents) = found else { return Ok(Err(Unkept::Gone)) };
            kept_bytes += contents.sealed.sealed().map_or(0, Bytes::len);
            if kept_bytes > KEPT_BYTES_MAX {
                return Ok(Err(Unkept::TooLarge));
            }
            let (input_size, output_size) = step.sizes();
            let (step, sealed) = (step.step, contents.sealed);
            kept.push(KeptStep { step, kind, input_size, output_size, sealed });
        }
        Ok(Ok(ReplayExecution {
            original: id,
            workflow: execution.workflow,
            version: Some(execution.version),
            credential: execution.credential,
            trigger: execution.trigger,
            trigger_detail: execution.trigger_detail.clone(),
            from,
            kept,
            edited: false,
            replay: None,
            size: first.sizes().1,
            sealed: begun.sealed,
        }))
    }

    /// The next part of what a replay goes through, of a bounded number of executions.
    ///
    /// # Errors
    /// As [`HistoryReader::list`].
    pub(crate) async fn page(
        &self,
        partition: u16,
        project: ProjectId,
        span: &Span<'_>,
    ) -> Result<Page, Error> {
        let asked = span.asked;
        let scope = match &asked.user {
            Some(user) => Scope::user(partition, project, user),
            None => Scope::project(partition, project),
        };
        let from = match (span.behind, asked.after) {
            (Some((at, id)), _) => super::starts::after(&scope.start_key(at, id)),
            (None, Some(at)) => scope.bound(at.0.saturating_add(1).max(0)),
            (None, None) => scope.bound(0),
        };
        let until = scope.bound(asked.before.0.max(0));
        let range = Range { from, until, limit: SCAN_ROWS_MAX, backwards: false };
        let found = self.store.scan(STARTS, range).await?;
        let mut page = Page { runs: Vec::new(), until: None, is_last: true };
        for (key, value) in &found {
            if page.runs.len() == span.limit {
                page.is_last = false;
                return Ok(page);
            }
            let (at, id) = parse_start(key)?;
            page.until = Some((at, id));
            if !passes(asked, &decode(value)?) {
                continue;
            }
            let Some(bytes) = self.row(RUNS, run_key(partition, id)).await? else { continue };
            let run: Run = decode(&bytes)?;
            if asked.code.is_empty() || asked.code == run.execution.code {
                page.runs.push(run);
            }
        }
        page.is_last = found.len() < SCAN_ROWS_MAX;
        Ok(page)
    }
}

fn passes(asked: &ExecutionsReplayRequested, group: &Group) -> bool {
    group.integration == asked.integration
        && asked.workflow.is_none_or(|workflow| workflow == group.workflow)
        && match asked.ending {
            Some(ending) => group.status == Status::ended(ending),
            None => group.status.is_end(),
        }
}
