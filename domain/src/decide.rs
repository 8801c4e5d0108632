//! Commands into events.
//!
//! `decide` is the only place where anything is decided. It sees the rows of one key, the
//! configuration, the moment, and opens what it needs through [`Open`]; it answers with events,
//! never none: a command that changes nothing leaves a [`CommandRejected`] or a
//! [`CommandRepeated`].

mod address;
mod advance;
mod budget;
mod fan_out;
mod outcome;
mod page;
mod pause;
mod permission;
mod replay;
mod run;
mod schedule;
mod settings;
mod test;
mod user;

pub use page::PAGES_MAX;
pub use schedule::is_other as is_other_schedule;
pub use user::{MADE_CONFIGURATION, made_id};

use crate::command::Command;
use crate::config::{Config, Project};
use crate::event::{CommandRejected, CommandRepeated, Event, ParkedSettled, PayloadsUnsealed};
use crate::key::Key;
use crate::meta::Recorded;
use crate::payload::Payload;
use crate::state::{Lineage, Rows};
use crate::time::Timestamp;
use crate::workflow::Scope;
use crate::workflow::reference::Needs;
use serde_json::Value;

/// A decision has at most so many events; larger work goes on by recorded continuations.
pub const DECISION_EVENTS_MAX: usize = 1_000;

/// The code of a refusal: the `Idempotency-Key` came before with another body.
pub(crate) const REUSED: &str = "IDEMPOTENCY_KEY_REUSED";

/// The code of a refusal: deciding the command ended the process.
pub const PARKED: &str = "PARKED";

/// What a decision may look at.
pub struct Given<'a> {
    /// The rows of the key.
    pub rows: &'a Rows,
    /// Every project.
    pub config: &'a Config,
    /// The partition's moment.
    pub now: Timestamp,
    /// The number of partitions of the log.
    pub partitions: u16,
    /// The highest schema that may be written: nodes of an older build may be at the log.
    pub schema_max: u32,
}

/// Opens sealed values for a decision. It does no IO: what is not at hand is [`Missing`], fetched
/// by the owner's shell, and the decision is asked for again.
pub trait Open {
    /// The values that a step of the run can refer to, as far as it needs them.
    fn scope(&mut self, run: &Lineage<'_>, needs: &Needs) -> Result<Scope, Missing>;

    /// A payload of the key that holds JSON; null if it does not.
    fn json(&mut self, key: &Key, payload: &Payload) -> Result<Value, Missing>;
}

/// Something sealed is not at hand yet. The opener knows what; ask again when it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Missing;

/// Why a command changes nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rejected {
    /// A public error code.
    pub code: &'static str,
    /// Why, for people.
    pub reason: String,
}

impl Rejected {
    pub(crate) fn new(code: &'static str, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// Something is wrong with Millrace itself.
    pub fn internal(reason: impl Into<String>) -> Self {
        Self::new("INTERNAL", reason)
    }
}

/// The outcome of looking at a command: events, a refusal, or something missing.
pub(crate) enum Halt {
    Rejected(Rejected),
    Missing,
}

impl From<Rejected> for Halt {
    fn from(rejected: Rejected) -> Self {
        Halt::Rejected(rejected)
    }
}

impl From<Missing> for Halt {
    fn from(_: Missing) -> Self {
        Halt::Missing
    }
}

/// Decides a command: at least one event.
///
/// # Errors
/// [`Missing`]: something sealed is not at hand; fetch it and decide again.
pub fn decide(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
) -> Result<Vec<Event>, Missing> {
    if let Some(repeat) = repeated(given, command) {
        return Ok(vec![repeat]);
    }
    match dispatch(given, open, command) {
        Ok(events) => Ok(events),
        Err(Halt::Missing) => Err(Missing),
        Err(Halt::Rejected(rejected)) => Ok(vec![reject(command, rejected)]),
    }
}

/// Why something that a command needs cannot be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Without {
    /// It cannot be read any more.
    Erased,
    /// It is more than a decision may look at.
    TooLarge,
}

impl Without {
    fn code(self) -> &'static str {
        match self {
            Without::Erased => "DATA_ERASED",
            Without::TooLarge => "INPUT_TOO_LARGE",
        }
    }
}

/// What is decided where something that the command needs cannot be had: a run that waits for it
/// ends, anything else is refused.
pub fn without(given: &Given<'_>, command: &Recorded<Command>, why: Without) -> Vec<Event> {
    let reason = match why {
        Without::Erased => "What the command needs cannot be read any more.",
        Without::TooLarge => "The command needs more than may be looked at.",
    };
    let at = match &command.body {
        Command::RecordOutcome(c) => Some((c.execution, c.step, c.attempt)),
        Command::RecordPage(c) => Some((c.execution, c.step, c.attempt)),
        Command::FireTimer(c) => Some((c.execution, c.step, c.attempt)),
        Command::ResumeStep(c) => Some((c.execution, c.step, c.attempt)),
        Command::LoseStep(c) => Some((c.execution, c.step, c.attempt)),
        _ => None,
    };
    let ended = at.and_then(|at| outcome::ended(given, command, at, why.code()));
    ended.unwrap_or_else(|| vec![reject(command, Rejected::new(why.code(), reason))])
}

/// A record that the command was refused.
pub fn reject(command: &Recorded<Command>, rejected: Rejected) -> Event {
    Event::CommandRejected(CommandRejected {
        command: command.body.name().to_owned(),
        code: rejected.code.to_owned(),
        reason: rejected.reason,
    })
}

/// Whether a command was decided before. The rows that [`crate::state::touched`] names are loaded.
pub fn was_decided(rows: &Rows, command: &Recorded<Command>) -> bool {
    let id = command.meta.command_id;
    match id.told() {
        Some(tell) => rows.heard(tell.partition).is_some_and(|last| tell <= last),
        None => rows.seen(id).is_some(),
    }
}

fn repeated(given: &Given<'_>, command: &Recorded<Command>) -> Option<Event> {
    if command.meta.command_id.told().is_some() {
        let is_repeat = was_decided(given.rows, command);
        #[cfg(feature = "canary")]
        let is_repeat = is_repeat && !crate::canary::planted(crate::canary::Canary::RepeatedTell);
        return is_repeat.then(|| repeat(command));
    }
    let seen = given.rows.seen(command.meta.command_id)?;
    if seen.body_hash != command.meta.body_hash {
        let reason = "The Idempotency-Key was used before with another body. Use a new key.";
        return Some(reject(command, Rejected::new(REUSED, reason)));
    }
    Some(repeat(command))
}

fn repeat(command: &Recorded<Command>) -> Event {
    Event::CommandRepeated(CommandRepeated { command: command.body.name().to_owned() })
}

fn dispatch(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
) -> Result<Vec<Event>, Halt> {
    match &command.body {
        Command::ReceiveEvent(c) => run::receive_event(given, open, command, c),
        Command::ReceiveRequest(c) => run::receive_request(given, open, command, c),
        Command::DeliverWebhook(c) => run::deliver_webhook(given, open, command, c),
        Command::StartEnabled(c) => run::start_enabled(given, open, command, c),
        Command::ContinueStarts(c) => run::continue_starts(given, open, command, c),
        Command::RemoveCredential(c) => user::remove(given, command, c),
        Command::DeleteUser(_) => user::delete(given, command),
        Command::ConnectCredential(_)
        | Command::SwitchWorkflow(_)
        | Command::SaveSettings(_)
        | Command::DescribeUser(_)
        | Command::SwitchUser(_) => {
            let events = on_user(given, open, command)?;
            schedule::after(given, open, command, events)
        }
        Command::RecordOutcome(c) => outcome::record(given, open, command, c),
        Command::RecordPage(c) => page::record(given, command, c),
        Command::FireTimer(c) => outcome::fire(given, open, command, c),
        Command::CancelExecution(c) => outcome::cancel(given, command, c),
        Command::PauseStep(c) => pause::pause(given, open, command, c),
        Command::ResumeStep(c) => pause::resume(given, open, command, c),
        Command::LoseStep(c) => outcome::lose(given, open, command, c),
        Command::PauseExecution(c) => pause::pause_run(given, command, c),
        Command::ResumeExecution(c) => pause::resume_run(given, open, command, c),
        Command::SetSchedule(c) => schedule::set(given, open, command, c),
        Command::FireSchedule(c) => schedule::fire(given, open, command, c),
        Command::ReceiveWebhook(c) => Ok(address::receive(given, command, c)),
        Command::SpreadWebhook(c) => Ok(address::spread(given, command, c)),
        Command::LinkCredential(c) => Ok(address::link(c)),
        Command::ReplayWebhook(c) => replay::webhook::one(given, command, c),
        Command::ReplayWebhooks(c) => replay::webhook::many(given, command, c),
        Command::ReplayExecution(c) => replay::execution::one(given, open, command, c),
        Command::ReplayExecutions(c) => replay::execution::many(given, command, c),
        Command::TestWorkflow(c) => test::run(given, open, command, c),
        Command::ContinueReplay(c) => replay::go_on(given, command, c),
        Command::AskSlots(c) => Ok(budget::ask(given, command, c)),
        Command::HoldSlots(c) => Ok(budget::hold(c)),
        Command::RecordUnsealing(c) => Ok(vec![Event::PayloadsUnsealed(PayloadsUnsealed {
            who: c.who.clone(),
            command: c.command.clone(),
            filter: c.filter.clone(),
        })]),
        Command::SettleParked(c) => Ok(vec![Event::ParkedSettled(ParkedSettled {
            parked: c.parked,
            settlement: c.settlement,
        })]),
        Command::NameVersion(c) => Ok(crate::config::name_version(project_of(given, command)?, c)?),
        Command::RestoreVersion(c) => {
            let project = project_of(given, command)?;
            Ok(crate::config::restore_version(project, c, given.schema_max)?)
        }
        Command::ApplyProject(c) => {
            crate::config::decide_apply(given.config, c, given.schema_max).map_err(Halt::Rejected)
        }
    }
}

/// What switches workflows of a user, or says something of the user.
fn on_user(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
) -> Result<Vec<Event>, Halt> {
    match &command.body {
        Command::ConnectCredential(c) => user::connect(given, open, command, c),
        Command::SwitchWorkflow(c) => user::switch_workflow(given, open, command, c),
        Command::SaveSettings(c) => settings::save(given, open, command, c),
        Command::DescribeUser(c) => user::describe(given, open, command, c),
        Command::SwitchUser(c) => Ok(user::switch(c)),
        _ => Err(Rejected::internal("The command is not about a user.").into()),
    }
}

/// The user that the command belongs to.
fn user_key(command: &Recorded<Command>) -> Result<(Key, String), Rejected> {
    match command.meta.parsed_key() {
        Some(Key::User(project, user)) => Ok((Key::User(project, user.clone()), user)),
        _ => Err(Rejected::new("INTERNAL", "The command is not addressed to a user.")),
    }
}

fn project_of<'a>(given: &Given<'a>, command: &Recorded<Command>) -> Result<&'a Project, Rejected> {
    given.config.project(command.meta.project).ok_or_else(|| {
        Rejected::new("PROJECT_UNKNOWN", format!("No project {}.", command.meta.project))
    })
}
