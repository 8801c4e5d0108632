//! What a log is: a record at the beginning of its stream `cluster`.

use crate::connect::{Ear, reader};
use crate::options::Options;
use crate::topic::Topics;
use domain::cluster::{LogCreated, Notice};
use domain::codec;
use ports::{Error, Stream};
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The layout of the topics that this build knows.
pub(crate) const FORMAT: i32 = 1;
/// The key under which compaction keeps the record.
pub(crate) const KEY: &str = "log";

const POLL: Duration = Duration::from_millis(50);

/// What a log is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    /// A recreated log has another.
    pub id: Uuid,
    /// Partitions of `commands` and of `events`.
    pub partitions: u16,
}

/// Reads what the log is.
pub(crate) async fn read(options: &Options) -> Result<Identity, Error> {
    let asked = options.clone();
    let found = tokio::task::spawn_blocking(move || look(&asked)).await;
    let found = found.map_err(|error| Error::Unavailable(error.to_string()))??;
    found.ok_or_else(|| {
        let prefix = &options.prefix;
        Error::Corrupt(format!("there is no log in {prefix}.* in Kafka: run `millrace migrate`"))
    })
}

/// What the log is; `None`: there is none of that name. Blocks.
///
/// # Errors
/// `Unavailable`: no broker answers, or refuses this user. `Corrupt`: a newer build made the log.
pub(crate) fn look(options: &Options) -> Result<Option<Identity>, Error> {
    let ear = Ear::default();
    let consumer: BaseConsumer<Ear> = reader(options)
        .set("auto.offset.reset", "earliest")
        .set("enable.partition.eof", "true")
        .create_with_context(ear.clone())
        .map_err(|error| Error::Unavailable(ear.why(options, &error)))?;
    let unavailable = |error: KafkaError| {
        ear.listen(&consumer);
        Error::Unavailable(ear.why(options, &error))
    };
    let topics = Topics::new(&options.prefix, 0);
    let topic = topics.name(Stream::Cluster);
    let timeout = Duration::from_millis(options.request_timeout_ms);
    let metadata = consumer.fetch_metadata(Some(topic), timeout).map_err(unavailable)?;
    if !metadata.topics().iter().any(|one| one.name() == topic && !one.partitions().is_empty()) {
        return Ok(None);
    }
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, rdkafka::Offset::Beginning)
        .and_then(|()| consumer.assign(&list))
        .map_err(unavailable)?;
    let deadline = Instant::now() + timeout;
    loop {
        match consumer.poll(POLL) {
            Some(Ok(message)) if message.key() == Some(KEY.as_bytes()) => {
                return parse(message.payload().unwrap_or_default()).map(Some);
            }
            Some(Ok(_)) | None => {}
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(None),
            Some(Err(error)) => match error.rdkafka_error_code() {
                Some(RDKafkaErrorCode::UnknownTopicOrPartition) => return Ok(None),
                _ => tracing::debug!(%error, "reading what the log is"),
            },
        }
        if Instant::now() > deadline {
            let error = KafkaError::MessageConsumption(RDKafkaErrorCode::RequestTimedOut);
            return Err(unavailable(error));
        }
    }
}

fn parse(value: &[u8]) -> Result<Identity, Error> {
    let corrupt = || Error::Corrupt("the record that says what the log is cannot be read".into());
    let record = codec::decode::<Notice>(value).map_err(|_| corrupt())?;
    let Notice::LogCreated(LogCreated { identity, partitions, format }) = record.body else {
        return Err(corrupt());
    };
    if format > FORMAT {
        let why = format!("the topics have layout {format}, this build knows {FORMAT}: update it");
        return Err(Error::Corrupt(why));
    }
    Ok(Identity {
        id: identity.parse().map_err(|_| corrupt())?,
        partitions: u16::try_from(partitions).map_err(|_| corrupt())?,
    })
}
