//! The log itself.

use crate::append::Appender;
use crate::cold::Cursors;
use crate::connect::unavailable;
use crate::identity::{self, Identity};
use crate::options::Options;
use crate::tail::{Found, Tails};
use crate::topic::Topics;
use async_trait::async_trait;
use ports::{Error, Log, Offset, Partition, Record, Stored};
use uuid::Uuid;

/// A log whose streams are topics of a Kafka cluster.
pub struct KafkaLog {
    identity: Identity,
    appender: Appender,
    tails: Tails,
    cursors: Cursors,
}

impl KafkaLog {
    /// Opens the log; its topics are there (see [`crate::plan`]). Must be called within a tokio
    /// runtime.
    ///
    /// # Errors
    /// `Unavailable`: no broker answers, or refuses this user. `Corrupt`: there is no log of that
    /// name, or a newer build made it. Each says what to do about it, in a line.
    pub async fn open(options: Options) -> Result<Self, Error> {
        let identity = identity::read(&options).await?;
        Self::at(&options, identity)
    }

    /// Opens what is there under that name, whatever it is.
    pub(crate) fn at(options: &Options, identity: Identity) -> Result<Self, Error> {
        let topics = Topics::new(&options.prefix, identity.partitions);
        let registered = identity.registered.clone();
        let is_registered = registered.is_some();
        let tails = Tails::start(options, &topics, is_registered)?;
        let appender = Appender::new(options.clone(), topics.clone(), registered, tails.lanes())
            .map_err(|error| unavailable(options, &error))?;
        let cursors = Cursors::new(options, &topics, is_registered);
        Ok(Self { identity, appender, tails, cursors })
    }
}

#[async_trait]
impl Log for KafkaLog {
    fn partitions(&self) -> u16 {
        self.identity.partitions
    }

    fn identity(&self) -> Uuid {
        self.identity.id
    }

    fn exclusive(&self) -> bool {
        false
    }

    fn schema_max(&self) -> u32 {
        self.identity.level
    }

    async fn append(&self, records: Vec<(Partition, Record)>) -> Result<Vec<Offset>, Error> {
        self.appender.append(records).await
    }

    async fn read(
        &self,
        partition: Partition,
        from: Offset,
        bytes_max: usize,
    ) -> Result<Vec<Stored>, Error> {
        let lane = self.tails.lane(partition).await?;
        let first = lane.first();
        match lane.read(from, bytes_max)? {
            Found::Records(records) => Ok(records),
            Found::Nothing => Ok(Vec::new()),
            Found::Older => {
                let records = self.cursors.read(partition, from, bytes_max).await?;
                if records.is_empty() {
                    lane.reach_back(from, first);
                }
                Ok(records)
            }
            Found::Ahead => {
                let end = self.end(partition).await?;
                if from > end {
                    let what = format!("{partition:?} ends at {end}, in front of {from}");
                    return Err(Error::Corrupt(what));
                }
                Ok(Vec::new())
            }
        }
    }

    async fn changed(&self, partition: Partition, from: Offset) -> Result<(), Error> {
        self.tails.lane(partition).await?.changed(from).await;
        Ok(())
    }

    async fn start(&self, partition: Partition) -> Result<Offset, Error> {
        let (first, _) = self.tails.watermarks(partition).await?;
        Ok(first)
    }

    async fn end(&self, partition: Partition) -> Result<Offset, Error> {
        let (_, end) = self.tails.watermarks(partition).await?;
        Ok(end)
    }
}
