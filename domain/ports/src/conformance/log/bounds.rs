//! Sizes, ends and nothing at all.

use super::{append, assert_holds, end, follow, read, records};
use crate::error::Error;
use crate::log::{Headers, Log, Partition, Record};
use bytes::Bytes;

const RECORD_BYTES: usize = 1000;

pub(super) async fn large_batches_are_kept_whole(log: &dyn Log, partition: Partition) {
    let from = end(log, partition).await;
    let batch = records(partition, "large", 5000);
    let offsets = append(log, batch.clone()).await;
    let expected: Vec<_> = offsets.into_iter().zip(batch.into_iter().map(|(_, r)| r)).collect();
    assert_holds(log, partition, from, &expected).await;
}

pub(super) async fn reads_are_bounded_but_never_stall(log: &dyn Log, partition: Partition) {
    let from = end(log, partition).await;
    let value = Bytes::from(vec![7; RECORD_BYTES]);
    let record = Record { headers: Headers::default(), key: Bytes::new(), value };
    append(log, vec![(partition, record); 100]).await;
    follow(log, partition, from, 100).await;
    for bytes_max in [0, 1, RECORD_BYTES - 1] {
        let found = read(log, partition, from, bytes_max).await;
        assert_eq!(found.len(), 1, "one record, however small the bound {bytes_max}");
    }
    for bytes_max in [5 * RECORD_BYTES, 50 * RECORD_BYTES] {
        let found = read(log, partition, from, bytes_max).await;
        assert!(!found.is_empty(), "there is something to read");
        assert!(found.len() <= bytes_max / RECORD_BYTES + 1, "{} exceed the bound", found.len());
    }
}

pub(super) async fn the_end_is_empty_and_past_it_is_corrupt(log: &dyn Log, partition: Partition) {
    let before = end(log, partition).await;
    assert!(read(log, partition, before, 1000).await.is_empty(), "nothing at the end");
    let offsets = append(log, records(partition, "end", 3)).await;
    assert!(offsets[0] >= before, "the end is the earliest next offset");
    follow(log, partition, before, 3).await;
    let after = end(log, partition).await;
    assert!(after > offsets[2], "the end lies behind the last record");
    assert!(read(log, partition, after, 1000).await.is_empty(), "nothing at the end");
    let past = log.read(partition, after + 1000, 1000).await;
    assert!(matches!(past, Err(Error::Corrupt(_))), "past the end: {past:?}");
}

pub(super) async fn an_empty_append_is_nothing(log: &dyn Log, partition: Partition) {
    let before = end(log, partition).await;
    assert!(append(log, Vec::new()).await.is_empty(), "no records, no offsets");
    assert_eq!(end(log, partition).await, before, "nothing was appended");
}

pub(super) async fn partitions_that_do_not_exist_are_errors(log: &dyn Log) {
    let absent = [Partition::events(log.partitions()), Partition { number: 1, ..Partition::KEYS }];
    for partition in absent {
        assert!(log.append(records(partition, "absent", 1)).await.is_err(), "append");
        assert!(log.read(partition, 0, 1000).await.is_err(), "read");
        assert!(log.changed(partition, 0).await.is_err(), "changed");
        assert!(log.end(partition).await.is_err(), "end");
    }
}
