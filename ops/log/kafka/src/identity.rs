//! What a log is, and which records may be written to it: kept records of its stream `cluster`.

use crate::connect::{Ear, reader};
use crate::options::Options;
use crate::registered::Registered;
use crate::tail::stored;
use crate::topic::Topics;
use domain::cluster::{LevelRaised, LogCreated, Notice, SchemasRegistered};
use domain::codec;
use ports::{Error, Record, Stream};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The layout of the topics that this build knows.
pub(crate) const FORMAT: i32 = 1;
/// The keys under which compaction keeps the records.
pub(crate) const KEY: &str = "log";
pub(crate) const LEVEL_KEY: &str = "level";
pub(crate) const REGISTRY_KEY: &str = "registry";

const POLL: Duration = Duration::from_millis(50);

/// What a log is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// A recreated log has another.
    pub id: Uuid,
    /// Partitions of `commands` and of `events`.
    pub partitions: u16,
    /// The highest schema id that may be written; 0: nobody has said.
    pub level: u32,
    /// The ids of its schemas in a registry, if it is for one.
    pub registered: Option<Registered>,
}

impl Identity {
    /// Of topics that are no log yet.
    pub(crate) fn none(partitions: u16, registered: Option<Registered>) -> Self {
        Self { id: Uuid::nil(), partitions, level: 0, registered }
    }
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
/// `Unavailable`: no broker answers, or refuses this user. `Corrupt`: only newer builds can use it.
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
    let mut found = Look::default();
    loop {
        match consumer.poll(POLL) {
            Some(Ok(message)) => found.take(&stored(&message, true)?.record)?,
            None => {}
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(found.identity()),
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

/// What was found so far.
#[derive(Default)]
struct Look {
    first: Option<Identity>,
    level: u32,
    registered: Option<Registered>,
}

impl Look {
    fn take(&mut self, record: &Record) -> Result<(), Error> {
        let (key, value) = (&record.key[..], &record.value[..]);
        // Who was there first has made it.
        if key == KEY.as_bytes() && self.first.is_none() {
            self.first = Some(parse(value)?);
        } else if key == LEVEL_KEY.as_bytes() {
            let level = parse_level(value)?;
            self.level = self.level.max(level);
        } else if key == REGISTRY_KEY.as_bytes() {
            self.registered = Some(parse_registered(value)?);
        }
        Ok(())
    }

    fn identity(self) -> Option<Identity> {
        let Self { first, level, registered } = self;
        first.map(|first| Identity { level, registered, ..first })
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
        level: 0,
        registered: None,
    })
}

fn parse_registered(value: &[u8]) -> Result<Registered, Error> {
    let corrupt = || Error::Corrupt("the record of the registry's ids cannot be read".into());
    let record = codec::decode::<Notice>(value).map_err(|_| corrupt())?;
    let Notice::SchemasRegistered(SchemasRegistered { registry, schemas }) = record.body else {
        return Err(corrupt());
    };
    let ids = schemas.iter().map(|one| Ok((u32::try_from(one.schema)?, u32::try_from(one.id)?)));
    let ids: Result<_, std::num::TryFromIntError> = ids.collect();
    Ok(Registered { registry, ids: ids.map_err(|_| corrupt())? })
}

fn parse_level(value: &[u8]) -> Result<u32, Error> {
    let corrupt =
        || Error::Corrupt("the record that says what may be written cannot be read".into());
    let record = codec::decode::<Notice>(value).map_err(|_| corrupt())?;
    let Notice::LevelRaised(LevelRaised { level }) = record.body else { return Err(corrupt()) };
    let (level, ours) = (u32::try_from(level).map_err(|_| corrupt())?, codec::schema_max());
    if level > ours {
        return Err(Error::Corrupt(format!(
            "the log may hold records up to schema {level}, this build reads up to {ours}: update it"
        )));
    }
    Ok(level)
}
