//! The one place where anything is decided.
//!
//! An owner holds one partition: it claims it in the log, folds what was decided before, reads
//! commands in order, decides each on its own rows, appends the decisions of a batch in one go,
//! and only when they stand lets effects and answers out. A failed append, or a newer claim,
//! makes it drop its memory and claim again. It waits for nothing but its ports, so a simulation
//! can drive it step by step.

mod claim;
mod crash;
mod decide;
mod expiry;
pub mod open;
mod release;
mod rows;
pub(crate) mod stamp;
pub mod table;

use crash::Fruitless;
use rows::Mark;
pub use rows::SAVE_AFTER_MS;

use crate::queue::{Queues, Work};
use crate::timer::Timers;
use crate::world::World;
use domain::answer::Answer;
use domain::event::Event;
use domain::id::ExecutionId;
use domain::meta::Recorded;
use domain::run::Filter;
use domain::state::Rows;
use domain::time::Timestamp;
use ports::{Asked, Error, Offset, Partition};

/// Commands decided in one go.
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
    queues: Queues,
    timers: Timers,
    /// Since when rows wait to be saved.
    unsaved_since: Option<Timestamp>,
    /// When the last batch was let out, unless nothing waited behind it.
    busy_since: Option<Timestamp>,
    /// Everything that expired before this second is gone; `None`: not looked yet, or not all.
    expired_before: Option<i64>,
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
            queues,
            timers,
            unsaved_since: None,
            busy_since: None,
            expired_before: None,
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
        let Some(held) = &self.held else { return Ok(Turn::Deposed) };
        let from = held.next;
        let batch = self.world.log.read(self.seat.commands, from, BATCH_BYTES_MAX).await?;
        if batch.is_empty() {
            self.busy_since = None;
            return self.idle(from).await;
        }
        self.busy_since.get_or_insert_with(|| self.world.clock.now());
        let decided = self.decide_batch(batch).await?;
        if decided.is_empty() {
            let next = self.held.as_ref().map_or(from, |held| held.next);
            return Ok(if next == from { Turn::Idle { next } } else { Turn::Busy });
        }
        if !self.append(&decided).await? {
            self.resign();
            return Ok(Turn::Deposed);
        }
        self.release(decided).await?;
        Ok(Turn::Busy)
    }

    /// Nothing to decide; on a shared log, a look whether somebody else has claimed meanwhile.
    async fn idle(&mut self, next: Offset) -> Result<Turn, Error> {
        if !self.world.log.exclusive() && !self.read_back(&[]).await? {
            self.resign();
            return Ok(Turn::Deposed);
        }
        Ok(Turn::Idle { next })
    }

    /// Drops everything that is not in the log.
    pub fn resign(&mut self) {
        self.held = None;
        self.rows = Rows::default();
        self.unsaved_since = None;
        self.expired_before = None;
        self.queues.clear();
        self.timers.clear();
    }

    /// The steps to perform now, as far as limits allow. Each ends with an outcome on the log.
    ///
    /// # Errors
    /// As [`Owner::turn`].
    pub async fn start(&mut self) -> Result<Vec<Work>, Error> {
        if self.held.is_none() {
            return Ok(Vec::new());
        }
        if self.queues.wants_rows() {
            self.save().await?;
            self.queues.refill(&self.world).await?;
        }
        let config = self.world.feed.current();
        let calls = self.queues.start(&config);
        self.ask_slots(&config).await?;
        self.load_work(calls).await
    }

    /// Steps that wait for their turn.
    pub fn waiting(&self) -> u64 {
        self.queues.waiting()
    }

    /// The moment of the next timer, if any is set.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.timers.next_due()
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
