//! Records keep their order within a partition, and only there.

use super::{append, assert_holds, end, follow, record, records};
use crate::log::{Log, Offset, Partition, Record};
use futures_util::future::join_all;

const APPENDERS: usize = 16;
const APPENDS: usize = 20;

pub(super) async fn of_one_partition(log: &dyn Log, partition: Partition) {
    let from = end(log, partition).await;
    let mut expected: Vec<(Offset, Record)> = Vec::new();
    for round in 0..40 {
        let batch = records(partition, &format!("order {round}"), 1 + round % 7);
        let offsets = append(log, batch.clone()).await;
        expected.extend(offsets.into_iter().zip(batch.into_iter().map(|(_, record)| record)));
    }
    assert!(expected.is_sorted_by(|a, b| a.0 < b.0), "offsets rise");
    assert_holds(log, partition, from, &expected).await;
    let (middle, _) = expected[expected.len() / 2];
    assert_holds(log, partition, middle, &expected[expected.len() / 2..]).await;
}

/// One append to many partitions gives each its own records, and answers in the order asked.
pub(super) async fn of_independent_partitions(log: &dyn Log) {
    let partitions: Vec<_> =
        (0..8).flat_map(|n| [Partition::commands(n), Partition::events(n)]).collect();
    let mut from = Vec::new();
    for partition in &partitions {
        from.push(end(log, *partition).await);
    }
    let batch: Vec<_> = (0..partitions.len() * 5)
        .map(|i| (partitions[i * 7 % partitions.len()], record(&format!("independent {i}"))))
        .collect();
    let offsets = append(log, batch.clone()).await;
    for (partition, from) in partitions.iter().zip(from) {
        let expected: Vec<_> = offsets
            .iter()
            .zip(&batch)
            .filter(|(_, (at, _))| at == partition)
            .map(|(offset, (_, record))| (*offset, record.clone()))
            .collect();
        assert_holds(log, *partition, from, &expected).await;
    }
}

/// What one appender appended before stands before what it appended after.
pub(super) async fn of_concurrent_appenders(log: &dyn Log, partition: Partition) {
    let from = end(log, partition).await;
    let told = join_all((0..APPENDERS).map(|appender| async move {
        let mut told = Vec::new();
        for round in 0..APPENDS {
            let batch = records(partition, &format!("appender {appender} {round}"), 3);
            let offsets = append(log, batch.clone()).await;
            told.extend(offsets.into_iter().zip(batch.into_iter().map(|(_, record)| record)));
        }
        assert!(told.is_sorted_by(|a, b| a.0 < b.0), "order of one appender");
        told
    }))
    .await;
    let mut expected: Vec<_> = told.into_iter().flatten().collect();
    expected.sort_by_key(|(offset, _)| *offset);
    let found = follow(log, partition, from, APPENDERS * APPENDS * 3).await;
    let found: Vec<_> = found.into_iter().map(|stored| (stored.offset, stored.record)).collect();
    assert!(found == expected, "every record stands where its appender was told");
}
