use super::{migrated, opened, options};
use crate::Options;
use async_trait::async_trait;
use ports::conformance::log::{Subject, suite};
use ports::{Headers, Log, Partition, Record};
use std::sync::Arc;

struct OnKafka(Options);

#[async_trait]
impl Subject for OnKafka {
    async fn open(&self) -> Arc<dyn Log> {
        Arc::new(opened(&self.0).await)
    }

    async fn reopen(&self, log: Arc<dyn Log>) -> Arc<dyn Log> {
        drop(log);
        self.open().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_a_log() {
    let options = options();
    migrated(&options).await;
    suite(&OnKafka(options)).await;
}

/// Nothing stays in memory: every read is one of a cursor.
#[tokio::test(flavor = "multi_thread")]
async fn it_is_a_log_when_everything_is_small() {
    let options =
        Options { tail_bytes_max: 0, cursors_max: 2, queue_records_max: 100, ..options() };
    migrated(&options).await;
    suite(&OnKafka(options)).await;
}

/// Two nodes at one log read the same, each what the other wrote.
#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_appends_another_reads() {
    let options = options();
    migrated(&options).await;
    let (one, other) = (opened(&options).await, opened(&options).await);
    assert_eq!(one.identity(), other.identity());
    let partition = Partition::events(3);
    let record = |n: i64| Record {
        headers: Headers { kind: 200, epoch: n, n: 1, ..Headers::default() },
        key: bytes::Bytes::new(),
        value: bytes::Bytes::from(n.to_string()),
    };
    for n in 0..50 {
        let writer = if n % 2 == 0 { &one } else { &other };
        writer.append(vec![(partition, record(n))]).await.expect("it is appended");
        for reader in [&one, &other] {
            // One record after the other: their offsets are their numbers.
            reader.changed(partition, n).await.expect("it is told");
            let found = reader.read(partition, n, 1 << 20).await.expect("it reads");
            assert_eq!(found.last().map(|stored| &stored.record), Some(&record(n)));
        }
    }
}
