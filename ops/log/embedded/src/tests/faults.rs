//! A disk that refuses costs what was not durable, and nothing else.

use super::*;
use crate::disk::faulty::{Fault, Faulty};
use ports::Error;

const COMMANDS: Partition = Partition::commands(2);
const EVENTS: Partition = Partition::events(2);

fn open_on(disk: &Faulty, folder: &Path) -> EmbeddedLog {
    let options = Options { together: false, ..small(folder) };
    EmbeddedLog::open_on(Arc::new(disk.clone()), options).expect("it opens")
}

async fn fails(log: &EmbeddedLog, partition: Partition, record: Record) -> String {
    match log.append(vec![(partition, record)]).await {
        Err(Error::Unavailable(why)) => why,
        other => unreachable!("{other:?}"),
    }
}

/// For each fault: what was durable can be read, what failed cannot, and it heals by itself.
#[tokio::test]
async fn a_failed_append_is_nowhere_and_the_next_one_works() {
    for fault in [Fault::Full, Fault::ShortWrite, Fault::Sync] {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = Faulty::new();
        let log = open_on(&disk, folder.path());
        put(&log, P, "before").await;
        disk.set(fault);
        for attempt in 0..5 {
            let why = fails(&log, P, sized("lost", 5000)).await;
            assert_eq!(why.contains("disk full"), fault == Fault::Full, "{why}");
            assert_eq!(names(&log, P).await, ["before"], "{fault:?} {attempt}");
            assert_eq!(log.end(P).await.expect("an end"), 1);
        }
        disk.set(Fault::None);
        let offset = put(&log, P, "after").await;
        assert!(offset > 5, "offsets of what was lost are not used again");
        assert_eq!(put(&log, P, "more").await, offset + 1);
        assert_eq!(names(&log, P).await, ["before", "after", "more"]);
        drop(log);
        let log = open(folder.path());
        assert_eq!(names(&log, P).await, ["before", "after", "more"], "{fault:?}");
        assert_eq!(log.recovered().segments, 2, "{fault:?}");
    }
}

/// The group fitted into the segment in use, whose bytes cannot be trusted any more.
#[tokio::test]
async fn after_a_failed_sync_another_segment_begins() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = Faulty::new();
    let log = open_on(&disk, folder.path());
    put(&log, P, "before").await;
    disk.set(Fault::Sync);
    fails(&log, P, record("lost")).await;
    disk.set(Fault::None);
    put(&log, P, "after").await;
    drop(log);
    let numbers: Vec<_> = frames(folder.path()).iter().map(|lies| lies.number).collect();
    assert!(numbers.contains(&1) && *numbers.last().expect("frames") > 1, "{numbers:?}");
    assert_eq!(names(&open(folder.path()), P).await, ["before", "after"]);
}

/// What a failed sync left in the file is not taken for the truth once a later segment says where
/// its own ends.
#[tokio::test]
async fn frames_of_a_failed_group_that_reached_the_disk_are_ignored() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = Faulty::new();
    let log = open_on(&disk, folder.path());
    put(&log, P, "before").await;
    put(&log, P, "twin").await;
    drop(log);
    let with_twin = std::fs::read(segment(folder.path(), 1)).expect("a file");
    let twin = *frames(folder.path()).last().expect("frames");
    edit(&segment(folder.path(), 1), |bytes| bytes[twin.position..].fill(0));
    let log = open_on(&disk, folder.path());
    disk.set(Fault::Sync);
    fails(&log, P, record("lost")).await;
    disk.set(Fault::None);
    put(&log, P, "after").await;
    drop(log);
    std::fs::write(segment(folder.path(), 1), with_twin).expect("a file");
    std::fs::remove_file(folder.path().join("000000000001.idx")).expect("an index");
    assert_eq!(names(&open(folder.path()), P).await, ["before", "after"]);
}

#[tokio::test]
async fn records_are_read_before_they_are_durable() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = Faulty::new();
    let log = Arc::new(open_on(&disk, folder.path()));
    put(&log, P, "before").await;
    let held = disk.hold();
    let appending = tokio::spawn({
        let log = log.clone();
        async move { put(&log, P, "early").await }
    });
    log.changed(P, 1).await.expect("woken");
    assert_eq!(names(&log, P).await, ["before", "early"]);
    disk.held();
    assert!(!appending.is_finished(), "not durable, not acknowledged");
    assert_eq!(log.end(P).await.expect("an end"), 1, "the end is behind what is durable");
    drop(held);
    assert_eq!(appending.await.expect("no panic"), 1);
    assert_eq!(log.end(P).await.expect("an end"), 2);
}

#[tokio::test]
async fn a_reader_of_lost_records_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = Faulty::new();
    let log = Arc::new(open_on(&disk, folder.path()));
    put(&log, P, "before").await;
    let held = disk.hold();
    disk.set(Fault::Sync);
    let appending = tokio::spawn({
        let log = log.clone();
        async move { fails(&log, P, record("lost")).await }
    });
    log.changed(P, 1).await.expect("woken");
    assert_eq!(log.read(P, 1, 1000).await.expect("visible").len(), 1);
    let waiting = log.changed(P, 2);
    drop(held);
    let (woken, why) = tokio::join!(waiting, appending);
    woken.expect("a loss wakes");
    why.expect("no panic");
    let told = log.read(P, 2, 1000).await;
    assert!(matches!(told, Err(Error::Conflict(_))), "{told:?}");
    assert!(log.read(P, 1, 1000).await.expect("not its business").is_empty());
    disk.set(Fault::None);
    // A partition that is written by an owner refuses once, since a reader may have built on it.
    let offset = put(&log, P, "after").await;
    assert_eq!(log.read(P, 1, 1000).await.expect("visible")[0].offset, offset);
    assert_eq!(log.read(P, offset, 1000).await.expect("visible").len(), 1);
    let told = log.read(P, 2, 1000).await;
    assert!(matches!(told, Err(Error::Conflict(_))), "{told:?}");
}

/// Everything that was ordered may answer what is lost.
#[tokio::test]
async fn what_waits_behind_a_failed_group_fails_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = Faulty::new();
    let log = Arc::new(open_on(&disk, folder.path()));
    put(&log, P, "before").await;
    let held = disk.hold();
    disk.set(Fault::Sync);
    let mut appending = Vec::new();
    for i in 0..5 {
        let (log, partition) = (log.clone(), if i % 2 == 0 { P } else { Q });
        appending.push(tokio::spawn(async move { fails(&log, partition, record("lost")).await }));
    }
    log.changed(P, 1).await.expect("woken");
    disk.held();
    drop(held);
    for appending in appending {
        appending.await.expect("no panic");
    }
    assert_eq!(names(&log, P).await, ["before"]);
    assert!(names(&log, Q).await.is_empty());
}

/// An owner read a command that was lost, and does not know yet: its decision must not stand.
#[tokio::test]
async fn an_answer_to_a_lost_command_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = Faulty::new();
    let log = Arc::new(open_on(&disk, folder.path()));
    put(&log, EVENTS, "claim").await;
    let held = disk.hold();
    disk.set(Fault::Sync);
    let appending = tokio::spawn({
        let log = log.clone();
        async move { fails(&log, COMMANDS, record("command")).await }
    });
    log.changed(COMMANDS, 0).await.expect("woken");
    assert_eq!(log.read(COMMANDS, 0, 1000).await.expect("visible").len(), 1);
    drop(held);
    appending.await.expect("no panic");
    disk.set(Fault::None);
    put(&log, COMMANDS, "another").await;
    put(&log, Partition::events(1), "of another owner").await;
    fails(&log, EVENTS, record("decision on what was lost")).await;
    put(&log, EVENTS, "claim").await;
    assert_eq!(names(&log, EVENTS).await, ["claim", "claim"]);
    assert_eq!(names(&log, COMMANDS).await, ["another"]);
}

#[tokio::test]
async fn an_owner_that_was_told_is_not_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = Faulty::new();
    let log = Arc::new(open_on(&disk, folder.path()));
    let held = disk.hold();
    disk.set(Fault::Sync);
    let appending = tokio::spawn({
        let log = log.clone();
        async move { log.append(vec![(COMMANDS, record("command"))]).await }
    });
    log.changed(COMMANDS, 0).await.expect("woken");
    assert_eq!(log.read(COMMANDS, 0, 1000).await.expect("visible").len(), 1);
    drop(held);
    appending.await.expect("no panic").expect_err("lost");
    disk.set(Fault::None);
    log.read(COMMANDS, 1, 1000).await.expect_err("conflict");
    put(&log, EVENTS, "claim").await;
}

/// A decision was lost, and its owner, not having heard yet, has made another of it.
#[tokio::test]
async fn a_decision_on_a_lost_one_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = Faulty::new();
    let log = open_on(&disk, folder.path());
    disk.set(Fault::ShortWrite);
    let first = log.order().append(vec![(EVENTS, record("first"))]).await.expect("ordered");
    let first = first.await.expect("answered").expect_err("lost");
    disk.set(Fault::None);
    for _ in 0..3 {
        fails(&log, EVENTS, record("second")).await;
    }
    drop(first);
    put(&log, EVENTS, "claim").await;
    assert_eq!(names(&log, EVENTS).await, ["claim"]);
}

#[tokio::test]
async fn appends_wait_while_the_queue_is_full() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = Faulty::new();
    let options = Options { queue_records_max: 3, ..small(folder.path()) };
    let log = EmbeddedLog::open_on(Arc::new(disk.clone()), options).expect("it opens");
    let log = Arc::new(log);
    put(&log, P, "before").await;
    let held = disk.hold();
    let appending: Vec<_> = (0..10)
        .map(|i| {
            let log = log.clone();
            tokio::spawn(async move { put(&log, P, &i.to_string()).await })
        })
        .collect();
    while names(&log, P).await.len() < 4 {
        tokio::task::yield_now().await;
    }
    disk.held();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(names(&log, P).await.len(), 4, "three are ordered, the others wait");
    drop(held);
    for appending in appending {
        appending.await.expect("no panic");
    }
    assert_eq!(names(&log, P).await.len(), 11);
}

#[tokio::test]
async fn an_append_whose_caller_has_gone_is_no_obstacle() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = Faulty::new();
    let log = Arc::new(open_on(&disk, folder.path()));
    put(&log, P, "before").await;
    let held = disk.hold();
    let appending = tokio::spawn({
        let log = log.clone();
        async move { put(&log, P, "orphan").await }
    });
    log.changed(P, 1).await.expect("woken");
    appending.abort();
    drop(held);
    put(&log, P, "after").await;
    assert_eq!(names(&log, P).await, ["before", "orphan", "after"]);
}

#[tokio::test]
async fn closing_writes_what_is_queued() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    for i in 0..50 {
        drop(log.order().append(vec![(P, record(&i.to_string()))]).await.expect("ordered"));
    }
    drop(log);
    assert_eq!(names(&open(folder.path()), P).await.len(), 50);
}
