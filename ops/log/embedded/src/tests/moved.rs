//! A log that was brought here from elsewhere, or is kept.

use super::*;
use crate::{Snapshot, pack};

#[tokio::test]
async fn records_of_a_partition_whose_first_are_forgotten_keep_their_offsets() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    log.begin(Q, 1000).await.expect("it begins");
    assert_eq!(put(&log, Q, "a").await, 1000);
    assert_eq!(put(&log, P, "b").await, 0);
    drop(log);
    let log = open(folder.path());
    let found = read_all(&log, Q).await;
    assert_eq!(found.iter().map(|stored| stored.offset).collect::<Vec<_>>(), [999, 1000]);
    assert!(found[0].record.is_gap() && !found[1].record.is_gap());
    assert_eq!(log.read(Q, 1000, 1).await.expect("it is read")[0].record, record("a"));
    assert_eq!(put(&log, Q, "c").await, 1001);
}

#[tokio::test]
async fn a_partition_with_records_cannot_begin_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    put(&log, Q, "a").await;
    assert!(log.begin(Q, 1000).await.is_err());
    assert_eq!(put(&log, Q, "b").await, 1);
}

#[tokio::test]
async fn a_packed_log_is_small_and_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = EmbeddedLog::open(Options::new(folder.path(), 4)).expect("it opens");
    for number in 0..40 {
        log.append(vec![(P, sized(&number.to_string(), 300))]).await.expect("it is appended");
    }
    let all = read_all(&log, P).await;
    drop(log);
    pack(folder.path()).expect("it is packed");
    let files = std::fs::read_dir(folder.path()).expect("a folder");
    let sizes = files.map(|file| file.expect("a file").metadata().expect("a size").len());
    assert!(sizes.sum::<u64>() < 40 * 400 + 4_096, "nothing but records is left");
    let snapshot = Snapshot::take(folder.path()).expect("it can be read");
    assert_eq!(read_all(&snapshot, P).await, all);
    let log = open(folder.path());
    assert_eq!(put(&log, P, "more").await, 40);
    assert_eq!(read_all(&log, P).await.len(), 41);
}
