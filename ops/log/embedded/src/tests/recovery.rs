//! What opening makes of folders that a crash left behind.

use super::*;
use crate::segment::MARK_BYTES;

/// Ten appends in one segment, each a group of its own.
async fn ten(folder: &Path) {
    let log = open(folder);
    for i in 0..10 {
        put(&log, if i % 2 == 0 { P } else { Q }, &format!("record {i}")).await;
    }
}

#[tokio::test]
async fn everything_is_there_after_many_rolls() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut expected = [Vec::new(), Vec::new()];
    for life in 0..5 {
        let log = open(folder.path());
        assert_eq!(log.recovered().segments_scanned, usize::from(life > 0), "only the last");
        for i in 0..60 {
            let record = sized(&format!("{life}.{i}"), 300);
            for (partition, expected) in [P, Q].into_iter().zip(&mut expected) {
                let offsets = log.append(vec![(partition, record.clone())]).await.expect("room");
                expected.push(Stored { offset: offsets[0], record: record.clone() });
            }
        }
        assert_eq!(read_all(&log, P).await, expected[0]);
    }
    let log = open(folder.path());
    assert!(log.recovered().segments > 40, "{:?}", log.recovered());
    for (partition, expected) in [P, Q].into_iter().zip(expected) {
        assert!(expected.iter().map(|stored| stored.offset).eq(0..300), "no gaps");
        assert_eq!(read_all(&log, partition).await, expected);
    }
}

/// Wherever the write of the last group was cut off.
#[tokio::test]
async fn a_torn_tail_keeps_the_valid_prefix() {
    let folder = tempfile::tempdir().expect("a folder");
    ten(folder.path()).await;
    let last = *frames(folder.path()).last().expect("frames");
    for cut in last.position..last.position + last.bytes {
        let torn = copy(folder.path());
        edit(&segment(torn.path(), 1), |bytes| bytes[cut..].fill(0));
        let log = open(torn.path());
        assert_eq!(names(&log, P).await.len(), 5, "cut at {cut}");
        assert_eq!(names(&log, Q).await.len(), 4, "cut at {cut}");
        assert_eq!(log.recovered().bytes_dropped > 0, cut > last.position, "cut at {cut}");
        assert_eq!(put(&log, Q, "again").await, 4);
        drop(log);
        assert_eq!(names(&open(torn.path()), Q).await.last().expect("one"), "again");
    }
}

#[tokio::test]
async fn a_group_is_there_as_a_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    put(&log, P, "before").await;
    log.append(vec![(P, record("a")), (Q, record("b")), (P, record("c"))]).await.expect("room");
    drop(log);
    let group: Vec<_> = frames(folder.path()).into_iter().filter(|f| f.group == 2).collect();
    assert_eq!(group.len(), 3);
    for lies in group {
        let torn = copy(folder.path());
        edit(&segment(torn.path(), 1), |bytes| bytes[lies.position + 61] ^= 1);
        edit(&segment(torn.path(), 1), |bytes| bytes[lies.position] ^= 1);
        let log = open(torn.path());
        assert_eq!(names(&log, P).await, ["before"]);
        assert!(names(&log, Q).await.is_empty());
        assert!(log.recovered().bytes_dropped > 0);
    }
}

/// The bytes behind a tear are good frames, and the next append ends exactly where they start.
#[tokio::test]
async fn stale_frames_behind_a_tear_never_come_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = segment(folder.path(), 1);
    let log = open(folder.path());
    put(&log, P, "kept").await;
    log.append(vec![(P, record("torn!")), (P, record("stale"))]).await.expect("room");
    drop(log);
    let frames = frames(folder.path());
    let [.., torn, stale] = frames[..] else { unreachable!("four frames") };
    let before = std::fs::read(&path).expect("a file");
    edit(&path, |bytes| bytes[torn.position + 20] ^= 1);

    let log = open(folder.path());
    assert_eq!(names(&log, P).await, ["kept"]);
    put(&log, P, "other").await;
    drop(log);
    assert_eq!(names(&open(folder.path()), P).await, ["kept", "other"]);

    // Even if the zeros behind the tear had got lost.
    let at = stale.position..stale.position + stale.bytes;
    edit(&path, |bytes| bytes[at.clone()].copy_from_slice(&before[at]));
    let log = open(folder.path());
    assert_eq!(names(&log, P).await, ["kept", "other"]);
    assert!(log.recovered().bytes_dropped > 0);
}

#[tokio::test]
async fn the_first_group_of_a_new_segment_may_be_torn() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    let mut appended = 0;
    while !segment(folder.path(), 2).exists() || appended < 8 {
        log.append(vec![(P, sized("x", 500))]).await.expect("room");
        appended += 1;
    }
    drop(log);
    let all = frames(folder.path());
    let last = all.last().expect("frames").number;
    let inside = |lies: &&Lies| lies.number == last;
    let first = all.iter().filter(inside).map(|lies| lies.group).min().expect("frames");
    let groups = all.iter().filter(inside).filter(|lies| lies.group > first).count();
    for cut in [START as usize, START as usize + 10, START as usize + MARK_BYTES + 100] {
        let torn = copy(folder.path());
        edit(&segment(torn.path(), last), |bytes| bytes[cut..].fill(0));
        let log = open(torn.path());
        assert_eq!(names(&log, P).await.len(), appended - 1 - groups, "cut at {cut}");
        for _ in 0..20 {
            log.append(vec![(P, sized("y", 500))]).await.expect("room");
        }
        drop(log);
        assert_eq!(names(&open(torn.path()), P).await.len(), appended + 19 - groups);
    }
}

#[tokio::test]
async fn what_was_being_prepared_is_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    ten(folder.path()).await;
    let left = folder.path().join("000000000009.log.new");
    std::fs::write(&left, [7; 100]).expect("a file");
    let log = open(folder.path());
    assert_eq!(names(&log, P).await.len(), 5);
    assert!(!left.exists());
}

#[tokio::test]
async fn segments_that_were_never_used_are_used() {
    let folder = tempfile::tempdir().expect("a folder");
    ten(folder.path()).await;
    let before = frames(folder.path()).len();
    {
        let log = Folder::open(Arc::new(Local), folder.path().to_owned(), 1).expect("closed");
        for number in [5, 6] {
            Segment::create(&log, number, 4096, &|_| Ok(())).expect("room");
        }
    }
    let log = open(folder.path());
    for _ in 0..20 {
        log.append(vec![(P, sized("x", 600))]).await.expect("room");
    }
    drop(log);
    let used = frames(folder.path());
    assert_eq!(used.iter().filter(|lies| lies.position != START as usize).count(), before - 1 + 20);
    assert!([5, 6, 7].iter().all(|number| used.iter().any(|lies| lies.number == *number)));
}

#[tokio::test]
async fn a_lost_index_is_made_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    for i in 0..30 {
        log.append(vec![(P, sized(&i.to_string(), 400))]).await.expect("room");
    }
    let expected = read_all(&log, P).await;
    drop(log);
    std::fs::remove_file(folder.path().join("000000000002.idx")).expect("an index");
    let log = open(folder.path());
    assert_eq!(log.recovered().segments_scanned, 2);
    assert_eq!(read_all(&log, P).await, expected);
    drop(log);
    assert_eq!(open(folder.path()).recovered().segments_scanned, 1);
}

#[tokio::test]
async fn a_damaged_index_is_made_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    for i in 0..30 {
        log.append(vec![(P, sized(&i.to_string(), 400))]).await.expect("room");
    }
    let expected = read_all(&log, P).await;
    drop(log);
    let index = folder.path().join("000000000002.idx");
    for at in 0..std::fs::read(&index).expect("an index").len() {
        let damaged = copy(folder.path());
        edit(&damaged.path().join("000000000002.idx"), |bytes| bytes[at] ^= 0x10);
        let log = EmbeddedLog::open(Options { tail_bytes_max: 0, ..small(damaged.path()) });
        assert_eq!(read_all(&log.expect("it opens"), P).await, expected, "byte {at}");
    }
}
