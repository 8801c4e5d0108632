//! What every log does, whatever it is made of.
//!
//! The caller brings the runtime and a deadline: a lost wake-up shows as a test that never ends.

mod bounds;
mod content;
mod order;
mod waiting;

use crate::log::{Headers, Log, Offset, Partition, Record, Stored};
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;
use std::task::Poll;

/// A kind of log, as its suite needs it.
#[async_trait]
pub trait Subject: Send + Sync {
    /// Gives a log with at least eight partitions. It need not be empty, but no one else writes
    /// to it.
    async fn open(&self) -> Arc<dyn Log>;

    /// Lets go of a log that no one uses any more, and opens the same one again.
    async fn reopen(&self, log: Arc<dyn Log>) -> Arc<dyn Log>;
}

/// Runs every case, each on partitions of its own, on one log.
///
/// # Panics
/// When the log breaks a promise of the port.
pub async fn suite(subject: &dyn Subject) {
    let log = subject.open().await;
    assert!(log.partitions() >= 8, "the suite needs eight partitions");
    order::of_one_partition(&*log, Partition::events(0)).await;
    order::of_independent_partitions(&*log).await;
    order::of_concurrent_appenders(&*log, Partition::events(2)).await;
    bounds::large_batches_are_kept_whole(&*log, Partition::events(3)).await;
    bounds::reads_are_bounded_but_never_stall(&*log, Partition::events(4)).await;
    bounds::the_end_is_empty_and_past_it_is_corrupt(&*log, Partition::events(5)).await;
    bounds::an_empty_append_is_nothing(&*log, Partition::events(5)).await;
    bounds::partitions_that_do_not_exist_are_errors(&*log).await;
    content::every_field_comes_back(&*log, Partition::commands(6)).await;
    content::big_records_come_back(&*log, Partition::events(6)).await;
    content::single_partitions_work(&*log).await;
    waiting::changed_wakes(&*log, Partition::commands(7)).await;
    waiting::no_wake_up_is_lost(&*log, Partition::events(7)).await;
    content::everything_survives_reopening(subject, log, Partition::commands(0)).await;
}

/// A record that can be told from others.
fn record(name: &str) -> Record {
    let value = Bytes::copy_from_slice(name.as_bytes());
    Record { headers: Headers { kind: 1, n: 1, ..Headers::default() }, key: Bytes::new(), value }
}

/// Records of one partition, named `prefix.0` and on.
fn records(partition: Partition, prefix: &str, count: usize) -> Vec<(Partition, Record)> {
    (0..count).map(|i| (partition, record(&format!("{prefix}.{i}")))).collect()
}

async fn append(log: &dyn Log, records: Vec<(Partition, Record)>) -> Vec<Offset> {
    let count = records.len();
    match log.append(records).await {
        Ok(offsets) => {
            assert_eq!(offsets.len(), count, "one offset for each record");
            offsets
        }
        Err(error) => unreachable!("append: {error}"),
    }
}

async fn end(log: &dyn Log, partition: Partition) -> Offset {
    match log.end(partition).await {
        Ok(end) => end,
        Err(error) => unreachable!("end of {partition:?}: {error}"),
    }
}

async fn read(log: &dyn Log, partition: Partition, from: Offset, bytes_max: usize) -> Vec<Stored> {
    match log.read(partition, from, bytes_max).await {
        Ok(found) => found,
        Err(error) => unreachable!("read of {partition:?} from {from}: {error}"),
    }
}

async fn changed(log: &dyn Log, partition: Partition, from: Offset) {
    if let Err(error) = log.changed(partition, from).await {
        unreachable!("changed of {partition:?} from {from}: {error}");
    }
}

/// Reads on until `count` records have come, waiting for them where need be.
async fn follow(log: &dyn Log, partition: Partition, from: Offset, count: usize) -> Vec<Stored> {
    let mut found: Vec<Stored> = Vec::with_capacity(count);
    let mut next = from;
    while found.len() < count {
        let more = read(log, partition, next, 64 << 10).await;
        if more.is_empty() {
            changed(log, partition, next).await;
            pass().await;
        }
        for stored in &more {
            assert!(stored.offset >= next, "offsets rise");
            next = stored.offset + 1;
        }
        found.extend(more);
    }
    assert_eq!(found.len(), count, "nothing but what was appended");
    found
}

/// Asserts that from `from` on, the partition holds exactly this, at these offsets.
async fn assert_holds(
    log: &dyn Log,
    partition: Partition,
    from: Offset,
    expected: &[(Offset, Record)],
) {
    let found = follow(log, partition, from, expected.len()).await;
    for (stored, (offset, record)) in found.iter().zip(expected) {
        assert_eq!(stored.offset, *offset, "the offset that was told");
        assert!(stored.record == *record, "the record at {offset} of {partition:?} has changed");
    }
    let next = found.last().map_or(from, |last| last.offset + 1);
    assert!(read(log, partition, next, 1).await.is_empty(), "nothing behind the last record");
}

/// Lets the other futures of this task run: a log in memory never does.
async fn pass() {
    let mut passed = false;
    std::future::poll_fn(|context| {
        if passed {
            return Poll::Ready(());
        }
        passed = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::log::ModelLog;
    use futures_util::FutureExt;

    struct Kind;
    struct Healed(u64);

    #[async_trait]
    impl Subject for Kind {
        async fn open(&self) -> Arc<dyn Log> {
            Arc::new(ModelLog::kind(8))
        }

        async fn reopen(&self, log: Arc<dyn Log>) -> Arc<dyn Log> {
            log
        }
    }

    #[async_trait]
    impl Subject for Healed {
        async fn open(&self) -> Arc<dyn Log> {
            let log = ModelLog::hostile(8, self.0);
            log.heal();
            Arc::new(log)
        }

        async fn reopen(&self, log: Arc<dyn Log>) -> Arc<dyn Log> {
            log
        }
    }

    /// Polls until done: nothing here waits for anything but another poll.
    fn run(subject: &dyn Subject) {
        let mut suite = std::pin::pin!(suite(subject));
        while suite.as_mut().now_or_never().is_none() {}
    }

    #[test]
    fn the_kind_model_passes() {
        run(&Kind);
    }

    #[test]
    fn the_hostile_model_passes_once_healed() {
        (0..8).for_each(|seed| run(&Healed(seed)));
    }
}
