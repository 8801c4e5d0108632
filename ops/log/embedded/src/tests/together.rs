//! A command and its decision share one sync, and nobody waits for those who do not answer.

use super::*;
use std::time::Duration;

const COMMANDS: Partition = Partition::commands(0);
const EVENTS: Partition = Partition::events(0);

/// So long that a test in which it passes never ends.
const NEVER_US: u64 = 3_600_000_000;

fn patient(folder: &Path) -> Options {
    Options { together_us_max: NEVER_US, segment_bytes: 1 << 20, ..Options::new(folder, 4) }
}

async fn answer(log: &EmbeddedLog, count: usize) {
    let mut next = 0;
    while next < count as i64 {
        let commands = log.read(COMMANDS, next, 1000).await.expect("visible");
        if commands.is_empty() {
            log.changed(COMMANDS, next).await.expect("woken");
            continue;
        }
        next += commands.len() as i64;
        let answers = commands.iter().map(|_| (EVENTS, record("decision"))).collect();
        log.append(answers).await.expect("room");
    }
}

#[tokio::test]
async fn a_command_and_its_decision_share_a_group() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = Arc::new(EmbeddedLog::open(patient(folder.path())).expect("it opens"));
    let owner = tokio::spawn({
        let log = log.clone();
        async move { answer(&log, 20).await }
    });
    // Let it begin to wait, or else the first command goes alone.
    tokio::task::yield_now().await;
    for i in 0..20 {
        put(&log, COMMANDS, &format!("command {i}")).await;
    }
    owner.await.expect("no panic");
    drop(log);
    let frames = frames(folder.path());
    assert_eq!(frames.len(), 41);
    assert_eq!(frames.last().expect("frames").group, 20, "one group for each pair");
}

#[tokio::test]
async fn nobody_waits_when_nobody_tails() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = EmbeddedLog::open(patient(folder.path())).expect("it opens");
    put(&log, COMMANDS, "command").await;
    assert!(log.read(COMMANDS, 1, 1000).await.expect("visible").is_empty());
    put(&log, COMMANDS, "a reader that found nothing and left").await;
    let waiting = tokio::time::timeout(Duration::ZERO, log.changed(COMMANDS, 2)).await;
    waiting.expect_err("it waits, and is cancelled");
    put(&log, COMMANDS, "a reader that was cancelled").await;
    put(&log, EVENTS, "no command").await;
}

#[tokio::test]
async fn a_reader_that_asks_for_more_has_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = Arc::new(EmbeddedLog::open(patient(folder.path())).expect("it opens"));
    let reading = tokio::spawn({
        let log = log.clone();
        async move {
            let mut next = 0;
            while next < 10 {
                log.changed(COMMANDS, next).await.expect("woken");
                next += log.read(COMMANDS, next, 1000).await.expect("visible").len() as i64;
            }
            // The last one is answered by asking once more.
            log.read(COMMANDS, next, 1000).await.expect("visible")
        }
    });
    tokio::task::yield_now().await;
    for _ in 0..10 {
        put(&log, COMMANDS, "command").await;
    }
    assert!(reading.await.expect("no panic").is_empty());
}

#[tokio::test]
async fn a_reader_that_never_answers_is_waited_for_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options { together_us_max: 2000, ..patient(folder.path()) };
    let log = Arc::new(EmbeddedLog::open(options).expect("it opens"));
    let reading = tokio::spawn({
        let log = log.clone();
        async move {
            log.changed(COMMANDS, 0).await.expect("woken");
            log.read(COMMANDS, 0, 1000).await.expect("visible")
        }
    });
    tokio::task::yield_now().await;
    put(&log, COMMANDS, "command").await;
    assert_eq!(reading.await.expect("no panic").len(), 1);
    for _ in 0..10 {
        put(&log, COMMANDS, "command").await;
    }
}

#[tokio::test]
async fn switched_off_nobody_is_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options { together: false, ..patient(folder.path()) };
    let log = EmbeddedLog::open(options).expect("it opens");
    put(&log, COMMANDS, "first").await;
    assert_eq!(log.read(COMMANDS, 0, 1000).await.expect("visible").len(), 1);
    put(&log, COMMANDS, "second, though a reader owes an answer to the first").await;
}
