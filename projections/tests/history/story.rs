//! Executions that begin, wait and end at random, as events on a log and as a plain list.

use crate::{PARTITIONS, now};
use bytes::Bytes;
use domain::codec;
use domain::event::{
    Ending, Event, ExecutionFinished, ExecutionStarted, StepKind, StepReady, TriggerKind,
};
use domain::id::{
    CommandId, CredentialId, EventId, ExecutionId, IntegrationId, ProjectId, StepId, WorkflowId,
    routed,
};
use domain::key::Key;
use domain::meta::{Actor, Meta, Recorded};
use domain::payload::Payload;
use domain::time::Timestamp;
use domain::view::{ExecutionFilter, Sort, Status};
use ports::model::log::ModelLog;
use ports::model::random::SeededRandom;
use ports::{Headers, Log, Partition, Random, Record};
use std::sync::Arc;
use uuid::Uuid;

const PROJECTS: usize = 2;
const USERS: [&str; 5] = ["anna", "anna\0", "b", "a/b", "company"];
const WORKFLOWS: usize = 4;
/// 2023-02-20T06:21:42.274Z
const BEGIN: i64 = 1_676_874_102_274;
const DAY: i64 = 86_400_000;

/// An execution, as whoever wrote the events knows it.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) id: ExecutionId,
    at: Timestamp,
    key: Key,
    workflow: WorkflowId,
    integration: IntegrationId,
    status: Status,
}

pub(crate) struct Story {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) known: Vec<Known>,
    random: SeededRandom,
    pub(crate) at: Timestamp,
    commands: i64,
    open: Vec<usize>,
}

fn id(number: usize) -> Uuid {
    Uuid::from_u128(number as u128 + 1)
}

impl Story {
    pub(crate) fn new(seed: u64) -> Self {
        let log = Arc::new(ModelLog::kind(PARTITIONS));
        let random = SeededRandom::new(seed);
        Self { log, random, known: vec![], at: Timestamp(BEGIN), commands: 0, open: vec![] }
    }

    pub(crate) fn index(&self, end: usize) -> usize {
        self.random.index(end)
    }

    /// Something begins or goes on, a little later or a day later; often many begin at once.
    pub(crate) fn go_on(&mut self) {
        let pause = match self.index(40) {
            0 => self.index(2 * DAY as usize),
            1..=3 => self.index(20 * 60_000),
            4..=8 => self.index(10_000),
            9..=20 => self.index(20),
            _ => 0,
        };
        self.at = self.at.plus_ms(pause as i64);
        match self.index(3) {
            0 if !self.open.is_empty() => self.change(),
            1 if self.index(50) == 0 => (0..700).for_each(|_| self.start()),
            _ => self.start(),
        }
    }

    fn start(&mut self) {
        // Most is of one user and of one workflow.
        let often = |end: usize| if self.index(3) > 0 { end - 1 } else { self.index(end) };
        let (project, user, workflow) = (often(PROJECTS), often(USERS.len()), often(WORKFLOWS));
        let key = Key::User(ProjectId(id(project)), USERS[user].into());
        let mut entropy = [0; 16];
        self.random.fill(&mut entropy);
        let execution = Known {
            id: ExecutionId(routed(key.hash16(), entropy)),
            at: self.at,
            key,
            workflow: WorkflowId(id(10 + workflow)),
            integration: IntegrationId(id(20 + workflow % 2)),
            status: Status::Running,
        };
        let started = ExecutionStarted {
            execution: execution.id,
            workflow: execution.workflow,
            version: 1,
            integration: execution.integration,
            credential: CredentialId(id(0)),
            trigger: TriggerKind::AppEvent,
            trigger_detail: String::new(),
            wants_response: false,
            size: 0,
            sealed: Payload::empty(),
        };
        self.append(&execution.key, Event::ExecutionStarted(started));
        self.open.push(self.known.len());
        self.known.push(execution);
    }

    fn change(&mut self) {
        let place = self.index(self.open.len());
        let mut known = self.known[self.open[place]].clone();
        let execution = known.id;
        let (status, due) = match self.index(4) {
            0 => (Status::Waiting, Some(self.at.plus_ms(1))),
            1 => (Status::Running, None),
            _ => {
                let (status, ending) = match self.index(30) {
                    0 => (Status::Errored, Ending::Failed),
                    1 => (Status::Cancelled, Ending::Cancelled),
                    _ => (Status::Succeeded, Ending::Succeeded),
                };
                let (code, task_count) = (String::new(), 0);
                let event = ExecutionFinished { execution, ending, code, task_count };
                self.append(&known.key, Event::ExecutionFinished(event));
                known.status = status;
                let at = self.open.swap_remove(place);
                self.known[at] = known;
                return;
            }
        };
        let (step, kind) = (StepId(id(30)), StepKind::Delay);
        let event = StepReady { execution, step, index: 0, kind, attempt: 1, due };
        self.append(&known.key, Event::StepReady(event));
        self.known[self.open[place]].status = status;
    }

    pub(crate) fn append(&mut self, key: &Key, body: Event) {
        self.commands += 1;
        let meta = Meta {
            event_id: EventId(Uuid::nil()),
            project: key.project(),
            key: key.name(),
            execution: body.execution(),
            occurred_at: self.at,
            actor: Actor::User,
            causation_id: None,
            correlation_id: Uuid::nil(),
            command_id: CommandId(Uuid::from_u128(self.commands.unsigned_abs().into())),
            body_hash: None,
            command_offset: self.commands,
            config_offset: 0,
            epoch: 0,
            incarnation: 0,
            i: 0,
            n: 1,
        };
        let value = codec::encode(&Recorded { meta, body }).unwrap();
        let kind = codec::schema_id(&value).unwrap();
        let headers = Headers { kind, n: 1, ..Headers::default() };
        let record = Record { headers, key: Bytes::new(), value: Bytes::from(value) };
        let partition = Partition::events(key.partition(PARTITIONS));
        now(self.log.append(vec![(partition, record)])).unwrap();
    }

    /// A project and filters, each of them set or not.
    pub(crate) fn question(&self) -> (ProjectId, ExecutionFilter) {
        let project = ProjectId(id(self.index(PROJECTS)));
        let moment = || {
            let any = &self.known[self.index(self.known.len())];
            let off = [0, 0, 1, -1, 5_000, -600_000][self.index(6)];
            any.at.plus_ms(off)
        };
        let maybe = |of: usize| self.index(of) == 0;
        let statuses = match self.index(6) {
            0 => vec![Status::Errored, Status::Cancelled],
            1 => vec![Status::Waiting, Status::Paused],
            2 => vec![Status::Succeeded],
            _ => vec![],
        };
        let offset = match self.index(4) {
            0 => self.index(self.known.len()),
            1 => self.index(100),
            _ => 0,
        };
        let filter = ExecutionFilter {
            user: maybe(3).then(|| USERS[self.index(USERS.len())].to_owned()),
            workflow: maybe(4).then(|| WorkflowId(id(10 + self.index(WORKFLOWS)))),
            integration: maybe(4).then(|| IntegrationId(id(20 + self.index(3)))),
            statuses,
            before: maybe(3).then(moment),
            after: maybe(3).then(moment),
            offset: offset as u64,
            limit: [0, 1, 7, 100][self.index(4)],
            sort: if maybe(2) { Sort::Ascending } else { Sort::Descending },
        };
        (project, filter)
    }

    /// What a look at every execution finds.
    pub(crate) fn answer(
        &self,
        project: ProjectId,
        filter: &ExecutionFilter,
    ) -> (Vec<ExecutionId>, u64) {
        let passes = |known: &&Known| {
            known.key.project() == project
                && filter.user.as_deref().is_none_or(|user| Some(user) == known.key.user())
                && filter.workflow.is_none_or(|workflow| workflow == known.workflow)
                && filter.integration.is_none_or(|integration| integration == known.integration)
                && (filter.statuses.is_empty() || filter.statuses.contains(&known.status))
                && filter.before.is_none_or(|before| known.at < before)
                && filter.after.is_none_or(|after| known.at > after)
        };
        let passing = self.known.iter().filter(passes);
        let mut found: Vec<_> = passing.map(|known| (known.at, known.id)).collect();
        found.sort();
        if filter.sort == Sort::Descending {
            found.reverse();
        }
        let total = found.len() as u64;
        let page = found.iter().skip(filter.offset as usize).take(filter.limit);
        (page.map(|(_, id)| *id).collect(), total)
    }
}
