//! Making the topics of a log, and judging those that are there.

mod judge;

use crate::append::Appender;
use crate::connect::{config, unavailable};
use crate::identity::{self, FORMAT, Identity, KEY, LEVEL_KEY, REGISTRY_KEY};
use crate::log::KafkaLog;
use crate::options::Options;
use crate::registered::Registered;
use crate::topic::Topics;
use bytes::Bytes;
use domain::cluster::{LevelRaised, LogCreated, Notice, RegisteredSchema, SchemasRegistered};
use domain::codec::{self, Family};
use domain::id::EventId;
use domain::meta::{Meta, Recorded};
use domain::time::Timestamp;
use judge::{Found, judge};
use ports::{Error, Headers, Log, Partition, Record, Stream};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::KafkaError;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// What a new log is to be.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Partitions of `commands` and of `events`, for ever.
    pub partitions: u16,
    /// Copies of every record, on as many brokers.
    pub replication: u16,
    /// Copies that must be written before an append is acknowledged.
    pub in_sync_min: u16,
    /// How long commands are kept after they were decided, in milliseconds. Events are kept.
    pub commands_retention_ms: u64,
}

/// What is missing, and what is wrong with what is there.
pub struct Plan {
    options: Options,
    wanted: Wanted,
    identity: Option<Identity>,
    missing: Vec<Topic>,
    /// What must be mended first; each is a line.
    refusals: Vec<String>,
    /// What may lose data, and is accepted for development; each is a line.
    warnings: Vec<String>,
}

/// A topic to be made.
struct Topic {
    name: String,
    partitions: u16,
    replication: u16,
    settings: Vec<(&'static str, String)>,
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, partitions, replication, settings } = self;
        write!(f, "make {name}: {partitions} partitions, {replication} copies")?;
        settings.iter().try_for_each(|(key, value)| write!(f, ", {key}={value}"))
    }
}

/// Looks at the cluster. Changes nothing.
///
/// # Errors
/// `Unavailable`: no broker answers, or refuses this user. `Corrupt`: a newer build made the log.
pub async fn plan(options: &Options, wanted: Wanted) -> Result<Plan, Error> {
    let mut plan = survey(options, wanted).await?;
    let may_be_filled = plan.identity.is_none() && plan.refusals.is_empty();
    if may_be_filled && plan.is_filled().await? {
        let prefix = &options.prefix;
        plan.refusals.push(format!(
            "{prefix}.* holds records and is no log yet: a `millrace copy` or `restore` was broken \
             off; run it again, or use another kafka.prefix"
        ));
    }
    Ok(plan)
}

/// What there is, whether or not records are in it.
pub(crate) async fn survey(options: &Options, wanted: Wanted) -> Result<Plan, Error> {
    let asked = options.clone();
    let cluster = tokio::task::spawn_blocking(move || Cluster::look(&asked)).await;
    let cluster = cluster.map_err(|error| Error::Unavailable(error.to_string()))??;
    let identity = cluster.identity.as_ref();
    let partitions = identity.map_or(wanted.partitions, |identity| identity.partitions);
    let topics = Topics::new(&options.prefix, partitions);
    let found = cluster.topics(options, &topics).await?;
    let mut plan = Plan {
        options: options.clone(),
        wanted,
        identity: cluster.identity,
        missing: Vec::new(),
        refusals: Vec::new(),
        warnings: Vec::new(),
    };
    for (stream, name, count) in topics.all() {
        match found.get(name) {
            Some(topic) => {
                let judged = judge(topic, stream, (count, options));
                plan.refusals.extend(judged.refusals);
                plan.warnings.extend(judged.warnings);
            }
            None => plan.missing.push(plan.topic(stream, (name, count), cluster.brokers)),
        }
    }
    let lost = plan.identity.is_some() && !plan.missing.is_empty();
    if lost {
        let names: Vec<&str> = plan.missing.iter().map(|topic| topic.name.as_str()).collect();
        plan.refusals.push(format!(
            "{} is gone from a log that exists: restore it, or use another kafka.prefix",
            names.join(", ")
        ));
    }
    // Of topics that are there, a broker may be away.
    let is_new = !plan.missing.is_empty();
    if is_new && !options.dev && usize::from(wanted.replication) > cluster.brokers {
        plan.refusals.push(format!(
            "{} copies need as many brokers, and there are {}: add brokers, lower \
             kafka.replication, or set kafka.dev",
            wanted.replication, cluster.brokers
        ));
    }
    Ok(plan)
}

impl Plan {
    /// What there is to do, a line each.
    pub fn steps(&self) -> Vec<String> {
        let mut steps: Vec<String> = self.missing.iter().map(ToString::to_string).collect();
        if self.identity.is_none() {
            steps.push(format!("write down what the log is, in {}.cluster", self.options.prefix));
        }
        steps
    }

    /// What must be mended before anything is done, a line each.
    pub fn refusals(&self) -> &[String] {
        &self.refusals
    }

    /// What may lose data, and is accepted for development, a line each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Does what there is to do. Does nothing if something must be mended first. `registered`: the
    /// ids of the schemas in a registry, if the log is to be for one.
    ///
    /// # Errors
    /// `Conflict`: see [`Plan::refusals`]. `Unavailable`: call [`plan`] again.
    pub async fn carry_out(
        self,
        registered: Option<Registered>,
        now: Timestamp,
    ) -> Result<Identity, Error> {
        if let Some(first) = self.refusals.first() {
            return Err(Error::Conflict(first.clone()));
        }
        self.make_topics().await?;
        match &self.identity {
            Some(identity) => Ok(identity.clone()),
            None => self.write_down(registered, now).await,
        }
    }

    /// What the log is, if there is one.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Whether there are records, other than what says what the log is.
    async fn is_filled(&self) -> Result<bool, Error> {
        if !self.missing.is_empty() {
            return Ok(false);
        }
        let partitions = self.wanted.partitions;
        let log = KafkaLog::at(&self.options, Identity::none(partitions, None))?;
        for partition in Partition::all(partitions) {
            if log.end(partition).await? > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn topic(&self, stream: Stream, (name, partitions): (&str, u16), brokers: usize) -> Topic {
        let brokers = u16::try_from(brokers).unwrap_or(u16::MAX).max(1);
        let replication = if self.options.dev {
            self.wanted.replication.min(brokers)
        } else {
            self.wanted.replication
        };
        let in_sync_min = self.wanted.in_sync_min.min(replication);
        let mut settings = judge::settings(stream, self.wanted.commands_retention_ms);
        settings.extend([
            ("min.insync.replicas", in_sync_min.to_string()),
            ("unclean.leader.election.enable", "false".to_owned()),
            ("max.message.bytes", judge::message_bytes(&self.options).to_string()),
        ]);
        Topic { name: name.to_owned(), partitions, replication, settings }
    }

    pub(crate) async fn make_topics(&self) -> Result<(), Error> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let topics: Vec<NewTopic<'_>> = self.missing.iter().map(Topic::wish).collect();
        let timeout = Duration::from_millis(self.options.request_timeout_ms);
        let how = AdminOptions::new().operation_timeout(Some(timeout));
        let made = admin(&self.options)?.create_topics(&topics, &how).await;
        for one in made.map_err(|error| unavailable(&self.options, &error))? {
            if let Err((topic, code)) = one
                && code != rdkafka::types::RDKafkaErrorCode::TopicAlreadyExists
            {
                return Err(Error::Unavailable(format!("{topic} cannot be made: {code}")));
            }
        }
        Ok(())
    }

    /// Writes down that there is a log, which, and that this build's records may be written.
    pub(crate) async fn write_down(
        &self,
        registered: Option<Registered>,
        now: Timestamp,
    ) -> Result<Identity, Error> {
        let partitions = self.wanted.partitions;
        let log = Identity { id: Uuid::new_v4(), ..Identity::none(partitions, registered) };
        // Before there is a log, so that whoever comes knows the ids.
        self.write_registered(&log, now).await?;
        self.write(&log, now, (created(&log), KEY)).await?;
        let first = identity::read(&self.options).await?;
        if first.id != log.id {
            // Somebody else was quicker. Compaction keeps the latest record, which must be theirs.
            self.write(&log, now, (created(&first), KEY)).await?;
        }
        self.raise(first, now).await
    }

    /// Lets this build's records be written to a log, with these ids of a registry, if it is for
    /// one. Before, every node at it must read them; from now on none comes that does not.
    ///
    /// # Errors
    /// `Unavailable`: call it again.
    pub async fn raise(&self, log: Identity, now: Timestamp) -> Result<Identity, Error> {
        self.raise_to(log, codec::schema_max(), now).await
    }

    pub(crate) async fn raise_to(
        &self,
        log: Identity,
        schema: u32,
        now: Timestamp,
    ) -> Result<Identity, Error> {
        self.write_registered(&log, now).await?;
        self.write(&log, now, (level(schema), LEVEL_KEY)).await?;
        identity::read(&self.options).await
    }

    async fn write_registered(&self, log: &Identity, now: Timestamp) -> Result<(), Error> {
        match &log.registered {
            Some(registered) => self.write(log, now, (schemas(registered), REGISTRY_KEY)).await,
            None => Ok(()),
        }
    }

    /// Writes a kept record.
    async fn write(
        &self,
        log: &Identity,
        now: Timestamp,
        (body, key): (Notice, &'static str),
    ) -> Result<(), Error> {
        let topics = Topics::new(&self.options.prefix, log.partitions);
        let appender =
            Appender::new(self.options.clone(), topics, log.registered.clone(), Arc::default())
                .map_err(|error| unavailable(&self.options, &error))?;
        appender.append(vec![(Partition::CLUSTER, kept(body, key, now)?)]).await.map(|_| ())
    }
}

impl Topic {
    fn wish(&self) -> NewTopic<'_> {
        let replication = TopicReplication::Fixed(i32::from(self.replication));
        let topic = NewTopic::new(&self.name, i32::from(self.partitions), replication);
        self.settings.iter().fold(topic, |topic, (key, value)| topic.set(key, value))
    }
}

fn created(log: &Identity) -> Notice {
    Notice::LogCreated(LogCreated {
        identity: log.id.to_string(),
        partitions: i32::from(log.partitions),
        format: FORMAT,
    })
}

fn level(level: u32) -> Notice {
    Notice::LevelRaised(LevelRaised { level: i32::try_from(level).unwrap_or(i32::MAX) })
}

fn schemas(registered: &Registered) -> Notice {
    let number = |id: u32| i32::try_from(id).unwrap_or(i32::MAX);
    let one =
        |(schema, id): (&u32, &u32)| RegisteredSchema { schema: number(*schema), id: number(*id) };
    Notice::SchemasRegistered(SchemasRegistered {
        registry: registered.registry.clone(),
        schemas: registered.ids.iter().map(one).collect(),
    })
}

/// A record that compaction keeps under a key.
fn kept(body: Notice, key: &'static str, now: Timestamp) -> Result<Record, Error> {
    let headers = Headers { kind: body.schema().id, n: 1, ..Headers::default() };
    let meta = Meta::keyless(EventId::fresh(now, random()), now);
    let value = codec::encode(&Recorded { meta, body });
    let value = value.map_err(|error| Error::Corrupt(error.to_string()))?;
    Ok(Record { headers, key: Bytes::from_static(key.as_bytes()), value: value.into() })
}

fn random() -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes.copy_from_slice(&Uuid::new_v4().as_bytes()[6..]);
    bytes
}

pub(crate) fn admin(options: &Options) -> Result<AdminClient<DefaultClientContext>, Error> {
    config(options).create().map_err(|error: KafkaError| unavailable(options, &error))
}

/// The cluster as it is.
struct Cluster {
    identity: Option<Identity>,
    brokers: usize,
    /// Partitions and copies of every topic.
    sizes: BTreeMap<String, (usize, usize)>,
}

impl Cluster {
    /// Asks the brokers. Blocks.
    fn look(options: &Options) -> Result<Self, Error> {
        let identity = identity::look(options)?;
        let admin = admin(options)?;
        let timeout = Duration::from_millis(options.request_timeout_ms);
        let metadata = admin
            .inner()
            .fetch_metadata(None, timeout)
            .map_err(|error| unavailable(options, &error))?;
        let size = |topic: &rdkafka::metadata::MetadataTopic| {
            let copies = topic.partitions().iter().map(|one| one.replicas().len()).min();
            (topic.name().to_owned(), (topic.partitions().len(), copies.unwrap_or(0)))
        };
        let sizes = metadata.topics().iter().map(size).collect();
        Ok(Self { identity, brokers: metadata.brokers().len(), sizes })
    }

    /// The log's topics that are there, with their settings.
    async fn topics(
        &self,
        options: &Options,
        topics: &Topics,
    ) -> Result<BTreeMap<String, Found>, Error> {
        let there: Vec<&str> = topics
            .all()
            .map(|(_, name, _)| name)
            .filter(|name| self.sizes.contains_key(*name))
            .collect();
        if there.is_empty() {
            return Ok(BTreeMap::new());
        }
        let asked: Vec<ResourceSpecifier<'_>> =
            there.iter().map(|name| ResourceSpecifier::Topic(name)).collect();
        let timeout = Duration::from_millis(options.request_timeout_ms);
        let how = AdminOptions::new().request_timeout(Some(timeout));
        let answer = admin(options)?.describe_configs(&asked, &how).await;
        let answer = answer.map_err(|error| unavailable(options, &error))?;
        let mut found = BTreeMap::new();
        for (name, settings) in there.into_iter().zip(answer) {
            let settings = settings.map_err(|code| {
                Error::Unavailable(format!("{name} cannot be looked at: {code}"))
            })?;
            let settings = settings.entries.into_iter();
            let settings = settings.filter_map(|entry| Some((entry.name, entry.value?))).collect();
            let (partitions, copies) = self.sizes.get(name).copied().unwrap_or_default();
            let name = name.to_owned();
            found.insert(name.clone(), Found { name, partitions, copies, settings });
        }
        Ok(found)
    }
}
