//! What an owner knows: rows folded from its own events.
//!
//! A decision sees only rows of its own key. Rows are loaded before a decision ([`touched`] says
//! which), folded in memory, and written to the store after the decision stands.

mod budget;
mod execution;
mod expiry;
mod fold;
mod nested;
mod replay;
mod schedule;
mod user;

pub use budget::{Budget, LaneUse, TURN_MS};
pub use execution::{Due, Execution, Pending};
use expiry::expiring;
pub use expiry::{DELIVERY_WINDOW_MS, IDEMPOTENCY_WINDOW_MS, expires_at, is_open, second_of};
pub use fold::fold;
pub(crate) use fold::user::apply;
pub use nested::{AHEAD_MAX, ItemOf, Join, LIVE_MAX, Lineage, Nest, Nested, Pages, TestRun};
pub use replay::{REPLAYED_MAX, REPLAYED_PER_SECOND_MAX, REPLAYS_MAX, Replaying, Wanted};
pub use schedule::{Schedule, schedule_id};
pub use user::{Credential, Saved, Settings, User};

use crate::answer::Answer;
use crate::command::Command;
use crate::event::{Event, Recipient};
use crate::id::{CommandId, CredentialId, EventId, ExecutionId, IntegrationId, ProjectId, Telling};
use crate::key::Key;
use crate::meta::Recorded;
use crate::payload::Payload;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Names a row.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum RowKey {
    /// A connected user.
    User(ProjectId, String),
    /// A live execution.
    Execution(ExecutionId),
    /// A decided command.
    Seen(CommandId),
    /// Whose an account at a provider is.
    Link(ProjectId, IntegrationId, Account),
    /// A webhook delivery that came before.
    Delivery(ProjectId, IntegrationId, String),
    /// The step budget of a project.
    Budget(ProjectId),
    /// A step that waits in its user's queue, in the order of the records that made it due.
    Ready(ProjectId, String, EventId, ExecutionId),
    /// A step that waits for a moment.
    Timer(Timestamp, ExecutionId),
    /// How far the Tells of a partition were heard.
    Heard(u16),
    /// What expires in a second, counted since 1970.
    Expiry(i64),
    /// A step that waits until its integration is active again.
    Paused(IntegrationId, ExecutionId),
    /// A step that has begun, named as in [`RowKey::Ready`].
    Started(ProjectId, String, EventId, ExecutionId),
    /// A part of what a step took or gave, by the position of the step and its number: the items of
    /// a page of a fan out, or what a step of an item gave.
    Part(ExecutionId, u16, u32),
    /// A schedule that waits for a moment, by [`schedule_id`].
    Schedule(ExecutionId),
    /// Replays of an address that are under way.
    Replays(ProjectId, IntegrationId),
}

/// How a webhook names an account.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Account {
    /// By its id at the provider.
    Provider(String),
    /// By our credential.
    Credential(CredentialId),
}

impl Account {
    /// How a webhook names it: its address, if it is that of one account, else what it says.
    pub fn named(credential: Option<CredentialId>, provider_id: &str) -> Self {
        match credential {
            Some(credential) => Self::Credential(credential),
            None => Self::Provider(provider_id.to_owned()),
        }
    }
}

/// A row.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Row {
    /// See [`User`].
    User(User),
    /// See [`Execution`].
    Execution(Box<Execution>),
    /// See [`Seen`].
    Seen(Seen),
    /// The accounts' users, in order.
    Link(BTreeSet<Recipient>),
    /// When the delivery first came.
    Delivery(Timestamp),
    /// See [`Budget`].
    Budget(Budget),
    /// Something waits; what it is stands in the key.
    Waits,
    /// The last Tell that was heard. Tells come in order, so an earlier one is a repeat.
    Heard(Telling),
    /// The rows that expire.
    Expiring(BTreeSet<RowKey>),
    /// See [`Start`].
    Started(Start),
    /// See [`Nested`].
    Nested(Box<Nested>),
    /// A part of what a step took or gave, sealed.
    Part(Payload),
    /// See [`Schedule`].
    Schedule(Schedule),
    /// See [`Replaying`].
    Replays(BTreeMap<CommandId, Replaying>),
}

/// Where a step is performed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Start {
    /// The node, in this life.
    pub node: String,
    /// When it was let begin.
    pub at: Timestamp,
}

/// A command that was decided: what a repeat of it is answered.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Seen {
    /// When it was decided.
    pub at: Timestamp,
    /// Hash of the body that came with an `Idempotency-Key`.
    pub body_hash: Option<i64>,
    /// Its answer; `None`: it is still being worked on.
    pub answer: Option<Answer>,
}

/// The rows at hand, with those that changed since they were last taken.
#[derive(Clone, Default, Debug)]
pub struct Rows {
    rows: BTreeMap<RowKey, Row>,
    dirty: BTreeMap<RowKey, Before>,
}

/// What the store has of a row that changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Before {
    /// Nothing: the row began after the last save.
    Nothing,
    /// Maybe an older one.
    Something,
}

macro_rules! accessors {
    ($($get:ident $get_mut:ident $variant:ident $type:ty;)*) => { $(
        /// The row, if it exists and is loaded.
        pub fn $get(&self, key: &RowKey) -> Option<&$type> {
            match self.rows.get(key) { Some(Row::$variant(row)) => Some(row), _ => None }
        }
        /// The row, to change it.
        pub(crate) fn $get_mut(&mut self, key: &RowKey) -> Option<&mut $type> {
            match self.rows.get_mut(key) {
                Some(Row::$variant(row)) => {
                    if !self.dirty.contains_key(key) {
                        self.dirty.insert(key.clone(), Before::Something);
                    }
                    Some(row)
                }
                _ => None,
            }
        }
    )* };
}

impl Rows {
    accessors! {
        user user_mut User User;
        nested nested_mut Nested Nested;
        budget budget_mut Budget Budget;
        expiry expiry_mut Expiring BTreeSet<RowKey>;
        replays replays_mut Replays BTreeMap<CommandId, Replaying>;
    }

    /// A live execution, and what surrounds it.
    pub(crate) fn run(&self, id: ExecutionId) -> Option<(&Execution, Option<&Nest>)> {
        match self.rows.get(&RowKey::Execution(id))? {
            Row::Execution(run) => Some((run, None)),
            Row::Nested(nested) => Some((&nested.run, Some(&nested.nest))),
            _ => None,
        }
    }

    /// The live execution, if it is loaded.
    pub fn execution(&self, key: &RowKey) -> Option<&Execution> {
        match self.rows.get(key)? {
            Row::Execution(run) => Some(run),
            Row::Nested(nested) => Some(&nested.run),
            _ => None,
        }
    }

    /// The live execution, to change it.
    pub(crate) fn execution_mut(&mut self, key: &RowKey) -> Option<&mut Execution> {
        let run = match self.rows.get_mut(key)? {
            Row::Execution(run) => run,
            Row::Nested(nested) => &mut nested.run,
            _ => return None,
        };
        if !self.dirty.contains_key(key) {
            self.dirty.insert(key.clone(), Before::Something);
        }
        Some(run)
    }

    /// A part of what a step took or gave.
    pub fn part(&self, key: &RowKey) -> Option<&Payload> {
        match self.rows.get(key) {
            Some(Row::Part(part)) => Some(part),
            _ => None,
        }
    }

    /// How far the Tells of a partition were heard.
    pub fn heard(&self, partition: u16) -> Option<Telling> {
        match self.rows.get(&RowKey::Heard(partition)) {
            Some(Row::Heard(last)) => Some(*last),
            _ => None,
        }
    }

    /// What a repeat of the command is answered.
    pub fn seen(&self, id: CommandId) -> Option<&Seen> {
        match self.rows.get(&RowKey::Seen(id)) {
            Some(Row::Seen(seen)) => Some(seen),
            _ => None,
        }
    }

    /// Whose an account is.
    pub fn link(&self, key: &RowKey) -> Option<&BTreeSet<Recipient>> {
        match self.rows.get(key) {
            Some(Row::Link(link)) => Some(link),
            _ => None,
        }
    }

    /// Where a step is performed.
    pub fn start(&self, key: &RowKey) -> Option<&Start> {
        match self.rows.get(key) {
            Some(Row::Started(start)) => Some(start),
            _ => None,
        }
    }

    /// Whether the row exists and is loaded.
    pub fn contains(&self, key: &RowKey) -> bool {
        self.rows.contains_key(key)
    }

    /// Whether the row was changed, or removed, since the changes were last taken.
    pub fn is_dirty(&self, key: &RowKey) -> bool {
        self.dirty.contains_key(key)
    }

    /// The row as it is.
    pub fn get(&self, key: &RowKey) -> Option<&Row> {
        self.rows.get(key)
    }

    /// Puts in a row that was loaded from the store.
    pub fn load(&mut self, key: RowKey, row: Row) {
        self.rows.insert(key, row);
    }

    /// Sets a row.
    pub(crate) fn put(&mut self, key: RowKey, row: Row) {
        let old = self.rows.insert(key.clone(), row);
        let before = if old.is_some() { Before::Something } else { Before::Nothing };
        self.dirty.entry(key).or_insert(before);
    }

    /// Removes a row.
    pub(crate) fn remove(&mut self, key: &RowKey) -> Option<Row> {
        self.dirty.entry(key.clone()).or_insert(Before::Something);
        self.rows.remove(key)
    }

    /// Takes the keys of the rows that the store has to learn of; a key without a row was removed.
    pub fn take_dirty(&mut self) -> Vec<RowKey> {
        let dirty = std::mem::take(&mut self.dirty);
        let rows = &self.rows;
        let known = dirty
            .into_iter()
            .filter(|(key, before)| *before == Before::Something || rows.contains_key(key));
        known.map(|(key, _)| key).collect()
    }

    /// The number of rows that changed since the changes were last taken.
    pub fn dirty_len(&self) -> usize {
        self.dirty.len()
    }

    /// Forgets a loaded row that is written to the store.
    pub fn evict(&mut self, key: &RowKey) {
        self.rows.remove(key);
    }

    /// The number of rows at hand.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no row is at hand.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// The rows that deciding and folding a command may need, beside [`touched_anyway`].
pub fn touched(command: &Recorded<Command>) -> Vec<RowKey> {
    let id = command.meta.command_id;
    let mut keys = vec![match id.told() {
        Some(tell) => RowKey::Heard(tell.partition),
        None => RowKey::Seen(id),
    }];
    let project = command.meta.project;
    if let Some(Key::User(_, user)) = command.meta.parsed_key() {
        keys.push(RowKey::User(project, user));
    }
    match &command.body {
        Command::RecordOutcome(c) => keys.push(RowKey::Execution(c.execution)),
        Command::RecordPage(c) => keys.push(RowKey::Execution(c.execution)),
        Command::FireTimer(c) => keys.push(RowKey::Execution(c.execution)),
        Command::CancelExecution(c) => keys.push(RowKey::Execution(c.execution)),
        Command::PauseStep(c) => keys.push(RowKey::Execution(c.execution)),
        Command::ResumeStep(c) => keys.push(RowKey::Execution(c.execution)),
        Command::LoseStep(c) => keys.push(RowKey::Execution(c.execution)),
        Command::PauseExecution(c) => keys.push(RowKey::Execution(c.execution)),
        Command::ResumeExecution(c) => keys.push(RowKey::Execution(c.execution)),
        Command::ReceiveWebhook(c) => {
            keys.push(RowKey::Delivery(project, c.integration, c.delivery.clone()));
            let account = Account::named(c.credential, &c.provider_id);
            keys.push(RowKey::Link(project, c.integration, account));
        }
        Command::ReplayWebhook(c) => {
            let account = Account::named(c.credential, &c.provider_id);
            keys.push(RowKey::Link(project, c.integration, account));
        }
        Command::ReplayWebhooks(c) => keys.push(RowKey::Replays(project, c.integration)),
        Command::ReplayExecutions(c) => keys.push(RowKey::Replays(project, c.integration)),
        Command::ContinueReplay(c) => keys.push(RowKey::Replays(project, c.integration)),
        Command::LinkCredential(c) => {
            let by_provider = Account::Provider(c.provider_id.clone());
            let by_credential = Account::Credential(c.recipient.credential);
            keys.push(RowKey::Link(project, c.integration, by_provider));
            keys.push(RowKey::Link(project, c.integration, by_credential));
        }
        Command::SpreadWebhook(c) => {
            let account = Account::Provider(c.provider_id.clone());
            keys.push(RowKey::Link(project, c.integration, account));
        }
        Command::AskSlots(c) => keys.push(RowKey::Budget(c.project)),
        Command::SetSchedule(c) => {
            keys.push(RowKey::Schedule(schedule_id(c.workflow, c.credential)))
        }
        Command::FireSchedule(c) => {
            keys.push(RowKey::Schedule(schedule_id(c.workflow, c.credential)))
        }
        Command::ReceiveEvent(_)
        | Command::ReceiveRequest(_)
        | Command::ReplayExecution(_)
        | Command::TestWorkflow(_)
        | Command::NameVersion(_)
        | Command::SettleParked(_)
        | Command::RestoreVersion(_)
        | Command::DeliverWebhook(_)
        | Command::ContinueStarts(_)
        | Command::ConnectCredential(_)
        | Command::RemoveCredential(_)
        | Command::SwitchWorkflow(_)
        | Command::SaveSettings(_)
        | Command::StartEnabled(_)
        | Command::DescribeUser(_)
        | Command::SwitchUser(_)
        | Command::DeleteUser(_)
        | Command::HoldSlots(_)
        | Command::RecordUnsealing(_)
        | Command::ApplyProject(_) => {}
    }
    keys
}

/// The rows that folding a decision needs whatever its command names: of what it lets expire, and of
/// schedules, which anything that is said of a user may set anew.
pub fn touched_anyway(run: &[Recorded<Event>]) -> Vec<RowKey> {
    let schedules = run.iter().filter_map(|event| match &event.body {
        Event::ScheduleSet(e) => Some(RowKey::Schedule(schedule_id(e.workflow, e.credential))),
        _ => None,
    });
    expiring(run).into_iter().chain(schedules).collect()
}

/// The rows that folding an event may need, where its command is not at hand, beside
/// [`touched_anyway`].
pub fn touched_by(meta: &crate::meta::Meta, event: &Event) -> Vec<RowKey> {
    let mut keys = Vec::with_capacity(4);
    if let Some(tell) = meta.command_id.told() {
        keys.push(RowKey::Heard(tell.partition));
    }
    if let Some(Key::User(project, user)) = meta.parsed_key() {
        keys.push(RowKey::User(project, user));
    }
    if let Some(execution) = event.execution() {
        keys.push(RowKey::Execution(execution));
    }
    if let Event::ItemStarted(e) = event {
        keys.push(RowKey::Execution(e.parent));
    }
    match event {
        Event::CredentialLinked(e) => {
            let by_provider = Account::Provider(e.provider_id.clone());
            let by_credential = Account::Credential(e.recipient.credential);
            keys.push(RowKey::Link(meta.project, e.integration, by_provider));
            keys.push(RowKey::Link(meta.project, e.integration, by_credential));
        }
        Event::StepsStarted(e) => {
            keys.extend(e.steps.iter().map(|step| RowKey::Execution(step.execution)));
        }
        Event::ReplayRequested(e) => keys.push(RowKey::Replays(meta.project, e.integration)),
        Event::ExecutionsReplayRequested(e) => {
            keys.push(RowKey::Replays(meta.project, e.integration));
        }
        Event::ReplayContinued(e) => keys.push(RowKey::Replays(meta.project, e.integration)),
        Event::SlotsAsked(e) => keys.push(RowKey::Budget(e.project)),
        Event::SlotsGranted(e) => keys.push(RowKey::Budget(e.project)),
        _ => {}
    }
    keys
}
