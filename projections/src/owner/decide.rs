//! A batch of commands into decisions.

use super::crash::Care;
use super::open::{Fetched, Opener, port_error};
use super::stamp::{self, About, record, stamp};
use super::{BATCH_COMMANDS_MAX, Decided, Owner, claim};
use crate::handover::Handed;
use domain::answer;
use domain::codec::{self, CodecError};
use domain::command::Command;
use domain::decide::{
    Given, Missing, PARKED, Rejected, Without, decide, reject, was_decided, without,
};
use domain::event::{CommandRejected, Event};
use domain::id::{EventId, ExecutionId};
use domain::meta::{Meta, Recorded};
use domain::payload::Payload;
use domain::state::{RowKey, fold, touched, touched_anyway};
use ports::{Asked, Error, Offset, Record, Stored};

/// Reads after which an unreadable end of `events` counts as lost.
const READ_BACK_TRIES_MAX: u32 = 10_000;

/// The code of a refusal: the command is damaged.
const UNREADABLE: &str = "INTERNAL";

/// Times that a decision may ask for something to be fetched.
const FETCHES_MAX: u32 = 64;

impl Owner {
    pub(super) async fn decide_batch(
        &mut self,
        handed: Vec<Handed>,
        batch: Vec<Stored>,
    ) -> Result<Vec<Decided>, Error> {
        let commands_max = BATCH_COMMANDS_MAX - handed.len();
        let mut commands = Vec::with_capacity(batch.len().min(commands_max));
        let mut next = None;
        for stored in batch.into_iter().take(commands_max) {
            next = Some(stored.offset + 1);
            if let Some(command) = read(&stored)? {
                commands.push((stored.offset, command));
            }
        }
        let readable = commands.iter().filter_map(|(_, command)| command.as_ref().ok());
        let keys = handed.iter().map(|handed| &handed.command).chain(readable);
        self.load(keys.flat_map(touched).collect()).await?;
        let mut decided = Vec::with_capacity(handed.len() + commands.len());
        for outcome in handed {
            decided.extend(self.decide_handed(outcome).await?);
        }
        for (offset, command) in commands {
            let command = match command {
                Ok(command) => command,
                Err(meta) => {
                    decided.push(self.reject_unreadable(offset, &meta).await?);
                    continue;
                }
            };
            let care = self.care(&command);
            if care != Care::None && !decided.is_empty() {
                next = Some(offset);
                break;
            }
            if care == Care::Park {
                decided.push(self.park(offset, &command).await?);
                next = Some(offset + 1);
                break;
            }
            if !self.config_reaches(&command).await? {
                next = Some(offset);
                break;
            }
            decided.push(self.decide_one(offset, &command).await?);
            // Of the configuration, the next command must see this one's outcome, which the feed
            // reads back.
            if self.seat == super::Seat::CONFIG || care == Care::Alone {
                next = Some(offset + 1);
                break;
            }
        }
        if let (Some(held), Some(next)) = (&mut self.held, next) {
            held.next = next;
        }
        Ok(decided)
    }

    /// Whether this node has folded the configuration that the command's door had seen.
    async fn config_reaches(&self, command: &Recorded<Command>) -> Result<bool, Error> {
        let wanted = command.meta.config_offset;
        if self.seat != super::Seat::CONFIG && self.world.feed.current().offset >= wanted {
            return Ok(true);
        }
        self.world.feed.refresh().await?;
        Ok(self.world.feed.current().offset >= wanted)
    }

    async fn decide_one(
        &mut self,
        offset: i64,
        command: &Recorded<Command>,
    ) -> Result<Decided, Error> {
        let run = self.consider(offset, command).await?;
        self.conclude(&command.meta, run).await
    }

    /// What is decided of a command; nothing has changed by it yet.
    pub(super) async fn consider(
        &mut self,
        offset: i64,
        command: &Recorded<Command>,
    ) -> Result<Vec<Recorded<Event>>, Error> {
        let config = self.world.feed.current();
        let clock = self.world.clock.now();
        let Some(held) = &mut self.held else {
            return Err(Error::Conflict("the partition is not held".into()));
        };
        held.advance(clock);
        // It was due by the clock of whoever fired it, which may have run ahead of this one.
        match &command.body {
            Command::FireTimer(timer) => held.advance(timer.due),
            Command::FireSchedule(schedule) => held.advance(schedule.at),
            _ => {}
        }
        let now = held.now;
        let given = Given {
            rows: &self.rows,
            config: &config,
            now,
            partitions: self.world.log.partitions(),
            schema_max: self.world.level.schema_max(),
        };
        let key = command.meta.parsed_key();
        let project = config.project(command.meta.project);
        let mut opener = Opener::of(&self.world, &self.rows, project, key.as_ref());
        let mut fetches = 0;
        let events = loop {
            match guarded(&given, &mut opener, command) {
                Ok(events) => break events,
                Err(Missing) if fetches < FETCHES_MAX => {
                    let why = match opener.fetch().await? {
                        Fetched::Now => None,
                        Fetched::Never => Some(Without::Erased),
                        Fetched::TooLarge => Some(Without::TooLarge),
                    };
                    if let Some(why) = why {
                        break without(&given, command, why);
                    }
                }
                Err(Missing) => {
                    let reason = "the decision needs more payloads than it may open";
                    break vec![reject(command, Rejected::internal(reason))];
                }
            }
            fetches += 1;
        };
        let about = About { meta: &command.meta, offset, config_offset: config.offset };
        Ok(stamp(&self.world, held, &about, events))
    }

    /// The rows are as the decision makes them.
    pub(super) async fn conclude(
        &mut self,
        cause: &Meta,
        mut run: Vec<Recorded<Event>>,
    ) -> Result<Decided, Error> {
        self.seal(&mut run).await?;
        let mut decided = self.answers(cause, run);
        self.load(touched_anyway(&decided.run)).await?;
        fold(&mut self.rows, &decided.run);
        self.repeat_answer(Asked::of(cause), &mut decided);
        Ok(decided)
    }

    /// How to go on with a command, after what happened to processes before this one. Where others
    /// may claim too, a claim without a decision proves nothing.
    fn care(&self, command: &Recorded<Command>) -> Care {
        let held = self.held.as_ref().filter(|_| self.world.log.exclusive());
        let sent_at = command.meta.occurred_at;
        match held.map_or(Care::None, |held| held.fruitless.care(&self.node, sent_at)) {
            // It was decided before; to say so again harms no one.
            Care::Park if was_decided(&self.rows, command) => Care::Alone,
            care => care,
        }
    }

    /// The record that takes the place of a decision that ends the process.
    async fn park(
        &mut self,
        offset: Offset,
        command: &Recorded<Command>,
    ) -> Result<Decided, Error> {
        tracing::error!(seat = self.seat.number(), offset, "a command is set aside: see PARKED");
        let reason = "The node crashed twice when it decided the command.";
        let rejected = CommandRejected {
            command: command.body.name().to_owned(),
            code: PARKED.to_owned(),
            reason: reason.to_owned(),
        };
        self.refuse(offset, &command.meta, rejected).await
    }

    /// The record that takes the place of a decision on a command that cannot be read.
    async fn reject_unreadable(&mut self, offset: Offset, meta: &Meta) -> Result<Decided, Error> {
        tracing::error!(seat = self.seat.number(), offset, "a command cannot be read");
        let rejected = CommandRejected {
            command: String::new(),
            code: UNREADABLE.to_owned(),
            reason: "The command cannot be read.".to_owned(),
        };
        self.refuse(offset, meta, rejected).await
    }

    /// A refusal that no decider had a say in.
    async fn refuse(
        &mut self,
        offset: Offset,
        meta: &Meta,
        rejected: CommandRejected,
    ) -> Result<Decided, Error> {
        let config_offset = self.world.feed.current().offset;
        let clock = self.world.clock.now();
        let Some(held) = &mut self.held else {
            return Err(Error::Conflict("the partition is not held".into()));
        };
        held.advance(clock);
        let about = About { meta, offset, config_offset };
        let run = stamp(&self.world, held, &about, vec![rejected.into()]);
        self.load(touched_anyway(&run)).await?;
        fold(&mut self.rows, &run);
        Ok(Decided { run, answers: Vec::new(), started: None, left: None, handed: None })
    }

    /// Seals what the decision left open.
    async fn seal(&self, run: &mut [Recorded<Event>]) -> Result<(), Error> {
        for event in run {
            let Some(key) = event.meta.parsed_key() else { continue };
            let Some(payload) = event.body.payload_mut() else { continue };
            if let Payload::Open(clear) = payload {
                self.world.vault.prepare(&key).await.map_err(port_error)?;
                *payload = self.world.vault.store(&key, clear).await.map_err(port_error)?;
            }
        }
        Ok(())
    }

    /// Who is to be told about the decision. Looks at the rows as they were before it.
    pub(super) fn answers(&self, cause: &Meta, run: Vec<Recorded<Event>>) -> Decided {
        let bodies: Vec<Event> = run.iter().map(|event| event.body.clone()).collect();
        let mut answers = Vec::new();
        let mut started = None;
        if let Some(answer) = answer::of(&bodies) {
            answers.push((Asked::of(cause), answer));
        } else if let Some(execution) = bodies.iter().find_map(Event::execution) {
            started = Some((Asked::of(cause), execution));
        }
        if let Some(execution) = bodies.iter().find_map(Event::execution)
            && let Some(live) = self.rows.execution(&RowKey::Execution(execution))
            && live.wants_response
            && let Some(answer) = answer::responded(&bodies)
        {
            answers.push((Asked { command: live.command, body_hash: live.body_hash }, answer));
        }
        let left = bodies.iter().find_map(|event| self.left(event));
        Decided { run, answers, started, left, handed: None }
    }

    /// The execution whose step was ready, waiting or running, and is so no more. An outcome may
    /// come from an owner before this one, for a step that waits here.
    fn left(&self, event: &Event) -> Option<ExecutionId> {
        let execution = match event {
            Event::StepSucceeded(e) => e.execution,
            Event::PageFetched(e) => e.execution,
            Event::StepFailed(e) => e.execution,
            Event::StepPaused(e) => e.execution,
            // Due before and due again: it goes to the end of its queue.
            Event::StepReady(e) => e.execution,
            Event::ExecutionFinished(e) => e.execution,
            Event::ItemFinished(e) => e.execution,
            _ => return None,
        };
        let live = self.rows.execution(&RowKey::Execution(execution))?;
        live.pending.as_ref().filter(|pending| pending.due.is_up()).map(|_| execution)
    }

    /// A repeated command gets the first answer, or waits on for it.
    pub(super) fn repeat_answer(&self, asked: Asked, decided: &mut Decided) {
        let repeated =
            matches!(decided.run.first().map(|event| &event.body), Some(Event::CommandRepeated(_)));
        if repeated {
            let first = self.rows.seen(asked.command).and_then(|seen| seen.answer.clone());
            decided.answers = first.into_iter().map(|answer| (asked, answer)).collect();
        }
    }

    /// Appends the decisions, the steps that begin because of them, and what has to be said before
    /// them, and waits until they stand. `false`: a newer claim came first.
    pub(super) async fn append(
        &mut self,
        admission: Option<&Recorded<Event>>,
        decided: &[Decided],
        begun: Option<&Recorded<Event>>,
    ) -> Result<bool, Error> {
        let runs = || decided.iter().flat_map(|decided| &decided.run);
        let events = || admission.into_iter().chain(runs()).chain(begun);
        let mut records: Vec<(ports::Partition, Record)> = Vec::new();
        for event in events() {
            records.push((self.seat.events, record(event)?));
        }
        let Some(last) = events().last().map(|event| event.meta.event_id) else { return Ok(true) };
        let offsets = self.world.log.append(records).await?;
        let Some(held) = &self.held else { return Ok(false) };
        // A completed append stands where nobody else writes, or nobody has: its records follow what
        // was read, and no claim is between.
        let stands = self.world.log.exclusive() || follow(held.applied, &offsets);
        #[cfg(feature = "canary")]
        let stands = stands || domain::canary::planted(domain::canary::Canary::TrustedAppend);
        if let Some(inbox) = &mut self.inbox {
            inbox.is_admitted |= admission.is_some();
        }
        if !stands {
            return self.read_back(Some(last)).await;
        }
        let Some(held) = &mut self.held else { return Ok(false) };
        for (offset, event) in offsets.iter().zip(events()) {
            if !event.body.is_of_owner() {
                held.filter.stood(&event.meta);
            }
            held.applied = offset + 1;
            held.latest = held.latest.max(event.meta.occurred_at);
        }
        if !decided.is_empty() {
            held.fruitless.decided();
        }
        Ok(true)
    }

    /// Reads this owner's events back, up to that one. `false`: a newer claim stands in front.
    pub(super) async fn read_back(&mut self, wanted: Option<EventId>) -> Result<bool, Error> {
        for _ in 0..READ_BACK_TRIES_MAX {
            let Some(held) = &mut self.held else { return Ok(false) };
            let mine = held.filter.owner();
            let batch =
                self.world.log.read(self.seat.events, held.applied, super::BATCH_BYTES_MAX).await?;
            let mut is_back = wanted.is_none();
            for stored in &batch {
                if let Some(event) = claim::event_of(stored)? {
                    let at = event.meta.occurred_at;
                    if let Some(run) = held.filter.push(stored.offset, event) {
                        is_back |= run.last().map(|(_, event)| event.meta.event_id) == wanted;
                        held.latest = held.latest.max(at);
                        held.noted(&run, at);
                    }
                }
                held.applied = stored.offset + 1;
            }
            let seen = held.filter.owner();
            if (seen.epoch, seen.incarnation) != (mine.epoch, mine.incarnation) {
                return Ok(false);
            }
            if is_back {
                return Ok(true);
            }
            self.world.log.changed(self.seat.events, held.applied).await?;
        }
        Err(Error::Unavailable("decisions do not become visible".into()))
    }
}

/// Whether records have the offsets from there on, with nothing between them.
fn follow(from: Offset, offsets: &[Offset]) -> bool {
    (from..).zip(offsets).all(|(expected, offset)| *offset == expected)
}

/// A decider that panics must not take the partition down with it: its command is rejected.
fn guarded(
    given: &Given<'_>,
    opener: &mut Opener<'_>,
    command: &Recorded<Command>,
) -> Result<Vec<Event>, Missing> {
    let attempt = std::panic::AssertUnwindSafe(|| -> Result<Vec<Event>, Missing> {
        decide(given, opener, command)
    });
    match std::panic::catch_unwind(attempt) {
        Ok(result) => result,
        Err(_) => {
            let reason = "deciding the command failed; it is parked";
            Ok(vec![reject(command, Rejected::internal(reason))])
        }
    }
}

/// The command in a record; `None` for an event, which shares the stream of the configuration. A
/// command that is damaged is its envelope, as far as that can be read.
///
/// # Errors
/// `Corrupt`: its schema is unknown to this build; a newer one can read it.
fn read(stored: &Stored) -> Result<Option<Result<Recorded<Command>, Meta>>, Error> {
    let value = &stored.record.value;
    if stored.record.is_no_command() {
        return Ok(None);
    }
    match codec::decode::<Command>(value) {
        Ok(command) => Ok(Some(Ok(command))),
        Err(error @ CodecError::Unknown { .. }) => {
            Err(Error::Corrupt(format!("command at {}: {error}", stored.offset)))
        }
        Err(_) => {
            let meta = codec::decode_meta(value).map(|(_, meta)| meta);
            Ok(Some(Err(meta.unwrap_or_else(|_| stamp::unknown(stored.offset)))))
        }
    }
}
