//! The newest records of every partition that somebody follows, in memory.
//!
//! One consumer and one thread fill the lanes. A lane begins where its partition ended when it was
//! first asked for, holds a bounded number of bytes, and forgets its oldest records: it never waits
//! for a slow reader.

use crate::connect::{Ear, reader, unavailable};
use crate::header::from_kafka;
use crate::options::Options;
use crate::topic::Topics;
use bytes::Bytes;
use ports::{Error, Offset, Partition, Record, Stored};
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::topic_partition_list::TopicPartitionList;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long the thread waits for a record before it looks whether it should stop.
const POLL: Duration = Duration::from_millis(100);
/// Pause before a partition is asked for again that is about to have another leader.
const MOVING_PAUSE: Duration = Duration::from_millis(100);
/// Records taken in before those who wait are woken.
const POLLED_MAX: usize = 1_000;

type Lanes = RwLock<HashMap<Partition, Arc<Lane>>>;

/// The lanes, and the thread that fills them.
pub(crate) struct Tails {
    options: Options,
    shared: Arc<Shared>,
    /// Lanes are added one at a time.
    adding: tokio::sync::Mutex<()>,
    thread: Option<std::thread::JoinHandle<()>>,
}

struct Shared {
    topics: Topics,
    consumer: BaseConsumer<Ear>,
    lanes: Lanes,
    stopped: AtomicBool,
}

/// The newest records of one partition.
pub(crate) struct Lane {
    bytes_max: usize,
    state: Mutex<State>,
    /// The offset after the last record taken in.
    next: watch::Sender<Offset>,
}

#[derive(Default)]
struct State {
    records: VecDeque<Stored>,
    bytes: usize,
    /// Readers from here on are served.
    first: Offset,
    /// The offset after the last record taken in.
    next: Offset,
    /// What this process appended ends here, as far as it knows.
    appended: Offset,
    /// Why the partition cannot be read any further.
    broken: Option<String>,
}

/// What a lane has for a reader.
pub(crate) enum Found {
    /// Records, at least one.
    Records(Vec<Stored>),
    /// Nothing is there yet.
    Nothing,
    /// The lane begins behind it.
    Older,
    /// The lane ends in front of it, and no one here has appended that much.
    Ahead,
}

impl Tails {
    /// Starts the thread.
    pub(crate) fn start(options: &Options, topics: &Topics) -> Result<Self, Error> {
        let consumer = reader(options)
            .create_with_context(Ear::default())
            .map_err(|error| unavailable(options, &error))?;
        let shared = Arc::new(Shared {
            topics: topics.clone(),
            consumer,
            lanes: RwLock::default(),
            stopped: AtomicBool::new(false),
        });
        let filled = shared.clone();
        let thread = std::thread::Builder::new()
            .name("kafka-tail".into())
            .spawn(move || filled.run())
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        let options = options.clone();
        Ok(Self { options, shared, adding: tokio::sync::Mutex::default(), thread: Some(thread) })
    }

    /// The lane of a partition, if somebody has asked for it before.
    pub(crate) fn known(&self, partition: Partition) -> Option<Arc<Lane>> {
        held(&self.shared.lanes).get(&partition).cloned()
    }

    /// The lane of a partition, which is followed from now on.
    pub(crate) async fn lane(&self, partition: Partition) -> Result<Arc<Lane>, Error> {
        if let Some(lane) = self.known(partition) {
            return Ok(lane);
        }
        let _alone = self.adding.lock().await;
        if let Some(lane) = self.known(partition) {
            return Ok(lane);
        }
        let (_, end) = self.watermarks(partition).await?;
        let (topic, number) = self.shared.topics.place(partition)?;
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, number, rdkafka::Offset::Offset(end))
            .map_err(|error| unavailable(&self.options, &error))?;
        let lane = Arc::new(Lane::starting_at(end, self.options.tail_bytes_max));
        let mut lanes = self.shared.lanes.write().unwrap_or_else(PoisonError::into_inner);
        lanes.insert(partition, lane.clone());
        drop(lanes);
        if let Err(error) = self.shared.consumer.incremental_assign(&list) {
            self.shared.lanes.write().unwrap_or_else(PoisonError::into_inner).remove(&partition);
            return Err(unavailable(&self.options, &error));
        }
        Ok(lane)
    }

    /// The first offset that retention kept, and the one behind the last record.
    pub(crate) async fn watermarks(&self, partition: Partition) -> Result<(Offset, Offset), Error> {
        let (topic, number) = self.shared.topics.place(partition)?;
        let (topic, shared) = (topic.to_owned(), self.shared.clone());
        let timeout = Duration::from_millis(self.options.request_timeout_ms);
        let asked = tokio::task::spawn_blocking(move || {
            let deadline = Instant::now() + timeout;
            loop {
                match shared.consumer.fetch_watermarks(&topic, number, timeout) {
                    Err(error) if is_moving(&error) && Instant::now() < deadline => {
                        std::thread::sleep(MOVING_PAUSE);
                    }
                    answer => return answer,
                }
            }
        });
        match asked.await {
            Ok(answer) => answer.map_err(|error| unavailable(&self.options, &error)),
            Err(error) => Err(Error::Unavailable(error.to_string())),
        }
    }
}

impl Drop for Tails {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that reads from Kafka panicked");
        }
    }
}

impl Shared {
    fn run(&self) {
        let mut touched: Vec<Arc<Lane>> = Vec::new();
        while !self.stopped.load(Ordering::Acquire) {
            let mut timeout = POLL;
            for _ in 0..POLLED_MAX {
                let Some(polled) = self.consumer.poll(timeout) else { break };
                timeout = Duration::ZERO;
                match polled {
                    Ok(message) => self.take(&message, &mut touched),
                    Err(error) => self.note(&error, &mut touched),
                }
            }
            touched.drain(..).for_each(|lane| lane.wake());
        }
    }

    fn take(&self, message: &BorrowedMessage<'_>, touched: &mut Vec<Arc<Lane>>) {
        let partition = self.topics.partition(message.topic(), message.partition());
        let lane = partition.and_then(|partition| held(&self.lanes).get(&partition).cloned());
        let Some(lane) = lane else { return };
        match stored(message) {
            Ok(stored) => lane.push(stored),
            Err(error) => lane.break_off(error.to_string()),
        }
        if !touched.iter().any(|one| Arc::ptr_eq(one, &lane)) {
            touched.push(lane);
        }
    }

    /// Errors pass by themselves, but for an offset that is not there any more.
    fn note(&self, error: &KafkaError, touched: &mut Vec<Arc<Lane>>) {
        let code = error.rdkafka_error_code();
        if !matches!(
            code,
            Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange)
        ) {
            tracing::debug!(%error, "reading from Kafka");
            return;
        }
        // The client does not say which partition it was; each is asked for its next record.
        for (partition, lane) in held(&self.lanes).iter() {
            let Ok((topic, number)) = self.topics.place(*partition) else { continue };
            let Ok((first, end)) = self.consumer.fetch_watermarks(topic, number, POLL) else {
                continue;
            };
            let next = lane.next();
            if next < first || next > end {
                lane.break_off(format!("{topic} {number} is at {first} to {end}, not at {next}"));
                touched.push(lane.clone());
            }
        }
    }
}

impl Lane {
    fn starting_at(offset: Offset, bytes_max: usize) -> Self {
        let state = State { first: offset, next: offset, appended: offset, ..State::default() };
        Self { bytes_max, state: Mutex::new(state), next: watch::Sender::new(offset) }
    }

    /// What is there from an offset on.
    pub(crate) fn read(&self, from: Offset, bytes_max: usize) -> Result<Found, Error> {
        let state = self.state();
        if let Some(why) = &state.broken {
            return Err(Error::Corrupt(why.clone()));
        }
        if from < state.first {
            return Ok(Found::Older);
        }
        if from >= state.next {
            let known = state.next.max(state.appended);
            return Ok(if from > known { Found::Ahead } else { Found::Nothing });
        }
        let start = state.records.partition_point(|stored| stored.offset < from);
        let mut bytes = 0;
        let taken = state.records.iter().skip(start).take_while(|stored| {
            let fits = bytes == 0 || bytes + size(stored) <= bytes_max;
            bytes += size(stored).max(1);
            fits
        });
        let records: Vec<Stored> = taken.cloned().collect();
        Ok(if records.is_empty() { Found::Nothing } else { Found::Records(records) })
    }

    /// The lane has nothing between this offset and its first record, and neither has the log.
    pub(crate) fn reach_back(&self, from: Offset, first: Offset) {
        let mut state = self.state();
        if state.first == first {
            state.first = from;
        }
    }

    /// Where the lane begins.
    pub(crate) fn first(&self) -> Offset {
        self.state().first
    }

    /// Notes that this process has appended a record.
    pub(crate) fn appended(&self, offset: Offset) {
        let mut state = self.state();
        state.appended = state.appended.max(offset + 1);
    }

    /// Returns when there may be a record at or after `from`.
    pub(crate) async fn changed(&self, from: Offset) {
        let mut next = self.next.subscribe();
        // The sender lives as long as the lane.
        let _ = next.wait_for(|next| *next > from).await;
    }

    fn push(&self, stored: Stored) {
        let mut state = self.state();
        if stored.offset < state.next {
            return; // read a second time, after a connection broke
        }
        state.next = stored.offset + 1;
        state.bytes += size(&stored);
        state.records.push_back(stored);
        while state.bytes > self.bytes_max {
            let Some(oldest) = state.records.pop_front() else { break };
            state.bytes -= size(&oldest);
            state.first = oldest.offset + 1;
        }
    }

    fn break_off(&self, why: String) {
        self.state().broken.get_or_insert(why);
    }

    fn wake(&self) {
        let state = self.state();
        // Who waits for a record of a broken partition hears of it when it reads.
        let next = if state.broken.is_some() { Offset::MAX } else { state.next };
        drop(state);
        self.next.send_replace(next);
    }

    fn next(&self) -> Offset {
        self.state().next
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a partition has another leader now than the client knows, which passes.
fn is_moving(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::NotLeaderForPartition | RDKafkaErrorCode::LeaderNotAvailable)
    )
}

fn held(lanes: &Lanes) -> std::sync::RwLockReadGuard<'_, HashMap<Partition, Arc<Lane>>> {
    lanes.read().unwrap_or_else(PoisonError::into_inner)
}

fn size(stored: &Stored) -> usize {
    stored.record.key.len() + stored.record.value.len()
}

/// A record as it stands in the log.
pub(crate) fn stored(message: &BorrowedMessage<'_>) -> Result<Stored, Error> {
    let headers = from_kafka(message.headers()).ok_or_else(|| {
        let (topic, number, offset) = (message.topic(), message.partition(), message.offset());
        Error::Corrupt(format!("{topic} {number} at {offset}: its headers are not Millrace's"))
    })?;
    let bytes = |bytes: Option<&[u8]>| Bytes::copy_from_slice(bytes.unwrap_or_default());
    let record = Record { headers, key: bytes(message.key()), value: bytes(message.payload()) };
    Ok(Stored { offset: message.offset(), record })
}
