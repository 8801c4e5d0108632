//! The newest records of every partition that somebody follows, in memory.
//!
//! One consumer and one thread fill the lanes. A lane begins where its partition ended when it was
//! first asked for, holds a bounded number of bytes, and forgets its oldest records: it never waits
//! for a slow reader.
//!
//! What this process appends it need not read: once all replicas in sync have acknowledged a record,
//! its offset says whether it is the next one of the lane. A partition that nobody else appends to
//! is not read at all, only watched for that.

mod lane;
mod lanes;
mod reading;
mod watching;

pub(crate) use lane::{Found, Lane};
pub(crate) use lanes::Lanes;

use crate::connect::{Ear, reader, unavailable};
use crate::header::from_kafka;
use crate::options::Options;
use crate::registered::restored;
use crate::topic::Topics;
use bytes::Bytes;
use ports::{Error, Offset, Partition, Record, Stored};
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::topic_partition_list::TopicPartitionList;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Pause before a partition is asked for again that is about to have another leader.
const MOVING_PAUSE: Duration = Duration::from_millis(100);

/// The lanes, and the threads that fill them.
pub(crate) struct Tails {
    options: Options,
    shared: Arc<Shared>,
    /// Lanes are added one at a time.
    adding: tokio::sync::Mutex<()>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    topics: Topics,
    consumer: BaseConsumer<Ear>,
    /// Asks where partitions begin and end. It reads nothing: a broker answers the requests of a
    /// connection in turn, and a question would wait for records behind a fetch.
    asker: BaseConsumer<Ear>,
    lanes: Arc<Lanes>,
    /// Whether records begin with the ids of a registry.
    is_registered: bool,
    stopped: AtomicBool,
}

impl Tails {
    /// Starts the threads.
    pub(crate) fn start(
        options: &Options,
        topics: &Topics,
        is_registered: bool,
    ) -> Result<Self, Error> {
        let client = || {
            let made = reader(options).create_with_context(Ear::default());
            made.map_err(|error| unavailable(options, &error))
        };
        let shared = Arc::new(Shared {
            topics: topics.clone(),
            consumer: client()?,
            asker: client()?,
            lanes: Arc::default(),
            is_registered,
            stopped: AtomicBool::new(false),
        });
        let mut tails = Self {
            options: options.clone(),
            shared,
            adding: tokio::sync::Mutex::default(),
            threads: Vec::new(),
        };
        tails.run("kafka-tail", reading::run)?;
        tails.run("kafka-watch", watching::run)?;
        Ok(tails)
    }

    fn run(&mut self, name: &str, work: fn(&Shared)) -> Result<(), Error> {
        let shared = self.shared.clone();
        let thread = std::thread::Builder::new().name(name.into()).spawn(move || work(&shared));
        self.threads.push(thread.map_err(|error| Error::Unavailable(error.to_string()))?);
        Ok(())
    }

    /// The lane of a partition, which is followed from now on.
    pub(crate) async fn lane(&self, partition: Partition) -> Result<Arc<Lane>, Error> {
        if let Some(lane) = self.shared.lanes.known(partition) {
            return Ok(lane);
        }
        let _alone = self.adding.lock().await;
        if let Some(lane) = self.shared.lanes.known(partition) {
            return Ok(lane);
        }
        let (_, end) = self.watermarks(partition).await?;
        let list = self.shared.place(partition, end)?;
        let lane = Arc::new(Lane::starting_at(end, self.options.tail_bytes_max));
        self.shared.lanes.add(partition, lane.clone());
        if let Err(error) = self.shared.consumer.incremental_assign(&list) {
            self.shared.lanes.remove(partition);
            return Err(unavailable(&self.options, &error));
        }
        Ok(lane)
    }

    /// Where what this process appends is taken in.
    pub(crate) fn lanes(&self) -> Arc<Lanes> {
        self.shared.lanes.clone()
    }

    /// The first offset that retention kept, and the one behind the last record.
    pub(crate) async fn watermarks(&self, partition: Partition) -> Result<(Offset, Offset), Error> {
        let (topic, number) = self.shared.topics.place(partition)?;
        let (topic, shared) = (topic.to_owned(), self.shared.clone());
        let timeout = Duration::from_millis(self.options.request_timeout_ms);
        let asked = tokio::task::spawn_blocking(move || {
            let deadline = Instant::now() + timeout;
            loop {
                match shared.asker.fetch_watermarks(&topic, number, timeout) {
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
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread that reads from Kafka panicked");
            }
        }
    }
}

impl Shared {
    /// An offset of a partition, as the client takes it.
    fn place(&self, partition: Partition, offset: Offset) -> Result<TopicPartitionList, Error> {
        let (topic, number) = self.topics.place(partition)?;
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, number, rdkafka::Offset::Offset(offset))
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(list)
    }
}

/// Whether a partition has another leader now than the client knows, which passes.
fn is_moving(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::NotLeaderForPartition | RDKafkaErrorCode::LeaderNotAvailable)
    )
}

/// A record as it stands in the log. `is_registered`: it may begin with the id of a registry.
pub(crate) fn stored(message: &BorrowedMessage<'_>, is_registered: bool) -> Result<Stored, Error> {
    let headers = from_kafka(message.headers()).ok_or_else(|| {
        let (topic, number, offset) = (message.topic(), message.partition(), message.offset());
        Error::Corrupt(format!("{topic} {number} at {offset}: its headers are not Millrace's"))
    })?;
    let bytes = |bytes: Option<&[u8]>| Bytes::copy_from_slice(bytes.unwrap_or_default());
    let value = match is_registered {
        true => restored(headers.kind, message.payload().unwrap_or_default()),
        false => bytes(message.payload()),
    };
    let record = Record { headers, key: bytes(message.key()), value };
    Ok(Stored { offset: message.offset(), record })
}
