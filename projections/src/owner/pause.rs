//! Steps of runs that somebody paused, whose integration is inactive or whose user disabled: set
//! aside when their turn comes, and taken up again when that is over.

use super::Owner;
use super::release::About;
use super::table::{self, PAUSED};
use crate::queue::{Work, after};
use bytes::{BufMut, Bytes, BytesMut};
use domain::command::{PauseStep, ResumeStep};
use domain::config::Config;
use domain::id::ExecutionId;
use domain::state::{Due, Execution, RowKey};
use ports::{Error, Range};

/// Steps taken up in one go.
const RESUME_MAX: usize = 512;

impl Owner {
    /// Sets aside steps that are not to begin.
    pub(super) async fn set_aside(&self, works: &[Work]) -> Result<(), Error> {
        let mut records = Vec::with_capacity(works.len());
        for Work { call, run, .. } in works {
            let Some(pending) = &run.pending else { continue };
            let (execution, step) = (call.key.execution, call.key.step);
            let body = PauseStep { execution, step, attempt: call.attempt };
            records.push(self.own_record((execution, run, pending), About::Paused, body.into())?);
        }
        self.post(records).await
    }

    /// Takes up what waits for integrations that are inactive no more; what waits for something else
    /// stays as it is. A configuration is looked at once; an owner that has just taken over has not
    /// looked yet, nor has one that heard of what was resumed or enabled.
    pub(super) async fn take_up(&mut self, config: &Config) -> Result<(), Error> {
        if self.taken_up_at == Some(config.offset) {
            return Ok(());
        }
        self.save().await?;
        let partition = self.seat.number();
        let mut from = Bytes::copy_from_slice(&partition.to_be_bytes());
        let until = after(&from);
        loop {
            let range = Range { from, until: until.clone(), limit: RESUME_MAX, backwards: false };
            let rows = self.world.store.scan(PAUSED, range).await?;
            let found: Vec<_> =
                rows.iter().filter_map(|(key, _)| table::parse_paused(key)).collect();
            let Some((first, _)) = found.first().copied() else { break };
            if config.integration(first).is_some_and(|(_, found)| !found.active) {
                // On to the next integration.
                from = after(&table::paused_of(partition, first));
                continue;
            }
            let due = found.into_iter().take_while(|(integration, _)| *integration == first);
            let due: Vec<ExecutionId> = due.map(|(_, id)| id).collect();
            let Some(last) = due.last().copied() else { break };
            self.resume(due).await?;
            let mut next = BytesMut::from(&table::paused_of(partition, first)[..]);
            next.put_slice(last.bytes());
            next.put_u8(0);
            from = next.freeze();
        }
        self.taken_up_at = Some(config.offset);
        Ok(())
    }

    /// Whether it waits for something else than its integration.
    fn is_held_up(&self, id: ExecutionId, run: &Execution) -> bool {
        let user = self.rows.user(&RowKey::User(run.project, run.user.clone()));
        let lineage = self.rows.lineage(id);
        user.is_some_and(|user| user.disabled) || lineage.is_some_and(|run| run.is_paused())
    }

    async fn resume(&mut self, ids: Vec<ExecutionId>) -> Result<(), Error> {
        self.load(ids.iter().map(|id| RowKey::Execution(*id)).collect()).await?;
        let runs = ids.iter().filter_map(|id| self.rows.execution(&RowKey::Execution(*id)));
        let users = runs.map(|run| RowKey::User(run.project, run.user.clone()));
        self.load(users.collect()).await?;
        let mut records = Vec::with_capacity(ids.len());
        for execution in ids {
            let Some(run) = self.rows.execution(&RowKey::Execution(execution)) else { continue };
            if self.is_held_up(execution, run) {
                continue;
            }
            let Some(pending) = run.pending.as_ref().filter(|p| p.due == Due::Resumed) else {
                continue;
            };
            let body = ResumeStep { execution, step: pending.step, attempt: pending.attempt };
            records.push(self.own_record(
                (execution, run, pending),
                About::Resumed,
                body.into(),
            )?);
        }
        self.post(records).await
    }
}
