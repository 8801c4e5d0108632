use super::super::{Cut, Draft, carry, records};
use super::*;
use log_embedded::Snapshot;
use ports::Stored;

const P: Partition = Partition::commands(1);
const FORGOTTEN: Offset = 1_000;

/// A log whose first commands of one partition are forgotten, and with gaps among its events.
async fn source(folder: &Path) -> EmbeddedLog {
    let log = open(folder);
    log.begin(P, FORGOTTEN).await.unwrap();
    for at in 0..500 {
        append(&log, P, asked(at)).await;
        append(&log, Partition::events(1), decided(at, at + FORGOTTEN, (0, 1))).await;
        if at % 7 == 0 {
            append(&log, Partition::events(1), Record::gap()).await;
        }
    }
    append(&log, Partition::events(1), Record::gap()).await;
    log
}

async fn read(log: &dyn Log, partition: Partition) -> Vec<Stored> {
    let mut all: Vec<Stored> = Vec::new();
    loop {
        let from = all.last().map_or(0, |last| last.offset + 1);
        let more = log.read(partition, from, 10_000).await.unwrap();
        if more.is_empty() {
            return all;
        }
        all.extend(more);
    }
}

#[tokio::test]
async fn a_copy_that_is_broken_off_goes_on_and_every_record_keeps_its_offset() {
    let folder = tempfile::tempdir().unwrap();
    let log = source(&folder.path().join("source")).await;
    let (all, path) = (Cut::all(&log).await.unwrap(), folder.path().join("copy"));
    // What a moment knew is the beginning of what there is.
    let half = all.until(&log, Timestamp(250)).await.unwrap();
    let draft = Draft::folder(&path, PARTITIONS).unwrap();
    assert_eq!(records(&carry(&log, &half, &draft).await.unwrap()), 502);
    drop(draft);
    assert!(!path.exists(), "it is no log yet");
    let draft = Draft::folder(&path, PARTITIONS).unwrap();
    assert_eq!(records(&carry(&log, &all, &draft).await.unwrap()), 1_000);
    draft.finish().await.unwrap();
    let copy = Snapshot::take(&path).unwrap();
    for partition in Partition::all(PARTITIONS) {
        assert_eq!(read(&copy, partition).await, read(&log, partition).await, "{partition}");
        assert_eq!(copy.end(partition).await.unwrap(), log.end(partition).await.unwrap());
    }
    assert_ne!(copy.identity(), log.identity(), "rows of one are not those of the other");
    assert!(Draft::folder(&path, PARTITIONS).is_err(), "it is a log now");
}

#[tokio::test]
async fn what_is_not_the_beginning_of_the_log_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let log = source(&folder.path().join("source")).await;
    let all = Cut::all(&log).await.unwrap();
    let others = [asked(7), decided(0, FORGOTTEN, (0, 1))];
    for (n, other) in others.into_iter().enumerate() {
        let draft = Draft::folder(&folder.path().join(n.to_string()), PARTITIONS).unwrap();
        append(draft.log(), Partition::commands(0), other).await;
        let refused = carry(&log, &all, &draft).await.err().unwrap().to_string();
        assert!(refused.starts_with("commands/0 of "), "{refused}");
        assert!(refused.contains("filled by something else"), "{refused}");
    }
}
