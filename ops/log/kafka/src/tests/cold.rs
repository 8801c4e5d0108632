use super::{migrated, opened, options};
use crate::cold::Cursors;
use crate::topic::Topics;
use ports::{Headers, Log, Partition, Record};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_at_the_end_stands_nowhere_and_fetches_nothing() {
    let options = options();
    migrated(&options).await;
    let log = opened(&options).await;
    let partition = Partition::events(3);
    let record = |n: i64| Record {
        headers: Headers { kind: 200, epoch: n, n: 1, ..Headers::default() },
        key: bytes::Bytes::new(),
        value: bytes::Bytes::from(n.to_string()),
    };
    log.append((0..10).map(|n| (partition, record(n))).collect()).await.expect("it is appended");
    let cursors = Cursors::new(&options, &Topics::new(&options.prefix, log.partitions()), false);
    let read = async |from, bytes_max| {
        let found = cursors.read(partition, from, bytes_max).await.expect("it reads");
        found.iter().map(|stored| stored.offset).collect::<Vec<_>>()
    };
    assert_eq!(read(0, 1).await, [0]);
    assert_eq!(cursors.standing(), 1, "somebody may read on");
    assert_eq!(read(1, 1 << 20).await, (1..10).collect::<Vec<_>>());
    assert_eq!(cursors.standing(), 0, "there is no more");
    assert_eq!(read(4, 1 << 20).await, (4..10).collect::<Vec<_>>(), "it is put back");
    log.append(vec![(partition, record(10))]).await.expect("it is appended");
    assert_eq!(read(10, 1 << 20).await, [10]);
    assert_eq!(read(2, 1).await, [2]);
    cursors.dismiss(Duration::ZERO);
    assert_eq!(cursors.standing(), 0, "nobody came back");
    assert_eq!(read(3, 1).await, [3]);
}
