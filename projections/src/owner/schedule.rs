//! Schedules that are not set as they are deployed.
//!
//! A schedule is set when its workflow is switched on. What is deployed later, or was switched on
//! by an owner that did not know of it, is found by looking through the users of projects that
//! have schedules: when an owner takes over, and whenever the schedules that are deployed change.

use super::Owner;
use super::release::About;
use super::stamp::{Cause, own_command, record};
use super::table::{self, USERS};
use crate::queue::after;
use bytes::{BufMut, Bytes, BytesMut};
use domain::command::{Command, FireSchedule, SetSchedule};
use domain::config::{Config, Project};
use domain::decide::is_other_schedule;
use domain::id::{CommandId, CredentialId, ExecutionId, ProjectId, WorkflowId};
use domain::key::Key;
use domain::state::{Row, RowKey, schedule_id};
use domain::time::Timestamp;
use ports::{Error, Offset, Partition, Range, Record};
use std::collections::VecDeque;
use std::sync::Arc;

/// Users looked at in one turn.
const LOOK_MAX: usize = 1_000;

/// What is deployed: schedules, and which of their integrations are active.
type Plan = Vec<(ProjectId, WorkflowId, i32, bool)>;

/// How far users have been looked through.
#[derive(Default)]
pub(super) struct Look {
    at: Option<Offset>,
    plan: Plan,
    /// Projects to look through, and where in the first of them to go on.
    left: VecDeque<ProjectId>,
    from: Option<Bytes>,
}

impl Look {
    /// Whether there is more to look through.
    pub(super) fn goes_on(&self) -> bool {
        !self.left.is_empty()
    }

    /// What has changed since the last look is to be looked through.
    fn note(&mut self, config: &Config) {
        if self.at == Some(config.offset) {
            return;
        }
        self.at = Some(config.offset);
        let plan = plan(config);
        if plan != self.plan {
            self.left = plan.iter().map(|(project, ..)| *project).collect();
            self.left.make_contiguous().sort();
            let mut seen = None;
            self.left.retain(|project| seen.replace(*project) != Some(*project));
            (self.plan, self.from) = (plan, None);
        }
    }
}

fn plan(config: &Config) -> Plan {
    let of = |(id, project): (&ProjectId, &Arc<Project>)| {
        let scheduled = project.scheduled().map(|(workflow, version, definition)| {
            let is_active = project.is_active(definition.integration) == Some(true);
            (*id, workflow, version, is_active)
        });
        scheduled.collect::<Vec<_>>()
    };
    config.projects.iter().flat_map(of).collect()
}

impl Owner {
    /// Looks through some users, and has schedules set that are not.
    pub(super) async fn look_at_schedules(&mut self, config: &Config) -> Result<(), Error> {
        self.schedules.note(config);
        let Some(id) = self.schedules.left.front().copied() else { return Ok(()) };
        let Some(project) = config.project(id) else {
            self.schedules.left.pop_front();
            return Ok(());
        };
        self.save().await?;
        let mut prefix = BytesMut::with_capacity(18);
        prefix.put_u16(self.seat.number());
        prefix.put_slice(id.bytes());
        let prefix = prefix.freeze();
        let from = self.schedules.from.take().unwrap_or_else(|| prefix.clone());
        let range = Range { from, until: after(&prefix), limit: LOOK_MAX, backwards: false };
        let rows = self.world.store.scan(USERS, range).await?;
        let wanted = wanted(project, &rows)?;
        self.set_missing((id, project), wanted).await?;
        match rows.last() {
            Some((last, _)) if rows.len() == LOOK_MAX => {
                let mut next = BytesMut::from(&last[..]);
                next.put_u8(0);
                self.schedules.from = Some(next.freeze());
            }
            _ => {
                self.schedules.left.pop_front();
            }
        }
        Ok(())
    }

    async fn set_missing(
        &mut self,
        (id, project): (ProjectId, &Project),
        wanted: Vec<(String, WorkflowId, CredentialId)>,
    ) -> Result<(), Error> {
        let name = |(_, workflow, credential): &(String, WorkflowId, CredentialId)| {
            schedule_id(*workflow, *credential)
        };
        self.load(wanted.iter().map(|one| RowKey::Schedule(name(one))).collect()).await?;
        let mut records = Vec::new();
        for one in wanted {
            let set = self.rows.schedule(name(&one));
            let (user, workflow, credential) = one;
            let version = project.released(workflow).map_or(0, |(version, _)| version);
            if set.is_none_or(|set| is_other_schedule(project, set, version)) {
                let key = Key::User(id, user);
                let body = SetSchedule { workflow, credential };
                records.push(self.unprompted(&key, body.into())?);
            }
        }
        self.post(records).await
    }

    /// A command of the owner's own that nothing else led to.
    fn unprompted(&self, key: &Key, body: Command) -> Result<(Partition, Record), Error> {
        let id = CommandId::fresh(self.world.clock.now(), self.world.entropy());
        let cause = Cause { causation_id: None, correlation_id: id.0, execution: None };
        Ok((self.seat.commands, record(&own_command(&self.world, key, id, &cause, body))?))
    }

    /// A command that a schedule's moment came. `None`: it waits for another.
    pub(super) fn fired_schedule(
        &self,
        (at, id): (Timestamp, ExecutionId),
    ) -> Result<Option<(Partition, Record)>, Error> {
        let Some(set) = self.rows.schedule(id).filter(|set| set.at == at) else { return Ok(None) };
        let key = Key::User(set.project, set.user.clone());
        let command = CommandId::derived(&set.since.0, &key, About::Fired as u32);
        let cause =
            Cause { causation_id: Some(set.since.0), correlation_id: command.0, execution: None };
        let body = FireSchedule { workflow: set.workflow, credential: set.credential, at };
        let command = own_command(&self.world, &key, command, &cause, body.into());
        Ok(Some((self.seat.commands, record(&command)?)))
    }
}

/// The schedules that users have switched on.
fn wanted(
    project: &Project,
    rows: &[(Bytes, Bytes)],
) -> Result<Vec<(String, WorkflowId, CredentialId)>, Error> {
    let mut wanted = Vec::new();
    for (key, value) in rows {
        let (Row::User(user), Some(name)) = (table::decode(value)?, table::user_in(key)) else {
            continue;
        };
        for (workflow, _, definition) in project.scheduled() {
            if user.disabled || project.is_active(definition.integration) != Some(true) {
                continue;
            }
            let on =
                user.credentials.iter().filter(|(_, account)| account.enabled.contains(&workflow));
            wanted.extend(on.map(|(credential, _)| (name.clone(), workflow, *credential)));
        }
    }
    Ok(wanted)
}
