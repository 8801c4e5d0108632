//! Steps that begin, and those that an owner before this one let begin.
//!
//! That a step begins is in the log before it does, in the same append as the decisions that made
//! room for it. So whoever takes a partition over knows what may be under way, and on which node:
//! it counts that against the limits, waits for its outcome while the node lives, and has it tried
//! again, as one more attempt, when the node is gone.

use super::Owner;
use super::release::About;
use super::stamp::own_event;
use super::table::{self, STARTED};
use crate::queue::{Work, each_row};
use crate::under_way::Attempt;
use domain::codec::Family;
use domain::command::LoseStep;
use domain::config::Config;
use domain::event::{Event, StartedStep, StepsStarted};
use domain::meta::Recorded;
use domain::state::{Due, Execution, Pending, RowKey, Start, fold};
use domain::time::Timestamp;
use ports::{Error, Partition, Record};
use std::collections::BTreeMap;

/// How often it is looked whether nodes that perform steps of the partition still live.
const LOOK_AFTER_MS: i64 = 100;

/// Steps whose turn has come.
#[derive(Default)]
pub(super) struct Beginning {
    /// They begin when the record stands.
    pub(super) works: Vec<Work>,
    /// They are not to begin: see `domain::decide::pause`.
    pub(super) held_up: Vec<Work>,
    /// What the log is told.
    pub(super) record: Option<Recorded<Event>>,
}

/// Attempts that were let begin before this owner took over.
#[derive(Default)]
pub(super) struct Lent {
    attempts: BTreeMap<Attempt, Start>,
    looked_at: Timestamp,
}

impl Beginning {
    pub(super) fn is_empty(&self) -> bool {
        self.works.is_empty() && self.held_up.is_empty()
    }
}

impl Owner {
    /// Takes the steps whose turn has come. They are let out when the record stands.
    pub(super) async fn begin(&mut self, config: &Config) -> Result<Beginning, Error> {
        if !self.begins {
            return Ok(Beginning::default());
        }
        let calls = self.queues.start(config);
        let (held_up, works): (Vec<Work>, Vec<Work>) =
            self.load_work(calls).await?.into_iter().partition(|work| {
                let project = config.project(work.run.project);
                let is_active = project.and_then(|project| project.is_active(work.run.integration));
                is_active == Some(false) || !work.is_wanted || !work.is_allowed()
            });
        let record = self.started(&works);
        if let Some(record) = &record {
            fold(&mut self.rows, std::slice::from_ref(record));
        }
        Ok(Beginning { works, held_up, record })
    }

    fn started(&mut self, works: &[Work]) -> Option<Recorded<Event>> {
        let steps: Vec<StartedStep> = works.iter().filter_map(started_step).collect();
        let held = self.held.as_mut().filter(|_| !steps.is_empty())?;
        let body = Event::StepsStarted(StepsStarted { node: self.node.clone(), steps });
        let is_readable = self.world.level.allows(body.schema().id);
        #[cfg(feature = "canary")]
        let is_readable =
            is_readable && !domain::canary::planted(domain::canary::Canary::UnrecordedStart);
        is_readable.then(|| own_event(&self.world, held, body))
    }

    /// What was let begin before this owner took over still counts.
    pub(super) async fn recover_started(&mut self) -> Result<(), Error> {
        let (queues, mut attempts, mut torn) = (&mut self.queues, BTreeMap::new(), None);
        each_row(&self.world, STARTED, self.seat.number(), |key, value| {
            let Some((project, user, since, id)) = table::parse_ready(key) else { return };
            match table::decode_start(value) {
                #[cfg(feature = "canary")]
                Ok(_) if domain::canary::planted(domain::canary::Canary::ForgottenStart) => {}
                Ok(start) => {
                    queues.goes_on((project, user), id);
                    attempts.insert((id, since), start);
                }
                Err(error) => torn = Some(error),
            }
        })
        .await?;
        self.lent = Lent { attempts, looked_at: Timestamp(0) };
        torn.map_or(Ok(()), Err)
    }

    /// Has those steps tried again whose node is gone. `lives`: whether a node is there, in that
    /// life; what it does not perform any more it has said itself.
    ///
    /// # Errors
    /// As [`Owner::turn`]; its memory is dropped.
    pub async fn reclaim(&mut self, lives: impl Fn(&str) -> bool) -> Result<(), Error> {
        let now = self.world.clock.now();
        let is_early = now.since_ms(self.lent.looked_at).unsigned_abs() < LOOK_AFTER_MS as u64;
        if self.held.is_none() || self.lent.attempts.is_empty() || is_early {
            return Ok(());
        }
        self.lent.looked_at = now;
        let queues = &self.queues;
        self.lent.attempts.retain(|(id, _), _| queues.runs(id));
        let is_lost = |(attempt, start): &(&Attempt, &Start)| {
            if start.node == self.node {
                !self.world.under_way.has(attempt)
            } else {
                !lives(&start.node)
            }
        };
        let lost = self.lent.attempts.iter().filter(is_lost);
        let lost: Vec<Attempt> = lost.map(|(attempt, _)| *attempt).collect();
        let result = self.lose(&lost).await;
        match result {
            Ok(()) => lost.iter().for_each(|attempt| {
                self.lent.attempts.remove(attempt);
            }),
            Err(_) => self.resign(),
        }
        result
    }

    /// Says which of the steps that this node was to perform it does not: it let them begin without
    /// hearing that it did.
    pub(super) async fn disown(&mut self) -> Result<(), Error> {
        if self.doubtful.is_empty() {
            return Ok(());
        }
        let under_way = &self.world.under_way;
        self.doubtful.retain(|attempt| !under_way.has(attempt));
        let doubtful = self.doubtful.clone();
        self.lose(&doubtful).await?;
        self.doubtful.clear();
        Ok(())
    }

    /// Notes which steps this node was to perform, says the log, and does not.
    pub(super) fn doubt(&mut self, run: &[Recorded<Event>]) {
        for event in run {
            if let Event::StepsStarted(e) = &event.body
                && e.node == self.node
            {
                self.doubtful.extend(e.steps.iter().map(|step| (step.execution, step.since)));
            }
        }
    }

    /// Notes the same of what the rows say: what this node let begin as the owner.
    pub(super) async fn doubt_rows(&mut self) -> Result<(), Error> {
        let (node, doubtful, mut torn) = (&self.node, &mut self.doubtful, None);
        each_row(&self.world, STARTED, self.seat.number(), |key, value| {
            let Some((_, _, since, id)) = table::parse_ready(key) else { return };
            match table::decode_start(value) {
                Ok(start) if start.node == *node => doubtful.push((id, since)),
                Ok(_) => {}
                Err(error) => torn = Some(error),
            }
        })
        .await?;
        torn.map_or(Ok(()), Err)
    }

    async fn lose(&mut self, attempts: &[Attempt]) -> Result<(), Error> {
        self.load(attempts.iter().map(|(id, _)| RowKey::Execution(*id)).collect()).await?;
        let places = attempts.iter().filter_map(|attempt| self.place(attempt)).collect();
        self.load(places).await?;
        let mut records = Vec::new();
        for attempt in attempts {
            records.extend(self.loss(attempt)?);
        }
        self.post(records).await
    }

    /// The run of an attempt that is under way, and its step.
    fn begun(&self, (id, since): &Attempt) -> Option<(&Execution, &Pending)> {
        let run = self.rows.execution(&RowKey::Execution(*id))?;
        let is_same = |pending: &&Pending| pending.due == Due::Begun && pending.since == *since;
        Some((run, run.pending.as_ref().filter(is_same)?))
    }

    /// The name of the row that says where it is performed.
    fn place(&self, attempt: &Attempt) -> Option<RowKey> {
        let (run, pending) = self.begun(attempt)?;
        Some(RowKey::Started(run.project, run.user.clone(), pending.since, attempt.0))
    }

    fn loss(&self, attempt: &Attempt) -> Result<Option<(Partition, Record)>, Error> {
        let start = self.place(attempt).and_then(|place| self.rows.start(&place));
        let (Some(start), Some((run, pending))) = (start, self.begun(attempt)) else {
            return Ok(None);
        };
        let (execution, step, attempt) = (attempt.0, pending.step, pending.attempt);
        tracing::warn!(%execution, attempt, node = start.node, "a step is lost");
        let (node, started_at) = (start.node.clone(), start.at);
        let body = LoseStep { execution, step, attempt, node, started_at };
        self.own_record((execution, run, pending), About::Lost, body.into()).map(Some)
    }
}

fn started_step(work: &Work) -> Option<StartedStep> {
    let pending = work.run.pending.as_ref()?;
    Some(StartedStep { execution: work.call.key.execution, since: pending.since })
}
