//! What a decision lets out once it stands.
//!
//! Tells first, then answers, then the rows with the checkpoint: a crash between any two repeats
//! what comes before, and every recipient drops repeats.

use super::open::{port_error, unreadable};
use super::stamp::{Cause, own_command, record, told};
use super::{BATCH_BYTES_MAX, Decided, Owner};
use crate::queue::Work;
use domain::command::{AskSlots, Command, FireTimer};
use domain::config::Config;
use domain::effect::{self, Call, Tell};
use domain::event::Event;
use domain::id::{Asking, CommandId, ExecutionId};
use domain::key::Key;
use domain::meta::{Actor, Recorded};
use domain::state::{Due, Execution, Pending, RowKey, User, schedule_id};
use domain::time::Timestamp;
use ports::{Error, Partition, Record};

impl Owner {
    pub(super) async fn release(&mut self, mut decided: Vec<Decided>) -> Result<(), Error> {
        if self.seat == super::Seat::CONFIG {
            // Who hears that a project was applied finds it applied.
            self.world.feed.refresh().await?;
        }
        self.tell(decided.iter().flat_map(|one| &one.run)).await?;
        // A turn that only lets steps begin says nothing of the pace.
        if !decided.is_empty() {
            self.leave_backlog(&decided);
        }
        for one in &mut decided {
            self.answer_callers(one);
            if let Some(handed) = one.handed.take() {
                // Nobody waits for it any more if the step's task has ended.
                let _ = handed.send(());
            }
            one.run.iter().for_each(|event| self.world.meter.stood(&event.body));
        }
        self.save_after(&decided).await
    }

    /// Queues and timers learn of a decision. It need not stand yet: should it not, they are
    /// forgotten with everything else.
    pub(super) fn queue_up(&mut self, decided: &Decided) {
        if let (Some(id), Some(first)) = (decided.left, decided.run.first())
            && let Some(Key::User(project, user)) = first.meta.parsed_key()
        {
            self.queues.left((project, &user), id);
        }
        self.replays.heard(decided);
        decided.run.iter().for_each(|event| self.wait_for(event));
    }

    /// Answers those who wait on this node.
    pub(super) fn answer_callers(&self, decided: &Decided) {
        if let Some((asked, execution)) = decided.started {
            self.world.answers.started(asked, execution);
        }
        for (asked, answer) in &decided.answers {
            self.world.answers.tell(*asked, answer);
        }
    }

    /// Tenants have less waiting now.
    fn leave_backlog(&mut self, decided: &[Decided]) {
        let now = self.world.clock.now();
        let begun = self.busy_since.replace(now).unwrap_or(now);
        let commands = decided.iter().filter_map(|one| one.run.first()).map(|event| &event.meta);
        let sent = commands.filter(|meta| meta.actor != Actor::System);
        let names = sent.map(|meta| meta.key.as_str());
        self.world.backlog.decided(names, (now.since_ms(begun), decided.len()));
    }

    fn wait_for(&mut self, event: &Recorded<Event>) {
        let Some(Key::User(project, user)) = event.meta.parsed_key() else {
            if let Event::SlotsHeld(e) = &event.body {
                // A grant carries the correlation of the ask that led to it.
                let cause = event.meta.correlation_id;
                self.queues.held(e.project, (e.held, e.serial), cause);
            }
            return;
        };
        match &event.body {
            Event::StepReady(e) => match e.due {
                None => {
                    self.timers.forget(e.execution);
                    self.queues.push((project, &user), event.meta.event_id, e.execution);
                }
                Some(due) => self.timers.set(due, e.execution),
            },
            Event::StepPaused(e) => self.timers.forget(e.execution),
            Event::StepSucceeded(e) => self.timers.forget(e.execution),
            Event::ExecutionFinished(e) => self.timers.forget(e.execution),
            Event::ItemFinished(e) => self.timers.forget(e.execution),
            // What waits within its fan outs is taken up with what else there is.
            Event::ExecutionResumed(e) if self.fans_out(e.execution) => self.taken_up_at = None,
            Event::UserSwitched(e) if e.enabled => self.taken_up_at = None,
            Event::ScheduleSet(e) => {
                let id = schedule_id(e.workflow, e.credential);
                self.timers.forget(id);
                if let Some(at) = e.at {
                    self.timers.set(at, id);
                }
            }
            _ => {}
        }
    }

    fn fans_out(&self, id: ExecutionId) -> bool {
        let nested = self.rows.nested(&RowKey::Execution(id));
        nested.is_some_and(|nested| !nested.nest.joins.is_empty())
    }

    /// A command about the step that a run waits for, for this owner itself.
    pub(super) fn own_record(
        &self,
        (execution, run, pending): (ExecutionId, &Execution, &Pending),
        about: About,
        body: Command,
    ) -> Result<(Partition, Record), Error> {
        let key = Key::User(run.project, run.user.clone());
        let id = CommandId::derived(&pending.since.0, &key, about as u32);
        let cause = Cause {
            causation_id: Some(pending.since.0),
            correlation_id: run.correlation_id,
            execution: Some(execution),
        };
        let command = own_command(&self.world, &key, id, &cause, body);
        Ok((self.seat.commands, record(&command)?))
    }

    /// Appends what events tell other keys, in their order: in few appends, each of which waits for
    /// the disk.
    pub(super) async fn tell(
        &self,
        events: impl Iterator<Item = &Recorded<Event>>,
    ) -> Result<(), Error> {
        let partitions = self.world.log.partitions();
        let (mut records, mut bytes) = (Vec::new(), 0);
        for event in events {
            for tell in effect::tells(event, partitions) {
                let Some(tell) = self.resealed(event, tell).await? else { continue };
                let to = Partition::commands(tell.to.partition(partitions));
                let record = record(&told(&self.world, event, tell))?;
                bytes += record.value.len();
                records.push((to, record));
            }
            if bytes > BATCH_BYTES_MAX {
                self.post(std::mem::take(&mut records)).await?;
                bytes = 0;
            }
        }
        self.post(records).await
    }

    /// A payload that crosses keys is sealed anew for the recipient. `None`: it cannot be read any
    /// more, so there is nothing to tell.
    async fn resealed(
        &self,
        event: &Recorded<Event>,
        mut tell: Tell,
    ) -> Result<Option<Tell>, Error> {
        let Command::DeliverWebhook(deliver) = &mut tell.command else { return Ok(Some(tell)) };
        let Some(from) = event.meta.parsed_key() else { return Ok(Some(tell)) };
        let vault = &self.world.vault;
        let clear = match vault.fetch(&from, &deliver.sealed).await {
            Ok(clear) => clear,
            Err(error) => return unreadable(error).map(|_| None),
        };
        vault.prepare(&tell.to).await.map_err(port_error)?;
        deliver.sealed = vault.store(&tell.to, &clear).await.map_err(port_error)?;
        Ok(Some(tell))
    }

    pub(super) async fn post(&self, records: Vec<(Partition, Record)>) -> Result<(), Error> {
        if records.is_empty() {
            return Ok(());
        }
        self.world.log.append(records).await.map(|_| ())
    }

    pub(super) async fn ask_slots(&mut self, config: &Config) -> Result<(), Error> {
        let partitions = self.world.log.partitions();
        let partition = self.seat.number();
        let Some(epoch) = self.held.as_ref().map(|held| held.filter.owner().epoch) else {
            return Ok(());
        };
        let mut records = Vec::new();
        for ask in self.queues.asks(config, self.world.clock.now()) {
            let key = Key::Limit(ask.project);
            let (wanted, busy) = (ask.wanted, ask.busy);
            let lane = i32::from(partition);
            let command = AskSlots { project: ask.project, lane, wanted, busy };
            let id = CommandId::asking(Asking { partition, epoch, number: ask.number }, &key);
            let command = own_command(&self.world, &key, id, &uncaused(id), command.into());
            self.queues.asked(ask.project, id.0);
            records.push((Partition::commands(key.partition(partitions)), record(&command)?));
        }
        self.post(records).await
    }

    pub(super) async fn fire_all(
        &mut self,
        due: Vec<(Timestamp, ExecutionId)>,
    ) -> Result<usize, Error> {
        self.load(due.iter().map(|(_, id)| RowKey::Execution(*id)).collect()).await?;
        let is_run = |id| self.rows.contains(&RowKey::Execution(id));
        let others = due.iter().filter(|(_, id)| !is_run(*id));
        let others = others.map(|(_, id)| RowKey::Schedule(*id)).collect();
        self.load(others).await?;
        let mut records = Vec::new();
        for (due, execution) in due {
            let Some(run) = self.rows.execution(&RowKey::Execution(execution)) else {
                records.extend(self.fired_schedule((due, execution))?);
                continue;
            };
            let Some(pending) = run.pending.as_ref().filter(|p| p.due == Due::At(due)) else {
                continue;
            };
            let body = FireTimer { execution, step: pending.step, attempt: pending.attempt, due };
            records.push(self.own_record((execution, run, pending), About::Fired, body.into())?);
        }
        let fired = records.len();
        self.post(records).await?;
        Ok(fired)
    }

    /// Loads what the steps need in order to be performed.
    pub(super) async fn load_work(&mut self, ids: Vec<ExecutionId>) -> Result<Vec<Work>, Error> {
        self.load(ids.iter().map(|id| RowKey::Execution(*id)).collect()).await?;
        let users = ids.iter().filter_map(|id| {
            let run = self.rows.execution(&RowKey::Execution(*id))?;
            Some(RowKey::User(run.project, run.user.clone()))
        });
        let users = users.collect();
        self.load(users).await?;
        let mut work = Vec::with_capacity(ids.len());
        for id in ids {
            match self.work_of(id) {
                Some(found) => work.push(found),
                None => self.queues.done(id),
            }
        }
        Ok(work)
    }

    fn work_of(&self, id: ExecutionId) -> Option<Work> {
        let run = self.rows.execution(&RowKey::Execution(id))?;
        let pending = run.pending.as_ref().filter(|pending| pending.due == Due::Now)?;
        let user = self.rows.user(&RowKey::User(run.project, run.user.clone()));
        // Only the account that the run works for goes along.
        let account = user.map(|user| User {
            disabled: user.disabled,
            metadata: user.metadata.clone(),
            credentials: user
                .credentials
                .get_key_value(&run.credential)
                .map(|(id, credential)| (*id, credential.clone()))
                .into_iter()
                .collect(),
        });
        let call = Call {
            key: effect::EffectKey { execution: id, step: pending.step },
            project: run.project,
            user: run.user.clone(),
            index: pending.index,
            attempt: pending.attempt,
            page: self.rows.pages(id, pending.index),
            runs: run.command.runs_before().saturating_add(1),
        };
        let last_page = call
            .page
            .checked_sub(1)
            .and_then(|page| self.rows.part(&RowKey::Part(id, pending.index, page)).cloned());
        let _begun = self.world.under_way.begin((id, pending.since));
        let lineage = self.rows.lineage(id);
        let is_wanted = lineage.as_ref().is_some_and(|lineage| !lineage.is_paused());
        let (nest, within) = lineage.map_or((None, Vec::new()), |lineage| {
            let within = lineage.within.into_iter().map(|(id, outer)| (id, outer.clone()));
            (lineage.nest.cloned(), within.collect())
        });
        let run = run.clone();
        Some(Work { call, run, nest, within, last_page, is_wanted, user: account, _begun })
    }
}

/// What a command of the owner's own says of a step. Its id names it, so that one that is sent
/// twice is one command.
#[derive(Clone, Copy)]
pub(super) enum About {
    Fired = 1,
    Paused = 2,
    Resumed = 3,
    Lost = 4,
}

fn uncaused(id: CommandId) -> Cause {
    Cause { causation_id: None, correlation_id: id.0, execution: None }
}
