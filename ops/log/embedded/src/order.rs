//! The order of records, fixed in memory before they are durable.
//!
//! An append gets its offsets here, under one lock, and is visible to readers from then on. The
//! writer takes what is queued, a group at a time, and reports each as durable or as void.
//!
//! When a group cannot be made durable, everything ordered and not yet durable is void, since it
//! may answer what is lost:
//! - its appends fail with `Unavailable`;
//! - it is taken back from memory, and its offsets are never used again in this process;
//! - a reader who has seen any of it, and asks for what follows, gets `Conflict`;
//! - a partition whose owner may have built on it refuses appends until that owner knows (`fence`).

mod fence;
mod lane;
mod queue;
mod reader;

use crate::layout::Layout;
use crate::options::Options;
pub(crate) use fence::Voided;
use lane::Lane;
use ports::Error;
use ports::log::{Offset, Partition, Record, Stored, Stream};
pub(crate) use queue::{Batch, Group, Item, Ticket};
use queue::{Queue, Room};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, Semaphore, oneshot};

/// What a record takes in memory beside its key and value, in bytes, roughly.
const OVERHEAD_BYTES: usize = 160;

/// A larger record cannot be appended.
const RECORD_BYTES_MAX: usize = 64 << 20;

/// Records in order, of all partitions.
pub(crate) struct Order {
    layout: Layout,
    limits: Limits,
    bytes: Arc<Semaphore>,
    records: Arc<Semaphore>,
    state: Mutex<State>,
    /// Per slot: rung when readers may have something new.
    bells: Vec<Notify>,
    /// For the writer: something is queued, or a reader has answered.
    work: Condvar,
}

/// The bounds of an order.
pub(crate) struct Limits {
    group_bytes_max: usize,
    queue_bytes_max: u32,
    queue_records_max: u32,
    tail_bytes_max: usize,
    /// None: a group never waits for answers.
    together_max: Option<Duration>,
}

struct State {
    lanes: Vec<Lane>,
    /// Slots of the records in memory, in order.
    sequence: VecDeque<u32>,
    /// How many of `sequence` are durable.
    durable: usize,
    /// What the records in memory take.
    bytes: usize,
    queue: Queue,
    /// What the writer waits for.
    writer: Waits,
    closing: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Waits {
    Nothing,
    Work,
    Answers,
}

/// What a read of the newest records came to.
pub(crate) enum Tail {
    Records(Vec<Stored>),
    /// It is in the files.
    Older,
}

impl Limits {
    pub(crate) fn new(options: &Options) -> Self {
        let permits = |max: usize| u32::try_from(max.max(1)).unwrap_or(u32::MAX >> 4);
        let together_max = Duration::from_micros(options.together_us_max);
        Self {
            group_bytes_max: options.group_bytes_max,
            queue_bytes_max: permits(options.queue_bytes_max),
            queue_records_max: permits(options.queue_records_max),
            tail_bytes_max: options.tail_bytes_max,
            together_max: options.together.then_some(together_max),
        }
    }
}

impl Order {
    /// Goes on at these offsets.
    pub(crate) fn new(layout: Layout, next: &[Offset], limits: Limits) -> Self {
        let state = State {
            lanes: next.iter().map(|next| Lane::new(*next)).collect(),
            sequence: VecDeque::new(),
            durable: 0,
            bytes: 0,
            queue: Queue::default(),
            writer: Waits::Nothing,
            closing: false,
        };
        Self {
            layout,
            bytes: Arc::new(Semaphore::new(limits.queue_bytes_max as usize)),
            records: Arc::new(Semaphore::new(limits.queue_records_max as usize)),
            limits,
            state: Mutex::new(state),
            bells: next.iter().map(|_| Notify::new()).collect(),
            work: Condvar::new(),
        }
    }

    pub(crate) fn slot(&self, partition: Partition) -> Result<usize, Error> {
        let absent = || format!("there is no partition {partition}");
        self.layout.slot(partition).ok_or_else(|| Error::Corrupt(absent()))
    }

    /// The next record of a partition that never had one gets this offset. False: it had.
    pub(crate) fn begin(&self, slot: usize, offset: Offset) -> bool {
        self.state().lanes[slot].begin(offset)
    }

    /// Waits until the queue has room, and orders the records. The receiver hears when they are
    /// durable or void.
    pub(crate) async fn append(
        &self,
        records: Vec<(Partition, Record)>,
    ) -> Result<oneshot::Receiver<Result<Vec<Offset>, Voided>>, Error> {
        let mut bytes = 0;
        let mut slots = Vec::with_capacity(records.len());
        for (partition, record) in &records {
            slots.push(self.slot(*partition)?);
            let size = queue::frame_bytes(record);
            if size > RECORD_BYTES_MAX {
                return Err(Error::Corrupt(format!("a record of {size} bytes is too large")));
            }
            bytes += size;
        }
        let permits = |count: usize, max: u32| u32::try_from(count).unwrap_or(max).min(max);
        let (records_max, bytes_max) = (self.limits.queue_records_max, self.limits.queue_bytes_max);
        let closed = |_| Error::Unavailable("the log is closed".into());
        let count = permits(records.len(), records_max);
        let records_room = self.records.clone().acquire_many_owned(count).await.map_err(closed)?;
        let count = permits(bytes, bytes_max);
        let bytes_room = self.bytes.clone().acquire_many_owned(count).await.map_err(closed)?;
        let room = Room { _records: records_room, _bytes: bytes_room };
        self.enqueue(records, &slots, room)
    }

    fn enqueue(
        &self,
        records: Vec<(Partition, Record)>,
        slots: &[usize],
        room: Room,
    ) -> Result<oneshot::Receiver<Result<Vec<Offset>, Voided>>, Error> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.state();
        if state.closing {
            return Err(Error::Unavailable("the log is closed".into()));
        }
        state.check_fences(slots)?;
        let mut offsets = Vec::with_capacity(records.len());
        let mut items = Vec::with_capacity(records.len());
        let mut answered = false;
        for ((partition, record), slot) in records.into_iter().zip(slots) {
            let offset = state.lanes[*slot].give();
            offsets.push(offset);
            let stored = Stored { offset, record };
            state.remember(*slot, stored.clone());
            answered |=
                partition.stream == Stream::Events && state.lanes[*slot - 1].reader.answered();
            items.push(Item { slot: *slot, partition, stored });
        }
        state.queue.push(Batch::new(items, Ticket { offsets, sender, _room: room }));
        let wake = match state.writer {
            Waits::Nothing => false,
            Waits::Work => true,
            Waits::Answers => answered,
        };
        if wake {
            state.writer = Waits::Nothing;
        }
        drop(state);
        if wake {
            self.work.notify_one();
        }
        self.ring(slots);
        Ok(receiver)
    }

    /// Reads the newest records.
    pub(crate) fn read(&self, slot: usize, from: Offset, bytes_max: usize) -> Result<Tail, Error> {
        let mut state = self.state();
        state.lanes[slot].reader.ask(from);
        if let Err(error) = state.lanes[slot].check(from) {
            if matches!(error, Error::Conflict(_)) {
                state.lift_fence(self.layout, slot);
            }
            return Err(error);
        }
        let tail = state.lanes[slot].read(from, bytes_max);
        let settles = fence::feeds(slot) && state.writer == Waits::Answers;
        drop(state);
        if settles {
            self.work.notify_one();
        }
        Ok(tail)
    }

    /// Behind the last durable record.
    pub(crate) fn end(&self, slot: usize) -> Offset {
        self.state().lanes[slot].durable
    }

    /// Waits until there may be something at or after `from`.
    pub(crate) async fn changed(&self, slot: usize, from: Offset) {
        let mut waiting = Waiting::new(self, slot, from);
        loop {
            let mut rung = std::pin::pin!(self.bells[slot].notified());
            rung.as_mut().enable();
            if self.state().lanes[slot].may_answer(from) {
                waiting.found = true;
                return;
            }
            rung.await;
        }
    }

    /// Waits for work; none when the log is closed and everything queued was taken.
    pub(crate) fn gather(&self) -> Option<Group> {
        let mut state = self.state();
        while state.queue.is_empty() {
            if state.closing {
                return None;
            }
            state.writer = Waits::Work;
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.writer = Waits::Nothing;
        let mut group = Group::default();
        state.queue.take(&mut group, self.limits.group_bytes_max);
        if let Some(max) = self.limits.together_max {
            state = self.await_answers(state, &group, max);
            state.queue.take(&mut group, self.limits.group_bytes_max);
        }
        Some(group)
    }

    /// Waits until the readers of the group's commands have answered them, or are too slow.
    fn await_answers<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        group: &Group,
        max: Duration,
    ) -> MutexGuard<'a, State> {
        let deadline = Instant::now() + max;
        let mut asked = state.unanswered(group);
        while !asked.is_empty() && !state.closing {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                for (slot, _) in asked {
                    state.lanes[slot].reader.lapse();
                }
                break;
            }
            state.writer = Waits::Answers;
            (state, _) =
                self.work.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
            asked.retain(|(slot, end)| state.lanes[*slot].reader.owes(*end));
        }
        state.writer = Waits::Nothing;
        state
    }

    /// A group is durable, and can be read from the files.
    pub(crate) fn durable(&self, group: &Group) {
        let mut state = self.state();
        for item in group.items() {
            state.lanes[item.slot].durable = item.stored.offset + 1;
            state.durable += 1;
        }
        state.forget(self.limits.tail_bytes_max);
    }

    /// A group could not be made durable: it and everything behind it is void. The tickets are to
    /// be answered with what is void for them.
    pub(crate) fn void(self: &Arc<Self>, group: Group, why: &str) -> Vec<(Ticket, Voided)> {
        let mut state = self.state();
        state.take_back();
        let mut batches = group.batches;
        batches.extend(state.queue.drain());
        let mut failed = Vec::new();
        let mut slots = Vec::new();
        for batch in batches {
            slots.extend(batch.items.iter().map(|item| item.slot));
            if let Some(ticket) = batch.ticket {
                let mut fenced = std::mem::take(&mut slots);
                fenced.sort_unstable();
                fenced.dedup();
                fenced.retain(|slot| fence::guards(*slot));
                for slot in &fenced {
                    state.lanes[*slot].fence.raise();
                }
                failed.push((ticket, Voided::new(self.clone(), fenced, why)));
            }
        }
        for slot in 0..state.lanes.len() {
            if state.lanes[slot].void() && (fence::guards(slot) || fence::feeds(slot)) {
                let guarded = if fence::guards(slot) { slot } else { slot + 1 };
                state.lanes[guarded].fence.mark_seen();
            }
        }
        drop(state);
        self.bells.iter().for_each(Notify::notify_waiters);
        failed
    }

    /// The owner of these slots has heard that an append of its failed.
    fn told(&self, slots: &[usize]) {
        let mut state = self.state();
        for slot in slots {
            state.lanes[*slot].fence.lower();
        }
    }

    /// Takes no more appends. What is queued is still written.
    pub(crate) fn close(&self) {
        self.state().closing = true;
        self.work.notify_one();
        self.bells.iter().for_each(Notify::notify_waiters);
    }

    fn ring(&self, slots: &[usize]) {
        let mut last = None;
        for slot in slots {
            if last != Some(slot) {
                self.bells[*slot].notify_waiters();
            }
            last = Some(slot);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn check_fences(&mut self, slots: &[usize]) -> Result<(), Error> {
        for slot in slots {
            if fence::guards(*slot) && self.lanes[*slot].fence.refuses() {
                let why = "records that this append may build on were lost: reload and claim again";
                return Err(Error::Unavailable(why.into()));
            }
        }
        Ok(())
    }

    /// The reader of this slot has been told.
    fn lift_fence(&mut self, layout: Layout, slot: usize) {
        if fence::guards(slot) && !fence::pairs(slot) {
            self.lanes[slot].fence.lift();
        }
        if fence::feeds(slot) && slot + 1 < layout.slots() {
            self.lanes[slot + 1].fence.lift();
        }
    }

    fn remember(&mut self, slot: usize, stored: Stored) {
        self.bytes += weight(&stored);
        self.sequence.push_back(slot as u32);
        self.lanes[slot].push(stored);
    }

    /// Forgets durable records, the oldest first, until the rest fits.
    fn forget(&mut self, bytes_max: usize) {
        while self.bytes > bytes_max && self.durable > 0 {
            let Some(slot) = self.sequence.pop_front() else { return };
            self.durable -= 1;
            self.bytes -= self.lanes[slot as usize].pop_oldest().map_or(0, |s| weight(&s));
        }
    }

    /// Forgets what is not durable.
    fn take_back(&mut self) {
        while self.sequence.len() > self.durable {
            let Some(slot) = self.sequence.pop_back() else { return };
            self.bytes -= self.lanes[slot as usize].pop_newest().map_or(0, |s| weight(&s));
        }
    }

    /// The slots of commands in the group whose readers owe answers, and up to where.
    fn unanswered(&self, group: &Group) -> Vec<(usize, Offset)> {
        let mut ends: Vec<(usize, Offset)> = Vec::new();
        for item in group.items().filter(|item| item.partition.stream == Stream::Commands) {
            let end = item.stored.offset + 1;
            match ends.iter_mut().find(|(slot, _)| *slot == item.slot) {
                Some(known) => known.1 = end,
                None => ends.push((item.slot, end)),
            }
        }
        ends.retain(|(slot, end)| self.lanes[*slot].reader.owes(*end));
        ends
    }
}

fn weight(stored: &Stored) -> usize {
    stored.record.key.len() + stored.record.value.len() + OVERHEAD_BYTES
}

/// A reader in `changed`, for as long as it is there.
struct Waiting<'a> {
    order: &'a Order,
    slot: usize,
    found: bool,
}

impl<'a> Waiting<'a> {
    fn new(order: &'a Order, slot: usize, from: Offset) -> Self {
        let mut state = order.state();
        state.lanes[slot].reader.wait(from);
        if state.writer == Waits::Answers {
            order.work.notify_one();
        }
        Self { order, slot, found: false }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.order.state();
        state.lanes[self.slot].reader.leave();
        if self.found {
            state.lanes[self.slot].reader.attend();
        }
    }
}
