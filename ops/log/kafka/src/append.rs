//! Appending: shared idempotent producers, and who waits for their delivery reports.

mod pending;

use crate::connect::{config, described};
use crate::header::to_kafka;
use crate::options::Options;
use crate::registered::Registered;
use crate::tail::Lanes;
use crate::topic::Topics;
use pending::{Pending, Reports, Ticket};
use ports::{Error, Offset, Partition, Record};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// With more records than this on their way, one more waits a little, so that they travel in few
/// requests.
const LATENCY_RECORDS_MAX: usize = 64;
/// How long a batch is gathered for throughput, in milliseconds.
const THROUGHPUT_LINGER_MS: u64 = 2;
/// A producer that has delivered nothing for so many timeouts of an append is made again. The client
/// may come out of an outage of the brokers with a producer that never sends again, though it says
/// that nothing is wrong (librdkafka 2.12; of two nodes that were without Kafka for a minute, one).
const SILENT_TIMEOUTS_MAX: u64 = 2;
/// Pause while a producer's queue is full.
const FULL_PAUSE: Duration = Duration::from_millis(1);

/// The way into the log.
pub(crate) struct Appender {
    options: Options,
    topics: Topics,
    registered: Option<Registered>,
    /// Where readers in this process find what was appended.
    lanes: Arc<Lanes>,
    /// For few records, sent at once.
    latency: Line,
    /// For many.
    throughput: Line,
    /// Records that were not acknowledged yet.
    on_their_way: AtomicUsize,
}

/// One producer, made again when it has broken for good.
struct Line {
    linger_ms: u64,
    current: RwLock<Arc<Made>>,
}

/// A producer, and when it last delivered something.
struct Made {
    producer: ThreadedProducer<Reports>,
    at: Instant,
    /// From `at` until the last delivery, in milliseconds.
    delivered_ms: AtomicU64,
}

/// A record as the client takes it.
type Message<'a> = BaseRecord<'a, [u8], [u8], Box<Ticket>>;

impl Appender {
    /// Makes the producers; each asks at once for the id that makes it idempotent, so that the
    /// first append does not wait for it.
    pub(crate) fn new(
        options: Options,
        topics: Topics,
        registered: Option<Registered>,
        lanes: Arc<Lanes>,
    ) -> Result<Self, KafkaError> {
        let latency = Line::new(&options, 0)?;
        let throughput = Line::new(&options, THROUGHPUT_LINGER_MS)?;
        let on_their_way = AtomicUsize::new(0);
        Ok(Self { options, topics, registered, lanes, latency, throughput, on_their_way })
    }

    pub(crate) async fn append(
        &self,
        records: Vec<(Partition, Record)>,
    ) -> Result<Vec<Offset>, Error> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let (pending, waiting) = Pending::new(records, &self.lanes);
        let records = &pending.records;
        let mut values = Vec::with_capacity(records.len());
        for (partition, record) in records {
            self.topics.place(*partition)?;
            values.push(match &self.registered {
                Some(registered) => registered.value(record)?,
                None => Cow::Borrowed(&record.value[..]),
            });
        }
        let messages = records.iter().zip(&values).enumerate().map(|(index, (record, value))| {
            let ticket = Box::new(Ticket { append: pending.clone(), index });
            self.message(record, value, ticket)
        });
        // The client's thread wakes with the first of them. What it does not find then goes in a
        // request of its own, for which the broker waits until it has answered the one before.
        let messages: Vec<_> = messages.collect();
        let count = records.len();
        let (on_their_way, _travels) = Travels::begin(&self.on_their_way, count);
        let line =
            if on_their_way > LATENCY_RECORDS_MAX { &self.throughput } else { &self.latency };
        let made = line.current();
        for (index, message) in messages.into_iter().enumerate() {
            if let Err(error) = send(&made.producer, message).await {
                // It and what comes after it are not on their way.
                pending.fail(error, count - index);
                break;
            }
        }
        match waiting.await {
            Ok(Ok(offsets)) => {
                made.delivered();
                Ok(offsets)
            }
            Ok(Err(error)) => {
                line.renew(&self.options, &made, &error);
                Err(Error::Unavailable(described(&self.options, &error)))
            }
            Err(_) => Err(Error::Unavailable("a producer has gone".into())),
        }
    }

    fn message<'a>(
        &'a self,
        (partition, record): &'a (Partition, Record),
        value: &'a [u8],
        ticket: Box<Ticket>,
    ) -> Message<'a> {
        let mut message: Message<'_> =
            BaseRecord::with_opaque_to(self.topics.name(partition.stream), ticket)
                .partition(i32::from(partition.number))
                .headers(to_kafka(&record.headers));
        if !record.key.is_empty() {
            message = message.key(&record.key);
        }
        // In a compacted stream, nothing is what forgets; elsewhere, what every client passes over.
        if !value.is_empty() {
            message = message.payload(value);
        }
        message
    }
}

async fn send(
    producer: &ThreadedProducer<Reports>,
    mut message: Message<'_>,
) -> Result<(), KafkaError> {
    loop {
        match producer.send(message) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                message = back;
                tokio::time::sleep(FULL_PAUSE).await;
            }
            Err((error, _)) => return Err(error),
        }
    }
}

/// Records that are on their way until this is dropped.
struct Travels<'a>(&'a AtomicUsize, usize);

impl<'a> Travels<'a> {
    /// Adds some; gives how many there are with them.
    fn begin(all: &'a AtomicUsize, count: usize) -> (usize, Self) {
        (all.fetch_add(count, Ordering::Relaxed) + count, Self(all, count))
    }
}

impl Drop for Travels<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(self.1, Ordering::Relaxed);
    }
}

impl Line {
    fn new(options: &Options, linger_ms: u64) -> Result<Self, KafkaError> {
        let current = RwLock::new(Arc::new(Made::new(options, linger_ms)?));
        Ok(Self { linger_ms, current })
    }

    fn current(&self) -> Arc<Made> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes another producer if this one, of which an append failed, will never send again.
    fn renew(&self, options: &Options, failed: &Arc<Made>, error: &KafkaError) {
        let Some(reason) = failed.broken(options, error) else { return };
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&current, failed) {
            return;
        }
        tracing::warn!(reason, "a producer is made again");
        match Made::new(options, self.linger_ms) {
            Ok(made) => *current = Arc::new(made),
            Err(error) => tracing::error!(%error, "no producer can be made"),
        }
    }
}

impl Made {
    fn new(options: &Options, linger_ms: u64) -> Result<Self, KafkaError> {
        let producer = make(options, linger_ms)?;
        Ok(Self { producer, at: Instant::now(), delivered_ms: AtomicU64::new(0) })
    }

    fn age_ms(&self) -> u64 {
        u64::try_from(self.at.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn delivered(&self) {
        self.delivered_ms.fetch_max(self.age_ms(), Ordering::Relaxed);
    }

    /// Why it will never send again, if that is so.
    fn broken(&self, options: &Options, error: &KafkaError) -> Option<String> {
        if let Some((code, reason)) = self.producer.client().fatal_error() {
            return Some(format!("{code}: {reason}"));
        }
        let is_late = error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageTimedOut);
        let silent_ms = self.age_ms().saturating_sub(self.delivered_ms.load(Ordering::Relaxed));
        let is_silent = silent_ms > options.append_timeout_ms.saturating_mul(SILENT_TIMEOUTS_MAX);
        (is_late && is_silent).then(|| format!("it has delivered nothing for {silent_ms} ms"))
    }
}

fn make(options: &Options, linger_ms: u64) -> Result<ThreadedProducer<Reports>, KafkaError> {
    config(options)
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("linger.ms", linger_ms.to_string())
        .set("batch.size", "1000000")
        .set("message.timeout.ms", options.append_timeout_ms.to_string())
        .set("message.max.bytes", options.record_bytes_max.to_string())
        .set("queue.buffering.max.messages", options.queue_records_max.to_string())
        .set("queue.buffering.max.kbytes", (options.queue_bytes_max >> 10).to_string())
        .create_with_context(Reports::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use ports::Headers;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_producer_that_never_delivers_is_made_again() {
        // Nobody listens there.
        let options = Options { append_timeout_ms: 100, ..Options::new("127.0.0.1:1", "m") };
        let appender = Appender::new(options, Topics::new("m", 1), None, Arc::default()).unwrap();
        let first = appender.latency.current();
        let value = Bytes::from_static(b"v");
        let record = Record { headers: Headers::default(), key: Bytes::new(), value };
        for _ in 0..50 {
            let append = appender.append(vec![(Partition::commands(0), record.clone())]).await;
            assert!(matches!(append, Err(Error::Unavailable(_))));
            if !Arc::ptr_eq(&first, &appender.latency.current()) {
                return;
            }
        }
        panic!("it is still the first");
    }
}
