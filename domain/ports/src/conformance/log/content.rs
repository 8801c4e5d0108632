//! What is appended comes back, bit by bit.

use super::{Subject, append, assert_holds, end, record, records};
use crate::log::{Headers, Log, Partition, Record};
use bytes::Bytes;
use std::sync::Arc;

pub(super) async fn every_field_comes_back(log: &dyn Log, partition: Partition) {
    let from = end(log, partition).await;
    let headers = [
        Headers::default(),
        Headers { kind: 1, epoch: 2, incarnation: 3, i: 4, n: 5 },
        Headers { kind: u32::MAX, epoch: i64::MAX, incarnation: i64::MIN, i: i32::MAX, n: -1 },
    ];
    let blobs =
        [Bytes::new(), Bytes::from_static(&[0]), Bytes::from((0..=255).collect::<Vec<u8>>())];
    let mut batch = Vec::new();
    for headers in headers {
        for key in &blobs {
            for value in &blobs {
                let record = Record { headers, key: key.clone(), value: value.clone() };
                batch.push((partition, record));
            }
        }
    }
    let offsets = append(log, batch.clone()).await;
    let expected: Vec<_> = offsets.into_iter().zip(batch.into_iter().map(|(_, r)| r)).collect();
    assert_holds(log, partition, from, &expected).await;
}

pub(super) async fn big_records_come_back(log: &dyn Log, partition: Partition) {
    let from = end(log, partition).await;
    let mut expected = Vec::new();
    for size in [1 << 10, 1 << 20, 100, (1 << 20) - 1] {
        let value: Vec<u8> = (0..size).map(|i: u32| (i % 251) as u8).collect();
        let record = Record { value: value.into(), ..record("big") };
        let offsets = append(log, vec![(partition, record.clone())]).await;
        expected.push((offsets[0], record));
    }
    assert_holds(log, partition, from, &expected).await;
}

/// The configuration and the keys; distinct keys, since compaction may forget equal ones.
pub(super) async fn single_partitions_work(log: &dyn Log) {
    for partition in [Partition::CONFIG, Partition::KEYS] {
        let from = end(log, partition).await;
        let mut batch = records(partition, "single", 10);
        for (i, (_, record)) in batch.iter_mut().enumerate() {
            record.key = Bytes::from(format!("key {i}"));
        }
        let offsets = append(log, batch.clone()).await;
        let expected: Vec<_> = offsets.into_iter().zip(batch.into_iter().map(|(_, r)| r)).collect();
        assert_holds(log, partition, from, &expected).await;
    }
}

pub(super) async fn everything_survives_reopening(
    subject: &dyn Subject,
    log: Arc<dyn Log>,
    partition: Partition,
) {
    let from = end(&*log, partition).await;
    let (identity, partitions) = (log.identity(), log.partitions());
    let mut expected = Vec::new();
    let mut log = log;
    for life in 0..4 {
        let batch = records(partition, &format!("life {life}"), 50);
        let offsets = append(&*log, batch.clone()).await;
        expected.extend(offsets.into_iter().zip(batch.into_iter().map(|(_, record)| record)));
        log = subject.reopen(log).await;
        assert_eq!(log.identity(), identity, "the same log");
        assert_eq!(log.partitions(), partitions, "the same partitions");
        assert_holds(&*log, partition, from, &expected).await;
    }
    assert!(expected.is_sorted_by(|a, b| a.0 < b.0), "offsets rise over all lives");
}
