//! Reading beside the process that holds the folder.

use super::*;
use crate::Snapshot;
use std::collections::BTreeMap;

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file"));
    let read = |path: &Path| std::fs::read(path).expect("a file");
    entries
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), read(&entry.path())))
        .collect()
}

#[tokio::test]
async fn a_snapshot_reads_every_segment_beside_the_holder() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    for number in 0..40 {
        log.append(vec![(P, sized(&number.to_string(), 300))]).await.expect("it is appended");
        put(&log, Q, "other").await;
    }
    let snapshot = Snapshot::take(folder.path()).expect("it can be read");
    assert_eq!(read_all(&snapshot, P).await, read_all(&log, P).await);
    assert_eq!(read_all(&snapshot, Q).await.len(), 40);
    assert_eq!(snapshot.end(P).await.expect("an end"), log.end(P).await.expect("an end"));
    put(&log, P, "later").await;
    assert_eq!(read_all(&snapshot, P).await.len(), 40);
}

#[tokio::test]
async fn a_snapshot_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    for number in 0..40 {
        log.append(vec![(P, sized(&number.to_string(), 300))]).await.expect("it is appended");
    }
    drop(log);
    // As after a crash: without indexes, and with a segment that was being made.
    for name in files(folder.path()).keys().filter(|name| name.ends_with(".idx")) {
        std::fs::remove_file(folder.path().join(name)).expect("a file");
    }
    std::fs::write(folder.path().join("000000000099.log.new"), "half").expect("a file");
    let before = files(folder.path());
    let snapshot = Snapshot::take(folder.path()).expect("it can be read");
    assert_eq!(read_all(&snapshot, P).await.len(), 40);
    assert!(snapshot.append(vec![(P, record("mine"))]).await.is_err());
    assert_eq!(files(folder.path()), before);
}

#[test]
fn there_is_no_snapshot_of_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(Snapshot::take(folder.path()).is_err());
    assert_eq!(files(folder.path()).len(), 0);
}
