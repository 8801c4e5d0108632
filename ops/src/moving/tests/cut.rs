use super::super::Cut;
use super::*;
use async_trait::async_trait;
use domain::id::{ProjectId, Telling};
use domain::key::Key;
use ports::{Error, Stored};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use uuid::Uuid;

const COMMANDS: [Partition; 2] = [Partition::commands(0), Partition::commands(1)];
const EVENTS: [Partition; 2] = [Partition::events(0), Partition::events(1)];

/// The id of a Tell of the decision on a command of partition 0.
fn told(offset: Offset) -> CommandId {
    let tell = Telling { partition: 0, offset, event: 0, number: 0 };
    CommandId::telling(tell, &Key::Project(ProjectId(Uuid::from_u128(1))))
}

/// A command of partition 0 is decided, and tells partition 1, which decides that.
async fn tell(log: &dyn Log, at: i64) {
    let cause = append(log, COMMANDS[0], asked(at)).await;
    append(log, EVENTS[0], decided(at, cause, (0, 1))).await;
    let tell = append(log, COMMANDS[1], command(at, told(cause))).await;
    append(log, EVENTS[1], decided(at, tell, (0, 1))).await;
}

fn ends(cut: &Cut) -> BTreeMap<String, Offset> {
    cut.ends().map(|(partition, end)| (partition.to_string(), end)).collect()
}

fn wanted(all: [Offset; 5]) -> BTreeMap<String, Offset> {
    let names = ["config/0", "commands/0", "commands/1", "events/0", "events/1"];
    names.into_iter().map(str::to_owned).zip(all).collect()
}

/// A log that goes on right after somebody has looked where a partition ends.
struct Busy {
    log: EmbeddedLog,
    asked: Partition,
    /// At which of the looks at that partition.
    looks_left: AtomicUsize,
}

#[async_trait]
impl Log for Busy {
    fn partitions(&self) -> u16 {
        self.log.partitions()
    }

    fn identity(&self) -> Uuid {
        self.log.identity()
    }

    fn exclusive(&self) -> bool {
        false
    }

    async fn append(&self, records: Vec<(Partition, Record)>) -> Result<Vec<Offset>, Error> {
        self.log.append(records).await
    }

    async fn read(&self, at: Partition, from: Offset, max: usize) -> Result<Vec<Stored>, Error> {
        self.log.read(at, from, max).await
    }

    async fn changed(&self, partition: Partition, from: Offset) -> Result<(), Error> {
        self.log.changed(partition, from).await
    }

    async fn end(&self, partition: Partition) -> Result<Offset, Error> {
        let end = self.log.end(partition).await?;
        if partition == self.asked {
            let left = self.looks_left.load(Ordering::SeqCst);
            self.looks_left.store(left.saturating_sub(1), Ordering::SeqCst);
            if left == 1 {
                tell(&self.log, 2).await;
            }
        }
        Ok(end)
    }
}

#[tokio::test]
async fn what_is_written_during_a_look_is_in_the_cut_with_its_causes_or_not_at_all() {
    let wanted = [wanted([0, 2, 2, 2, 2]), wanted([0, 1, 1, 1, 1])];
    let mut seen = [0, 0];
    for asked in COMMANDS.into_iter().chain(EVENTS) {
        for look in 1..=2 {
            let folder = tempfile::tempdir().unwrap();
            let log = open(folder.path());
            tell(&log, 1).await;
            let busy = Busy { log, asked, looks_left: AtomicUsize::new(look) };
            let cut = ends(&Cut::now(&busy).await.unwrap());
            assert_eq!(busy.looks_left.into_inner(), 0, "nothing was written");
            let found = wanted.iter().position(|wanted| cut == *wanted);
            seen[found.unwrap_or_else(|| panic!("look {look} at {asked}: {cut:?}"))] += 1;
        }
    }
    assert_eq!(seen, [4, 4]);
}

#[tokio::test]
async fn a_cut_at_a_moment_ends_with_whole_decisions_and_keeps_what_waited() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    for at in [10, 20, 30] {
        append(&log, COMMANDS[0], asked(at)).await;
    }
    for (at, offset) in [(11, 0), (31, 1), (32, 2)] {
        append(&log, EVENTS[0], decided(at, offset, (0, 2))).await;
        append(&log, EVENTS[0], decided(at, offset, (1, 2))).await;
    }
    let all = Cut::all(&log).await.unwrap();
    for (moment, commands, events) in
        [(9, 0, 0), (10, 1, 0), (11, 1, 2), (25, 2, 2), (30, 3, 2), (31, 3, 4), (99, 3, 6)]
    {
        let cut = ends(&all.until(&log, Timestamp(moment)).await.unwrap());
        assert_eq!((cut["commands/0"], cut["events/0"]), (commands, events), "at {moment}");
    }
}

#[tokio::test]
async fn a_cut_at_a_moment_has_the_cause_of_a_tell_whose_clock_ran_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    for at in [10, 20] {
        append(&log, COMMANDS[0], asked(at)).await;
    }
    // By the clock of partition 0 it is already 100.
    append(&log, EVENTS[0], decided(100, 0, (0, 2))).await;
    append(&log, EVENTS[0], decided(100, 0, (1, 2))).await;
    append(&log, EVENTS[0], decided(101, 1, (0, 1))).await;
    append(&log, COMMANDS[1], command(12, told(0))).await;
    append(&log, EVENTS[1], decided(13, 0, (0, 1))).await;
    let all = Cut::all(&log).await.unwrap();
    let cut = ends(&all.until(&log, Timestamp(15)).await.unwrap());
    assert_eq!(cut, wanted([0, 1, 1, 2, 1]));
    // Without the Tell, nobody needs it.
    let cut = ends(&all.until(&log, Timestamp(11)).await.unwrap());
    assert_eq!(cut, wanted([0, 1, 0, 0, 0]));
}

#[tokio::test]
async fn a_cut_at_a_moment_has_the_configuration_that_was_used() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    append(&log, Partition::CONFIG, asked(10)).await;
    for (i, at) in [(0, 50), (1, 50)] {
        append(&log, Partition::CONFIG, decided(at, 0, (i, 2))).await;
    }
    append(&log, Partition::CONFIG, decided(60, 0, (0, 1))).await;
    let body = Command::from(RecordUnsealing {
        who: String::new(),
        command: String::new(),
        filter: String::new(),
    });
    let seen = Meta { config_offset: 2, ..meta(20) };
    append(&log, COMMANDS[1], record(seen, body)).await;
    let all = Cut::all(&log).await.unwrap();
    for (moment, config) in [(15, 0), (20, 3), (50, 3), (60, 4)] {
        let cut = ends(&all.until(&log, Timestamp(moment)).await.unwrap());
        assert_eq!(cut["config/0"], config, "at {moment}");
    }
}
