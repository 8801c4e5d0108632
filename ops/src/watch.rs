//! A log of which the node knows whether it takes appends.

use crate::meters::Meters;
use async_trait::async_trait;
use ports::{Error, Log, Offset, Partition, Record, Stored};
use std::sync::Arc;
use uuid::Uuid;

pub(crate) struct Watched {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) meters: Arc<Meters>,
}

#[async_trait]
impl Log for Watched {
    fn partitions(&self) -> u16 {
        self.log.partitions()
    }

    fn identity(&self) -> Uuid {
        self.log.identity()
    }

    fn exclusive(&self) -> bool {
        self.log.exclusive()
    }

    async fn append(&self, records: Vec<(Partition, Record)>) -> Result<Vec<Offset>, Error> {
        let appended = self.log.append(records).await;
        self.meters.appended(appended.as_ref().err());
        appended
    }

    async fn read(
        &self,
        partition: Partition,
        from: Offset,
        bytes_max: usize,
    ) -> Result<Vec<Stored>, Error> {
        self.log.read(partition, from, bytes_max).await
    }

    async fn changed(&self, partition: Partition, from: Offset) -> Result<(), Error> {
        self.log.changed(partition, from).await
    }

    async fn start(&self, partition: Partition) -> Result<Offset, Error> {
        self.log.start(partition).await
    }

    async fn end(&self, partition: Partition) -> Result<Offset, Error> {
        self.log.end(partition).await
    }
}
