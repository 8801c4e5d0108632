//! Reading what no lane holds any more.
//!
//! A cursor is a consumer that stands in one partition. Who reads on where it stopped before finds
//! it there, with what it has fetched ahead; the one that was used longest ago makes room. At the
//! end of the partition, or when nobody comes back, it stands there no longer: a consumer fetches
//! whatever is appended, whether somebody wants it or not.

use crate::connect::{Ear, reader, unavailable};
use crate::options::Options;
use crate::tail::stored;
use crate::topic::Topics;
use ports::{Error, Offset, Partition, Stored};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// How long a cursor waits for the next record at a time.
const POLL: Duration = Duration::from_millis(50);
/// How long a cursor stands where nobody reads on.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// Consumers that stand somewhere.
pub(crate) struct Cursors {
    shared: Arc<Shared>,
    turns: Arc<Semaphore>,
}

struct Shared {
    options: Options,
    topics: Topics,
    /// Whether records begin with the ids of a registry.
    is_registered: bool,
    /// In the order of their last use.
    idle: Mutex<Vec<Cursor>>,
    /// Whether a task is about to look which of them are needed no more.
    is_swept: AtomicBool,
}

struct Cursor {
    consumer: BaseConsumer<Ear>,
    /// Where it stands.
    place: Option<(Partition, Offset)>,
    /// Whether it has only just been put there, so that nothing it says is old.
    is_fresh: bool,
    used_at: Instant,
}

impl Cursors {
    pub(crate) fn new(options: &Options, topics: &Topics, is_registered: bool) -> Self {
        let shared = Shared {
            options: options.clone(),
            topics: topics.clone(),
            is_registered,
            idle: Mutex::default(),
            is_swept: AtomicBool::new(false),
        };
        let turns = Arc::new(Semaphore::new(options.cursors_max));
        Self { shared: Arc::new(shared), turns }
    }

    /// Records from an offset on, in order; none: there is none between it and the end.
    pub(crate) async fn read(
        &self,
        partition: Partition,
        from: Offset,
        bytes_max: usize,
    ) -> Result<Vec<Stored>, Error> {
        let turn = self.turns.clone().acquire_owned().await;
        let turn = turn.map_err(|_| Error::Unavailable("the log is closed".into()))?;
        let shared = self.shared.clone();
        let read = tokio::task::spawn_blocking(move || {
            let mut cursor = shared.cursor(partition, from)?;
            let found = shared.read(&mut cursor, (partition, from), bytes_max);
            if found.is_ok() {
                shared.keep(cursor);
                shared.sweep();
            }
            drop(turn);
            found
        });
        read.await.unwrap_or_else(|error| Err(Error::Unavailable(error.to_string())))
    }

    /// Cursors that stand somewhere, and fetch.
    #[cfg(test)]
    pub(crate) fn standing(&self) -> usize {
        self.shared.idle().iter().filter(|cursor| cursor.place.is_some()).count()
    }

    /// Ends those that nobody has used for so long.
    #[cfg(test)]
    pub(crate) fn dismiss(&self, unused: Duration) {
        self.shared.dismiss(unused);
    }
}

impl Shared {
    /// A cursor that stands there.
    fn cursor(&self, partition: Partition, from: Offset) -> Result<Cursor, Error> {
        let mut idle = self.idle();
        let here = |cursor: &Cursor| cursor.place == Some((partition, from));
        if let Some(at) = idle.iter().position(here) {
            return Ok(idle.remove(at));
        }
        let nowhere = idle.iter().position(|cursor| cursor.place.is_none());
        let oldest = (idle.len() >= self.options.cursors_max).then_some(0);
        let mut cursor = if let Some(at) = nowhere.or(oldest) {
            idle.remove(at)
        } else {
            drop(idle);
            self.open()?
        };
        self.put(&mut cursor, (partition, from))?;
        Ok(cursor)
    }

    fn put(&self, cursor: &mut Cursor, place: (Partition, Offset)) -> Result<(), Error> {
        let (topic, number) = self.topics.place(place.0)?;
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, number, rdkafka::Offset::Offset(place.1))
            .and_then(|()| cursor.consumer.assign(&list))
            .map_err(|error| unavailable(&self.options, &error))?;
        (cursor.place, cursor.is_fresh) = (Some(place), true);
        Ok(())
    }

    /// Keeps a cursor for whoever reads on.
    fn keep(&self, mut cursor: Cursor) {
        cursor.used_at = Instant::now();
        self.idle().push(cursor);
    }

    /// Ends cursors that nobody comes back to, for as long as there are any. One task does.
    fn sweep(self: &Arc<Self>) {
        if self.is_swept.swap(true, Ordering::AcqRel) {
            return;
        }
        let shared = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(IDLE_MAX).await;
            let Some(shared) = shared.upgrade() else { return };
            // From here on whoever keeps a cursor sees to it that somebody looks again.
            shared.is_swept.store(false, Ordering::Release);
            let swept = shared.clone();
            // Ending a client takes a while.
            let left = tokio::task::spawn_blocking(move || swept.dismiss(IDLE_MAX)).await;
            if left.is_ok_and(|left| left > 0) {
                shared.sweep();
            }
        });
    }

    /// Ends the cursors that nobody has used for so long; gives how many are left.
    fn dismiss(&self, unused: Duration) -> usize {
        let is_old = |cursor: &mut Cursor| cursor.used_at.elapsed() >= unused;
        // They end once others can look for theirs again.
        let mut idle = self.idle();
        let old: Vec<Cursor> = idle.extract_if(.., is_old).collect();
        let left = idle.len();
        drop(idle);
        drop(old);
        left
    }

    fn open(&self) -> Result<Cursor, Error> {
        let consumer = reader(&self.options)
            .set("enable.partition.eof", "true")
            // It reads what is there: at the end, and when it is put elsewhere, it need not wait.
            .set("fetch.wait.max.ms", "10")
            .create_with_context(Ear::default())
            .map_err(|error| unavailable(&self.options, &error))?;
        Ok(Cursor { consumer, place: None, is_fresh: true, used_at: Instant::now() })
    }

    fn read(
        &self,
        cursor: &mut Cursor,
        (partition, from): (Partition, Offset),
        bytes_max: usize,
    ) -> Result<Vec<Stored>, Error> {
        let deadline = Instant::now() + Duration::from_millis(self.options.request_timeout_ms);
        let (mut found, mut bytes) = (Vec::new(), 0);
        loop {
            let polled = cursor.consumer.poll(POLL);
            match polled.map(|polled| polled.map(|message| stored(&message, self.is_registered))) {
                Some(Ok(stored)) => {
                    let stored = stored?;
                    bytes += stored.record.value.len() + stored.record.key.len();
                    (cursor.place, cursor.is_fresh) = (Some((partition, stored.offset + 1)), false);
                    found.push(stored);
                    if bytes >= bytes_max {
                        return Ok(found);
                    }
                }
                // It may have said so before the records came that are asked for now.
                Some(Err(KafkaError::PartitionEOF(_))) if found.is_empty() && !cursor.is_fresh => {
                    self.put(cursor, (partition, from))?;
                }
                Some(Err(KafkaError::PartitionEOF(_))) => {
                    self.leave(cursor)?;
                    return Ok(found);
                }
                Some(Err(error)) => self.note(&error, (partition, from))?,
                None if !found.is_empty() => return Ok(found),
                None => {}
            }
            if Instant::now() > deadline {
                return Err(Error::Unavailable(format!(
                    "Kafka at {} gives nothing to read",
                    self.options.brokers
                )));
            }
        }
    }

    /// It stands nowhere, and fetches nothing.
    fn leave(&self, cursor: &mut Cursor) -> Result<(), Error> {
        cursor.place = None;
        cursor.consumer.unassign().map_err(|error| unavailable(&self.options, &error))
    }

    /// Errors pass by themselves, but for an offset that is not there any more.
    fn note(
        &self,
        error: &KafkaError,
        (partition, from): (Partition, Offset),
    ) -> Result<(), Error> {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => {
                let topic = self.topics.name(partition.stream);
                let number = partition.number;
                Err(Error::Corrupt(format!("{topic} {number} has no offset {from} any more")))
            }
            _ => {
                tracing::debug!(%error, "reading from Kafka");
                Ok(())
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Cursor>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
