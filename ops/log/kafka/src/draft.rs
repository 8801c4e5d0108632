//! A log that is being filled from elsewhere.
//!
//! Its topics are there, but the record that says that they are a log comes last: no node opens it
//! before it is whole, and `migrate` leaves it alone.

use crate::identity::Identity;
use crate::log::KafkaLog;
use crate::migrate::{Plan, Wanted, admin, survey};
use crate::options::Options;
use crate::registered::Registered;
use crate::topic::Topics;
use domain::time::Timestamp;
use ports::{Error, Log, Offset, Partition, Record};
use rdkafka::admin::AdminOptions;
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::TopicPartitionList;
use std::fmt;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Gaps appended in one go.
const GAPS: usize = 20_000;
/// Pause between two looks at topics that were only just made.
const LOOK: Duration = Duration::from_millis(100);

/// A log that is being filled, and is none yet.
pub struct Draft {
    plan: Plan,
    options: Options,
    registered: Option<Registered>,
    log: KafkaLog,
}

impl fmt::Display for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.* in Kafka", self.options.prefix)
    }
}

impl Draft {
    /// Makes the topics, or goes on with those that are there. `registered`: the ids of the schemas
    /// in a registry, if the log is to be for one.
    ///
    /// # Errors
    /// `Conflict`: there is a log of that name, or something must be mended first; each is told in
    /// a line. `Unavailable`: no broker answers, or refuses this user.
    pub async fn open(
        options: &Options,
        wanted: Wanted,
        registered: Option<Registered>,
    ) -> Result<Self, Error> {
        let plan = survey(options, wanted).await?;
        if plan.identity().is_some() {
            let prefix = &options.prefix;
            return Err(Error::Conflict(format!(
                "there is a log in {prefix}.* in Kafka already: use another kafka.prefix"
            )));
        }
        if let Some(first) = plan.refusals().first() {
            return Err(Error::Conflict(first.clone()));
        }
        plan.make_topics().await?;
        let log = KafkaLog::at(options, Identity::none(wanted.partitions, registered.clone()))?;
        let draft = Self { plan, options: options.clone(), registered, log };
        draft.appear().await?;
        Ok(draft)
    }

    /// Where its records go, and can be read.
    pub fn log(&self) -> &KafkaLog {
        &self.log
    }

    /// What is there now, read from the brokers and not from this process's memory.
    ///
    /// # Errors
    /// `Unavailable`: no client can be made.
    pub fn look(&self) -> Result<KafkaLog, Error> {
        let registered = self.registered.clone();
        KafkaLog::at(&self.options, Identity::none(self.log.partitions(), registered))
    }

    /// What may lose data, and is accepted for development, a line each.
    pub fn warnings(&self) -> &[String] {
        self.plan.warnings()
    }

    /// The next record of a partition without any gets this offset. Kafka numbers records from 0:
    /// so many are appended, and forgotten.
    ///
    /// # Errors
    /// `Unavailable`: call it again.
    pub async fn begin(&self, partition: Partition, first: Offset) -> Result<(), Error> {
        loop {
            let left = first - self.log.end(partition).await?;
            if left <= 0 {
                return self.forget(partition, first).await;
            }
            let count = usize::try_from(left).unwrap_or(GAPS).min(GAPS);
            self.log.append(vec![(partition, Record::gap()); count]).await?;
        }
    }

    /// Says that it is a log from now on.
    ///
    /// # Errors
    /// `Unavailable`: call it again.
    pub async fn finish(&self, now: Timestamp) -> Result<Uuid, Error> {
        Ok(self.plan.write_down(self.registered.clone(), now).await?.id)
    }

    /// Waits until every broker knows the topics.
    async fn appear(&self) -> Result<(), Error> {
        let patience = Duration::from_millis(self.options.request_timeout_ms);
        let begun = Instant::now();
        for partition in Partition::all(self.log.partitions()) {
            while let Err(error) = self.log.end(partition).await {
                if begun.elapsed() > patience {
                    return Err(error);
                }
                tokio::time::sleep(LOOK).await;
            }
        }
        Ok(())
    }

    async fn forget(&self, partition: Partition, before: Offset) -> Result<(), Error> {
        let topics = Topics::new(&self.options.prefix, self.log.partitions());
        let (topic, number) = topics.place(partition)?;
        let failed =
            |why: String| Error::Unavailable(format!("{topic} {number} keeps what is gone: {why}"));
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, number, rdkafka::Offset::Offset(before))
            .map_err(|error| failed(error.to_string()))?;
        let timeout = Duration::from_millis(self.options.request_timeout_ms);
        let how = AdminOptions::new().operation_timeout(Some(timeout));
        let forgotten = admin(&self.options)?.delete_records(&list, &how).await;
        let forgotten = forgotten.map_err(|error: KafkaError| failed(error.to_string()))?;
        match forgotten.elements().first().map(|one| one.error()) {
            Some(Err(error)) => Err(failed(error.to_string())),
            Some(Ok(())) | None => Ok(()),
        }
    }
}
