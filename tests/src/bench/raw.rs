//! What a broker does without Millrace: bare clients that append and read records.

use crate::harness::backend::Topics;
use crate::latency::Latencies;
use anyhow::{Context, Result, anyhow};
use futures_util::future::join_all;
use rdkafka::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaErrorCode;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Round trips before those that are measured; a new producer's first takes half a second.
const WARM_UP: usize = 50;
const ROUND_TRIPS: usize = 2_000;
const POLL: Duration = Duration::from_millis(100);
const ASK: Duration = Duration::from_secs(10);
/// Pause while the client's queue is full.
const FULL: Duration = Duration::from_millis(1);

/// What a log on Kafka holds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Shape {
    /// Records of commands and events.
    pub(super) records: usize,
    /// Key and value of one, on average.
    pub(super) bytes: usize,
}

/// The topics of a log that a bare client uses.
pub(super) struct Raw<'a> {
    topics: &'a Topics,
    /// The topic that is written to.
    topic: String,
    partitions: usize,
}

impl<'a> Raw<'a> {
    pub(super) fn new(topics: &'a Topics) -> Result<Self> {
        let topic = format!("{}.events", topics.prefix);
        let client: BaseConsumer = reader(topics).create()?;
        let metadata = client.fetch_metadata(Some(&topic), ASK)?;
        let partitions = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
        Ok(Self { topics, topic, partitions })
    }

    /// Reads all records of commands and events.
    pub(super) fn shape(&self) -> Result<Shape> {
        let client: BaseConsumer =
            reader(self.topics).set("enable.partition.eof", "true").create()?;
        let (mut list, mut open) = (TopicPartitionList::new(), 0);
        for stream in ["commands", "events"] {
            for number in 0..self.partitions {
                let topic = format!("{}.{stream}", self.topics.prefix);
                let number = i32::try_from(number)?;
                list.add_partition_offset(&topic, number, rdkafka::Offset::Beginning)?;
                open += 1;
            }
        }
        client.assign(&list)?;
        let (mut records, mut bytes) = (0, 0);
        while open > 0 {
            match client.poll(ASK).context("the broker gives nothing")? {
                Ok(message) => {
                    records += 1;
                    bytes += message.payload_len() + message.key_len();
                }
                Err(KafkaError::PartitionEOF(_)) => open -= 1,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Shape { records, bytes: bytes.checked_div(records).unwrap_or(0) })
    }

    /// Records of that size that a producer appends a second, with so many on their way, each
    /// acknowledged by all replicas in sync.
    pub(super) async fn appended(
        &self,
        bytes: usize,
        (on_their_way, linger_ms): (usize, u64),
        span: Duration,
    ) -> Result<f64> {
        let producer = producer(self.topics, linger_ms)?;
        let value = noise(bytes);
        self.append(&producer, (0, &value)).await?;
        let begun = Instant::now();
        let clients = (0..on_their_way).map(async |client| {
            let mut count = 0;
            while begun.elapsed() < span {
                self.append(&producer, (client + count, &value)).await?;
                count += 1;
            }
            Ok::<usize, anyhow::Error>(count)
        });
        let counts: Vec<usize> = join_all(clients).await.into_iter().collect::<Result<_>>()?;
        Ok(counts.iter().sum::<usize>() as f64 / begun.elapsed().as_secs_f64())
    }

    /// From appending a record of that size until a reader has it, one after the other.
    pub(super) fn round_trips(&self, bytes: usize) -> Result<Latencies> {
        let (producer, client) = (producer(self.topics, 0)?, reader(self.topics).create()?);
        let client: BaseConsumer = client;
        let (_, end) = client.fetch_watermarks(&self.topic, 0, ASK)?;
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topic, 0, rdkafka::Offset::Offset(end))?;
        client.assign(&list)?;
        let value = noise(bytes);
        let mut measured = Latencies::default();
        for n in 0..WARM_UP + ROUND_TRIPS {
            let begun = Instant::now();
            let _acknowledged = send(&producer, (&self.topic, 0), &value)?;
            let read = std::iter::repeat_with(|| client.poll(POLL)).flatten().next();
            read.context("the broker gives nothing")??;
            if n >= WARM_UP {
                measured.push(begun.elapsed());
            }
        }
        Ok(measured)
    }

    async fn append(
        &self,
        producer: &ThreadedProducer<Reports>,
        (n, value): (usize, &[u8]),
    ) -> Result<()> {
        let partition = i32::try_from(n % self.partitions)?;
        loop {
            match send(producer, (&self.topic, partition), value) {
                Ok(acknowledged) => return acknowledged.await?,
                Err(KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)) => {
                    tokio::time::sleep(FULL).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

type Acknowledged = oneshot::Receiver<Result<()>>;

fn send(
    producer: &ThreadedProducer<Reports>,
    (topic, partition): (&str, i32),
    value: &[u8],
) -> Result<Acknowledged, KafkaError> {
    let (told, acknowledged) = oneshot::channel();
    let record: BaseRecord<'_, (), [u8], _> =
        BaseRecord::with_opaque_to(topic, Box::new(told)).partition(partition).payload(value);
    producer.send(record).map_err(|(error, _)| error)?;
    Ok(acknowledged)
}

/// Tells whoever waits.
struct Reports;

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<oneshot::Sender<Result<()>>>;

    fn delivery(&self, result: &DeliveryResult<'_>, told: Self::DeliveryOpaque) {
        let result = result.as_ref().map(|_| ()).map_err(|(error, _)| anyhow!("{error}"));
        // Nobody may wait any more.
        let _ = told.send(result);
    }
}

/// As Millrace's own: idempotent, acknowledged by all.
fn producer(topics: &Topics, linger_ms: u64) -> Result<ThreadedProducer<Reports>> {
    let producer: ThreadedProducer<Reports> = ClientConfig::new()
        .set("bootstrap.servers", &topics.brokers)
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("linger.ms", linger_ms.to_string())
        .set("batch.size", "1000000")
        .set("socket.nagle.disable", "true")
        .create_with_context(Reports)?;
    producer.client().fetch_metadata(Some(&format!("{}.events", topics.prefix)), ASK)?;
    Ok(producer)
}

fn reader(topics: &Topics) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &topics.brokers)
        .set("group.id", format!("{}.bench", topics.prefix))
        .set("enable.auto.commit", "false")
        .set("socket.nagle.disable", "true");
    config
}

/// What no one compresses.
fn noise(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    fastrand::fill(&mut bytes);
    bytes
}
