//! One process, one format, one number of partitions.

use super::*;

#[tokio::test]
async fn a_second_opening_is_refused_and_names_the_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    let message = refused(folder.path()).to_string();
    assert!(message.contains(&folder.path().display().to_string()), "{message}");
    assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
    drop(log);
    open(folder.path());
}

#[tokio::test]
async fn a_lock_file_without_its_process_is_no_obstacle() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("LOCK"), "123456789\n").expect("a file");
    open(folder.path());
    let pid = std::fs::read_to_string(folder.path().join("LOCK")).expect("a file");
    assert_eq!(pid.trim(), std::process::id().to_string());
}

#[tokio::test]
async fn the_number_of_partitions_is_fixed_at_creation() {
    let folder = tempfile::tempdir().expect("a folder");
    let identity = open(folder.path()).identity();
    let log = EmbeddedLog::open(Options::new(folder.path(), 9)).expect("it opens");
    assert_eq!(log.partitions(), 4);
    assert_eq!(log.identity(), identity);
}

#[tokio::test]
async fn a_recreated_log_has_another_identity() {
    let (one, other) = (tempfile::tempdir().expect("a"), tempfile::tempdir().expect("b"));
    assert_ne!(open(one.path()).identity(), open(other.path()).identity());
}

#[tokio::test]
async fn a_newer_format_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(open(folder.path()));
    let format = folder.path().join("FORMAT");
    let text = std::fs::read_to_string(&format).expect("a file");
    std::fs::write(&format, text.replace("format = 1", "format = 2")).expect("a file");
    let message = refused(folder.path()).to_string();
    assert!(message.contains("format 2") && message.contains("up to 1"), "{message}");
}

#[tokio::test]
async fn segments_without_a_format_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    put(&open(folder.path()), P, "record").await;
    std::fs::remove_file(folder.path().join("FORMAT")).expect("a file");
    assert!(matches!(refused(folder.path()), OpenError::Corrupt { .. }));
}

#[tokio::test]
async fn options_that_cannot_work_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let sound = || small(folder.path());
    for options in [
        Options { partitions: 0, ..sound() },
        Options { segment_bytes: 10, ..sound() },
        Options { segment_bytes: 1 << 40, ..sound() },
        Options { group_bytes_max: usize::MAX, ..sound() },
        Options { queue_bytes_max: usize::MAX, ..sound() },
    ] {
        assert!(matches!(EmbeddedLog::open(options).err(), Some(OpenError::Option(_))));
    }
}

#[test]
fn without_a_runtime_it_does_not_open() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(matches!(refused(folder.path()), OpenError::Runtime));
}

#[tokio::test]
async fn a_record_larger_than_a_segment_has_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    put(&log, P, "before").await;
    let big = sized("big", 50_000);
    log.append(vec![(P, big.clone())]).await.expect("room");
    put(&log, P, "after").await;
    drop(log);
    let log = open(folder.path());
    assert_eq!(read_all(&log, P).await[1].record, big);
    assert_eq!(names(&log, P).await.last().expect("one"), "after");
}

#[tokio::test]
async fn a_record_beyond_all_bounds_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    let value = Bytes::from(vec![0; 65 << 20]);
    let answer = log.append(vec![(P, Record { value, ..record("") })]).await;
    assert!(matches!(answer, Err(ports::Error::Corrupt(_))), "{answer:?}");
}
