//! The log: a few streams of partitions of records, in order, durable, never changed.

use crate::error::Error;
use async_trait::async_trait;
use bytes::Bytes;
use domain::command::Command;
use domain::event::Event;
use std::fmt;
use uuid::Uuid;

/// A named sequence of partitions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stream {
    /// Commands and events of the configuration. One partition.
    Config,
    /// What is wanted. As many partitions as `events`.
    Commands,
    /// What happened.
    Events,
    /// Wrapped data keys; compacted by key: the only stream that may forget. One partition.
    Keys,
    /// What the log is, and which nodes are at it; compacted by key. One partition, and none where
    /// one process has the log to itself.
    Cluster,
}

impl Stream {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Commands => "commands",
            Self::Events => "events",
            Self::Keys => "keys",
            Self::Cluster => "cluster",
        }
    }
}

/// One ordered sequence of records.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Partition {
    /// The stream.
    pub stream: Stream,
    /// The number in it, from 0.
    pub number: u16,
}

impl Partition {
    /// The only partition of the configuration.
    pub const CONFIG: Self = Self { stream: Stream::Config, number: 0 };
    /// The only partition of the data keys.
    pub const KEYS: Self = Self { stream: Stream::Keys, number: 0 };

    /// The only partition of what the cluster says about itself.
    pub const CLUSTER: Self = Self { stream: Stream::Cluster, number: 0 };

    /// Every partition of a log but that of the cluster, causes before effects: keys, the
    /// configuration, commands, events.
    pub fn all(partitions: u16) -> impl Iterator<Item = Self> {
        let commands = (0..partitions).map(Self::commands);
        [Self::KEYS, Self::CONFIG]
            .into_iter()
            .chain(commands)
            .chain((0..partitions).map(Self::events))
    }

    /// A partition of `commands`.
    pub const fn commands(number: u16) -> Self {
        Self { stream: Stream::Commands, number }
    }

    /// A partition of `events`.
    pub const fn events(number: u16) -> Self {
        Self { stream: Stream::Events, number }
    }
}

impl fmt::Display for Partition {
    /// As people write it: `events/3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.stream.name(), self.number)
    }
}

/// Position of a record in its partition. Offsets rise, and may have gaps.
pub type Offset = i64;

/// What a reader needs in order to skip a record, repeated from its `meta`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Headers {
    /// The schema id.
    pub kind: u32,
    /// The epoch of the owner; 0 on a command.
    pub epoch: i64,
    /// The life of the owner; 0 on a command.
    pub incarnation: i64,
    /// Position in the decision, from 0.
    pub i: i32,
    /// Number of events in the decision.
    pub n: i32,
}

/// A record to append.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// What a reader needs in order to skip it.
    pub headers: Headers,
    /// What compaction goes by, in `keys` and `cluster`; empty elsewhere.
    pub key: Bytes,
    /// The record in wire format.
    pub value: Bytes,
}

impl Record {
    /// What stands where a log that was moved has no record, so that those behind keep their
    /// offsets. Every reader passes over it.
    pub fn gap() -> Self {
        Self { headers: Headers::default(), key: Bytes::new(), value: Bytes::new() }
    }

    /// Whether who reads events passes over it: it is a command, or only keeps a place.
    pub fn is_no_event(&self) -> bool {
        self.is_gap() || Command::has(self.headers.kind)
    }

    /// Whether who reads commands passes over it: it is an event, or only keeps a place.
    pub fn is_no_command(&self) -> bool {
        self.is_gap() || Event::has(self.headers.kind)
    }

    /// Whether it only keeps a place.
    pub fn is_gap(&self) -> bool {
        self.headers.kind == 0 && self.key.is_empty() && self.value.is_empty()
    }
}

/// A record as it stands in the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored {
    /// Where.
    pub offset: Offset,
    /// What.
    pub record: Record,
}

/// The log. `ports::model::log::ModelLog` says in code what a backend may and may not do; every backend
/// passes `ports::conformance::log`.
#[async_trait]
pub trait Log: Send + Sync {
    /// The number of partitions of `commands` and `events`, fixed at creation.
    fn partitions(&self) -> u16;

    /// The identity of this log; a recreated log has another.
    fn identity(&self) -> Uuid;

    /// Whether this process is the only one that can append, so that a completed append stands.
    /// Else it stands if its offsets follow what was read, and what is between must be read first.
    fn exclusive(&self) -> bool;

    /// The highest schema that may be written, as far as it was known when the log was opened: all
    /// that this build knows, where nobody else reads it.
    fn schema_max(&self) -> u32 {
        u32::MAX
    }

    /// Appends records, in order per partition, and returns their offsets once they are durable.
    ///
    /// # Errors
    /// `Unavailable`: the outcome is unknown; some, all or none may become visible later.
    /// `Corrupt`: there is no such partition.
    async fn append(&self, records: Vec<(Partition, Record)>) -> Result<Vec<Offset>, Error>;

    /// Reads records from `from` (inclusive) on, in order, up to about `bytes_max`, at least one
    /// if there is one. Empty: nothing is there yet.
    ///
    /// An exclusive log shows records as soon as their order is fixed, before they are durable: what
    /// is appended in answer to them becomes durable after them or not at all.
    ///
    /// # Errors
    /// `Corrupt`: `from` lies past the end, or behind what retention kept. `Conflict`: records that
    /// this reader had seen before they were durable are void; drop what was made of them.
    /// `Unavailable`: try again.
    async fn read(
        &self,
        partition: Partition,
        from: Offset,
        bytes_max: usize,
    ) -> Result<Vec<Stored>, Error>;

    /// Returns when there may be a record at or after `from`. Spurious returns are allowed; the
    /// in-memory model returns at once.
    async fn changed(&self, partition: Partition, from: Offset) -> Result<(), Error>;

    /// The offset that the next durable record will get at the earliest: behind everything that was
    /// acknowledged to anyone.
    async fn end(&self, partition: Partition) -> Result<Offset, Error>;

    /// The first offset that can be read: what lies before it is forgotten.
    ///
    /// # Errors
    /// `Unavailable`: try again. `Corrupt`: there is no such partition.
    async fn start(&self, _partition: Partition) -> Result<Offset, Error> {
        // Only a shared log forgets.
        Ok(0)
    }

    /// Who keeps what it reads keeps only what lies before this offset: later records may be
    /// ordered and not durable yet, and could still be lost.
    async fn keepable(&self, partition: Partition) -> Result<Offset, Error> {
        // A shared log shows nothing before it is durable.
        if self.exclusive() { self.end(partition).await } else { Ok(Offset::MAX) }
    }
}
