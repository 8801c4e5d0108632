//! Rows that do not belong to the log, and a log that does not decode: nobody goes on.

use crate::bench::{Bench, PARTITIONS, event, now, ready, user};
use bytes::Bytes;
use domain::event::Event;
use domain::id::ProjectId;
use ports::model::log::ModelLog;
use ports::{Error, Feed, Headers, Log, Partition, Range, Record, Store};
use projections::history::History;
use projections::inbox::Inbox;
use projections::owner::table::{CHECKPOINTS, FOLDED};
use projections::runner::{self, Projection, Runner};
use projections::{Owner, Seat, World};
use std::sync::Arc;
use uuid::Uuid;

fn seat() -> Seat {
    Seat::of(user().partition(PARTITIONS))
}

fn projections() -> [Arc<dyn Projection>; 2] {
    [Arc::new(History), Arc::new(Inbox)]
}

fn reader(world: &World, projection: &Arc<dyn Projection>) -> Runner {
    Runner::new(world.log.clone(), world.store.clone(), projection.clone(), seat())
}

/// Rows of the owner and of every projection that are as far as the log is; the last run of it is
/// not synced yet.
fn folded() -> Bench {
    let mut bench = ready();
    bench.log.advance();
    let body = event(&bench);
    bench.send(&user(), body);
    bench.settle();
    for owner in &mut bench.owners {
        now(owner.save()).unwrap();
    }
    for projection in projections() {
        let mut reader = reader(&bench.world, &projection);
        while now(reader.step()).unwrap().1 {}
    }
    bench
}

/// Every row of the owner, and how far each projection is.
fn rows(bench: &Bench) -> Vec<(Bytes, Bytes)> {
    let tables = FOLDED.into_iter().chain([CHECKPOINTS, runner::CHECKPOINTS]);
    let scan = |table| {
        let (from, until) = (Bytes::new(), Bytes::new());
        let range = Range { from, until, limit: usize::MAX, backwards: false };
        now(bench.store.scan(table, range)).unwrap()
    };
    tables.flat_map(scan).collect()
}

/// Everybody stops, says why, and neither the log nor the rows are touched.
fn assert_stops(bench: &Bench, world: &World, why: &str) {
    let corrupt = |found: Result<(), Error>, who: &str| match found {
        Err(Error::Corrupt(reason)) => assert!(reason.contains(why), "{who}: {reason}"),
        other => panic!("{who} goes on: {other:?}"),
    };
    let before = (rows(bench), now(world.log.end(seat().events)).unwrap());
    let owner = || Owner::new(world.clone(), seat(), "next");
    corrupt(now(owner().turn()).map(|_| ()), "an owner");
    corrupt(now(owner().fold_rest()).map(|_| ()), "who looks at rows");
    for projection in projections() {
        let stopped = now(reader(world, &projection).step()).map(|_| ());
        corrupt(stopped, projection.name());
    }
    let after = (rows(bench), now(world.log.end(seat().events)).unwrap());
    assert_eq!(before, after);
}

#[test]
fn rows_that_are_as_far_as_the_log_go_on() {
    let bench = folded();
    assert!(now(Owner::new(bench.world.clone(), seat(), "next").turn()).is_ok());
    for projection in projections() {
        assert!(now(reader(&bench.world, &projection).step()).is_ok());
    }
}

#[test]
fn rows_ahead_of_the_logs_end_are_corrupt() {
    let bench = folded();
    bench.log.lose_unsynced();
    assert_stops(&bench, &bench.world, "the log");
}

#[test]
fn rows_of_another_log_are_corrupt() {
    let bench = folded();
    // One with the same records, and one that is empty.
    let copy = ModelLog::kind(PARTITIONS);
    for number in 0..PARTITIONS {
        let partition = Partition::events(number);
        let stored = now(bench.log.read(partition, 0, usize::MAX)).unwrap();
        let records = stored.into_iter().map(|stored| (partition, stored.record)).collect();
        now(copy.append(records)).unwrap();
    }
    for other in [copy, ModelLog::kind(PARTITIONS)] {
        let log: Arc<dyn Log> = Arc::new(other.with_identity(Uuid::from_u128(77)));
        let feed = Arc::new(Feed::new(log.clone()));
        assert_stops(&bench, &World { log, feed, ..bench.world.clone() }, "another log");
    }
}

#[test]
fn an_event_that_does_not_decode_stops_its_partition() {
    let bench = folded();
    let known = Event::schemas()[0].id;
    let mut value = vec![0];
    value.extend_from_slice(&known.to_be_bytes());
    value.extend_from_slice(ProjectId(Uuid::from_u128(1)).bytes());
    let headers = Headers { kind: known, n: 1, ..Headers::default() };
    let record = Record { headers, key: Bytes::new(), value: Bytes::from(value) };
    now(bench.log.append(vec![(seat().events, record)])).unwrap();
    assert_stops(&bench, &bench.world, "event at ");
}
