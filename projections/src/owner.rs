//! The one place where anything is decided.
//!
//! An owner holds one partition: it claims it in the log, folds what was decided before, reads
//! commands in order, decides each on its own rows, appends the decisions of a batch in one go,
//! and only when they stand lets effects and answers out. A failed append, or a newer claim,
//! makes it drop its memory and claim again. It waits for nothing but its ports, so a simulation
//! can drive it step by step.

mod begin;
mod checkpoint;
mod claim;
mod crash;
mod decide;
mod expiry;
mod follow;
mod handed;
pub mod open;
mod pause;
mod release;
mod replay;
mod rows;
mod schedule;
pub(crate) mod stamp;
pub mod table;

use begin::Lent;
use checkpoint::Mark;
use crash::Fruitless;
use replay::Replays;
pub use rows::SAVE_AFTER_MS;

use crate::handover::Inbox;
use crate::queue::{Queues, Work};
use crate::timer::Timers;
use crate::under_way::Attempt;
use crate::world::World;
use domain::answer::Answer;
use domain::config::Config;
use domain::event::Event;
use domain::id::ExecutionId;
use domain::meta::Recorded;
use domain::run::Filter;
use domain::state::Rows;
use domain::time::Timestamp;
use ports::{Asked, Error, Offset, Partition};
use std::collections::VecDeque;
use tokio::sync::oneshot;

/// Commands decided in one go. Who follows an owner relies on it (`follow.rs`): nodes of an older
/// version may be at the log, so it never rises.
pub const BATCH_COMMANDS_MAX: usize = 512;
/// Bytes of commands read in one go: about as many as are decided in one go. More would be read
/// again with the next batch.
const BATCH_BYTES_MAX: usize = 512 * 1024;
/// Rows kept at hand between batches.
const ROWS_MAX: usize = 8_192;

/// Which partition an owner holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seat {
    /// Where commands come from.
    pub commands: Partition,
    /// Where decisions go.
    pub events: Partition,
}

impl Seat {
    /// The seat of a partition of `commands` and `events`.
    pub fn of(number: u16) -> Self {
        Self { commands: Partition::commands(number), events: Partition::events(number) }
    }

    /// The seat of the configuration: commands and events share one stream.
    pub const CONFIG: Self = Self { commands: Partition::CONFIG, events: Partition::CONFIG };

    /// The number in front of the seat's rows.
    pub fn number(&self) -> u16 {
        if *self == Self::CONFIG { u16::MAX } else { self.events.number }
    }
}

/// The owner of one partition.
pub struct Owner {
    world: World,
    seat: Seat,
    node: String,
    rows: Rows,
    held: Option<Held>,
    /// How far it follows the owner that holds the partition.
    standby: Option<Held>,
    queues: Queues,
    timers: Timers,
    replays: Replays,
    /// Since when rows wait to be saved.
    unsaved_since: Option<Timestamp>,
    /// When the last batch was let out, unless nothing waited behind it.
    busy_since: Option<Timestamp>,
    /// The configuration at which paused steps were last looked at.
    taken_up_at: Option<Offset>,
    /// Everything that expired before this second is gone; `None`: not looked yet, or not all.
    expired_before: Option<i64>,
    /// Which users may have schedules that are not set.
    schedules: schedule::Look,
    /// Steps that begin now.
    works: Vec<Work>,
    /// Whether steps begin.
    begins: bool,
    /// What an owner before this one let begin.
    lent: Lent,
    /// What this node let begin, says the log, and may not have.
    doubtful: Vec<Attempt>,
    /// Outcomes of what this node performed, while it holds the partition.
    inbox: Option<Inbox>,
}

/// What an owner knows while it holds its partition.
struct Held {
    filter: Filter,
    /// The first record of `events` that was not read back.
    applied: Offset,
    /// From where on Tells have to be let out again; `None`: they were.
    untold: Option<Mark>,
    /// The first command that was not decided.
    next: Offset,
    /// Never before the last event of the partition.
    now: Timestamp,
    /// When the last event that stands happened.
    latest: Timestamp,
    /// Who claimed since the last decision, without one of their own.
    fruitless: Fruitless,
    /// Counts the events of that millisecond, so that their ids rise.
    count: u32,
    /// Where the latest decisions of another owner begin.
    recent: VecDeque<Mark>,
}

impl Held {
    /// The partition's moment moves on with the clock, and never back.
    fn advance(&mut self, clock: Timestamp) {
        if clock > self.now {
            (self.now, self.count) = (clock, 0);
        }
    }
}

/// What a turn did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// It decided commands; there may be more.
    Busy,
    /// There was nothing to decide up to this offset of the seat's commands.
    Idle {
        /// The first command that is not there yet.
        next: Offset,
    },
    /// Another owner holds the partition.
    Deposed,
}

/// A decision that waits until it stands.
struct Decided {
    run: Vec<Recorded<Event>>,
    answers: Vec<(Asked, Answer)>,
    started: Option<(Asked, ExecutionId)>,
    /// The execution whose step was ready before, and is so no more.
    left: Option<ExecutionId>,
    /// Who handed over what it is about, and waits until it stands.
    handed: Option<oneshot::Sender<()>>,
}

impl Owner {
    /// An owner that holds nothing yet.
    pub fn new(world: World, seat: Seat, node: impl Into<String>) -> Self {
        let (queues, timers) = (Queues::new(seat.number()), Timers::new(seat.number()));
        let (node, rows) = (node.into(), Rows::default());
        Self {
            world,
            seat,
            node,
            rows,
            held: None,
            standby: None,
            queues,
            timers,
            replays: Replays::default(),
            unsaved_since: None,
            busy_since: None,
            taken_up_at: None,
            expired_before: None,
            schedules: schedule::Look::default(),
            works: Vec::new(),
            begins: true,
            lent: Lent::default(),
            doubtful: Vec::new(),
            inbox: None,
        }
    }

    /// The seat that it wants or holds.
    pub fn seat(&self) -> Seat {
        self.seat
    }

    /// Whether it holds the partition, as far as it knows.
    pub fn holds(&self) -> bool {
        self.held.is_some()
    }

    /// One turn: claims if it must, decides a batch, lets out what stands.
    ///
    /// # Errors
    /// `Unavailable`, `Conflict`: its memory is dropped; call again. `Corrupt`: stop.
    pub async fn turn(&mut self) -> Result<Turn, Error> {
        let result = self.attempt().await;
        if result.is_err() {
            self.resign();
        }
        result
    }

    async fn attempt(&mut self) -> Result<Turn, Error> {
        if self.held.is_none() && !self.claim().await? {
            return Ok(Turn::Deposed);
        }
        self.open_inbox();
        let config = self.world.feed.current();
        self.fetch_up(&config).await?;
        let turn = self.decide_and_begin(&config).await?;
        if turn != Turn::Deposed {
            self.ask_slots(&self.world.feed.current()).await?;
        }
        Ok(turn)
    }

    async fn decide_and_begin(&mut self, config: &Config) -> Result<Turn, Error> {
        let Some(held) = &self.held else { return Ok(Turn::Deposed) };
        let from = held.next;
        let batch = self.world.log.read(self.seat.commands, from, BATCH_BYTES_MAX).await?;
        let handed = self.inbox.as_mut().map_or_else(Vec::new, Inbox::take);
        let admission = self.admission(&handed);
        let decided = match batch.is_empty() && handed.is_empty() {
            true => Vec::new(),
            false => {
                self.busy_since.get_or_insert_with(|| self.world.clock.now());
                self.decide_batch(handed, batch).await?
            }
        };
        decided.iter().for_each(|one| self.queue_up(one));
        let beginning = self.begin(config).await?;
        if decided.is_empty() && beginning.is_empty() {
            return self.idle(from).await;
        }
        let (first, last) = (admission.as_ref(), beginning.record.as_ref());
        if !self.append(first, &decided, last).await? {
            self.resign();
            return Ok(Turn::Deposed);
        }
        self.release(decided).await?;
        self.set_aside(&beginning.held_up).await?;
        self.works.extend(beginning.works);
        Ok(Turn::Busy)
    }

    /// Reads what queues and pauses keep in the store. Only now: everything at hand stands.
    async fn fetch_up(&mut self, config: &Config) -> Result<(), Error> {
        if self.queues.wants_rows() {
            self.save().await?;
            self.queues.refill(&self.world).await?;
        }
        self.look_at_schedules(config).await?;
        self.take_up(config).await
    }

    /// Nothing was decided; on a shared log, a look whether somebody else has claimed meanwhile.
    async fn idle(&mut self, from: Offset) -> Result<Turn, Error> {
        let next = self.held.as_ref().map_or(from, |held| held.next);
        if next != from {
            return Ok(Turn::Busy);
        }
        self.busy_since = None;
        if !self.world.log.exclusive() && !self.read_back(None).await? {
            self.resign();
            return Ok(Turn::Deposed);
        }
        Ok(Turn::Idle { next })
    }

    /// Drops everything that is not in the log.
    pub fn resign(&mut self) {
        self.held = None;
        self.standby = None;
        self.inbox = None;
        self.rows = Rows::default();
        self.unsaved_since = None;
        self.taken_up_at = None;
        self.expired_before = None;
        self.schedules = schedule::Look::default();
        self.works.clear();
        self.lent = Lent::default();
        self.queues.clear();
        self.timers.clear();
        self.replays = Replays::default();
    }

    /// Takes the steps that turns let begin. Each ends with an outcome on the log.
    pub fn take_works(&mut self) -> Vec<Work> {
        std::mem::take(&mut self.works)
    }

    /// Whether steps begin from now on; those that have begun go on.
    pub fn let_begin(&mut self, begins: bool) {
        self.begins = begins;
    }

    /// Waits until an outcome is handed over; for ever, while it does not hold its partition.
    pub async fn handed(&mut self) {
        match &mut self.inbox {
            Some(inbox) => inbox.wait().await,
            None => std::future::pending().await,
        }
    }

    /// Steps that wait for their turn.
    pub fn waiting(&self) -> u64 {
        self.queues.waiting()
    }

    /// The moment of the next timer or piece of a replay, if any is set; long ago while there is
    /// something to look for.
    pub fn next_due(&self) -> Option<Timestamp> {
        match self.schedules.goes_on() {
            true => Some(Timestamp(i64::MIN)),
            false => self.timers.next_due().into_iter().chain(self.replays.next_due()).min(),
        }
    }

    /// Appends a command for each timer that is due. Firing twice is harmless.
    ///
    /// # Errors
    /// As [`Owner::turn`].
    pub async fn fire(&mut self) -> Result<usize, Error> {
        let Some(held) = &self.held else { return Ok(0) };
        let now = held.now.max(self.world.clock.now());
        if self.timers.wants_rows(now) {
            self.save().await?;
        }
        let due = self.timers.due(&self.world, now).await?;
        self.fire_all(due).await
    }
}
