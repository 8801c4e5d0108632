//! What had been synced and is not there any more is never passed over in silence.

use super::*;

async fn written(records: usize, bytes: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    for i in 0..records {
        log.append(vec![(P, sized(&i.to_string(), bytes))]).await.expect("room");
    }
    folder
}

fn corrupt(folder: &Path, number: u64) -> u64 {
    match refused(folder) {
        OpenError::Corrupt { file, position, .. } => {
            assert_eq!(file, segment(folder, number));
            position
        }
        other => unreachable!("{other}"),
    }
}

#[tokio::test]
async fn a_flipped_byte_in_the_last_group_costs_that_group() {
    let folder = written(5, 50).await;
    let last = *frames(folder.path()).last().expect("frames");
    for at in last.position..last.position + last.bytes {
        let damaged = copy(folder.path());
        edit(&segment(damaged.path(), 1), |bytes| bytes[at] ^= 4);
        let log = open(damaged.path());
        assert_eq!(names(&log, P).await.len(), 4, "byte {at}");
    }
}

#[tokio::test]
async fn a_flipped_byte_in_the_middle_is_corrupt() {
    let folder = written(6, 50).await;
    let all = frames(folder.path());
    for lies in &all[..all.len() - 1] {
        for at in (lies.position..lies.position + lies.bytes).step_by(7) {
            let damaged = copy(folder.path());
            edit(&segment(damaged.path(), 1), |bytes| bytes[at] ^= 4);
            let position = corrupt(damaged.path(), 1);
            assert!(position <= at as u64, "byte {at}, {position}");
        }
    }
}

#[tokio::test]
async fn a_lost_page_in_the_middle_is_corrupt() {
    let folder = written(6, 50).await;
    let third = frames(folder.path())[3];
    edit(&segment(folder.path(), 1), |bytes| {
        bytes[third.position..third.position + frame::padded(third.bytes)].fill(0);
    });
    assert_eq!(corrupt(folder.path(), 1), third.position as u64);
}

#[tokio::test]
async fn a_damaged_record_of_a_full_segment_is_corrupt_when_it_is_read() {
    let folder = written(30, 400).await;
    let all = frames(folder.path());
    let second = all.iter().position(|lies| lies.number == 2).expect("a second segment");
    let lies = all[second + 2];
    edit(&segment(folder.path(), 2), |bytes| bytes[lies.position + 99] ^= 1);
    let log = open(folder.path());
    let first = log.read(P, 0, 1).await.expect("not damaged");
    assert_eq!(first.len(), 1);
    let marks = all[..second + 2].iter().filter(|lies| lies.position == START as usize).count();
    let offset = (second + 2 - marks) as i64;
    match log.read(P, offset, 1).await {
        Err(ports::Error::Corrupt(why)) => assert!(why.contains("000000000002.log"), "{why}"),
        other => unreachable!("{other:?}"),
    }
    assert_eq!(log.read(P, offset + 1, 1).await.expect("not damaged").len(), 1);
    drop(log);
    std::fs::remove_file(folder.path().join("000000000002.idx")).expect("an index");
    assert!(corrupt(folder.path(), 2) <= lies.position as u64);
}

#[tokio::test]
async fn a_full_segment_that_ends_early_is_corrupt() {
    let folder = written(30, 400).await;
    let all = frames(folder.path());
    let last = *all.iter().rfind(|lies| lies.number == 3).expect("a third segment");
    edit(&segment(folder.path(), 3), |bytes| bytes[last.position..].fill(0));
    std::fs::remove_file(folder.path().join("000000000003.idx")).expect("an index");
    assert_eq!(corrupt(folder.path(), 3), last.position as u64);
}

#[tokio::test]
async fn a_missing_segment_is_an_error() {
    let folder = written(30, 400).await;
    std::fs::remove_file(segment(folder.path(), 2)).expect("a segment");
    let message = refused(folder.path()).to_string();
    assert!(message.contains("000000000002.log"), "{message}");
}

#[tokio::test]
async fn a_damaged_header_is_corrupt() {
    for number in [1, 2] {
        let folder = written(30, 400).await;
        edit(&segment(folder.path(), number), |bytes| bytes[17] ^= 1);
        assert_eq!(corrupt(folder.path(), number), 0);
    }
}

#[tokio::test]
async fn a_segment_of_another_log_is_corrupt() {
    let folder = written(30, 400).await;
    let other = written(30, 400).await;
    std::fs::copy(segment(other.path(), 2), segment(folder.path(), 2)).expect("a copy");
    corrupt(folder.path(), 2);
}

/// What records carry never poses as frames, not even a copy of the log itself.
#[tokio::test]
async fn a_log_within_a_log_is_data() {
    let inner = written(8, 50).await;
    let bytes = std::fs::read(segment(inner.path(), 1)).expect("a file");
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    put(&log, P, "first").await;
    let value = Bytes::copy_from_slice(&bytes[START as usize..2000]);
    let record = Record { value, ..record("") };
    log.append(vec![(P, record)]).await.expect("room");
    drop(log);
    let last = *frames(folder.path()).last().expect("frames");
    edit(&segment(folder.path(), 1), |bytes| bytes[last.position] ^= 1);
    assert_eq!(names(&open(folder.path()), P).await, ["first"]);
}
