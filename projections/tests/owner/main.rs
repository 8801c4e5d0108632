//! An owner over the in-memory models: from an app event to the end of its execution.

// A test fails by panicking, also in the functions around it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;
mod corrupt;
mod crash;
mod handed;
mod many;
mod memory;
mod replay;
mod turns;
mod unreadable;

use bench::{BY_REQUEST, PARTITIONS, event, finished, now, ready, user};
use bytes::Bytes;
use domain::answer::Answer;
use domain::command::ReceiveRequest;
use domain::event::Event;
use ports::Level;
use ports::backlog::Place;
use ports::model::ModelStore;
use ports::{Answers, Asked, Partition};
use projections::{Owner, Seat, World};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

#[test]
fn an_app_event_runs_its_workflow_to_the_end() {
    let mut bench = ready();
    let body = event(&bench);
    assert!(matches!(bench.ask(&user(), body), Answer::Started { .. }));
    let events = bench.events();
    let succeeded = events.iter().filter(|e| matches!(e, Event::StepSucceeded(_))).count();
    assert_eq!((succeeded, finished(&events)), (2, 1));
}

#[test]
fn a_request_gets_the_answer_of_its_response_step() {
    let mut bench = ready();
    let sealed = bench.world.vault.seal(&user(), br#"{"request":{"body":{"n":5}}}"#).unwrap();
    let body = ReceiveRequest { workflow: BY_REQUEST, credential: None, size: 1, sealed };
    let Answer::Responded { status, sealed, .. } = bench.ask(&user(), body) else {
        panic!("no response")
    };
    let clear = bench.world.vault.open(&user(), &sealed).unwrap();
    assert_eq!((status, &clear[..]), (201, &br#"{"got":5}"#[..]));
}

#[test]
fn a_repeated_command_is_decided_once() {
    let mut bench = ready();
    let body = event(&bench);
    bench.send(&user(), body);
    let partition = Partition::commands(user().partition(PARTITIONS));
    let stored = now(bench.world.log.read(partition, 0, usize::MAX)).unwrap();
    let last = stored.last().unwrap().record.clone();
    now(bench.world.log.append(vec![(partition, last)])).unwrap();
    bench.settle();
    assert_eq!(finished(&bench.events()), 1);
    assert!(bench.events().iter().any(|event| matches!(event, Event::CommandRepeated(_))));
}

#[test]
fn a_new_owner_goes_on_where_the_old_one_stopped() {
    let mut bench = ready();
    for _ in 0..20 {
        let body = event(&bench);
        bench.send(&user(), body);
    }
    for owner in &mut bench.owners {
        now(owner.turn()).unwrap();
        owner.take_works().clear(); // begun, and lost with their owner
    }
    let world = bench.world.clone();
    bench.owners = (0..PARTITIONS).map(|n| Owner::new(world.clone(), Seat::of(n), "b")).collect();
    bench.settle();
    assert_eq!(finished(&bench.events()), 20);
}

#[test]
fn who_takes_over_answers_who_waits_there_for_what_was_decided_before() {
    let mut bench = ready();
    let body = event(&bench);
    let id = bench.send(&user(), body);
    bench.settle();
    // At another node, which has followed no one yet.
    let world =
        World { answers: Answers::default(), store: Arc::new(ModelStore::new(4)), ..bench.world };
    let mut waiting = world.answers.wait(Asked { command: id, body_hash: None });
    world.backlog.enter(&user(), 1_000).map(Place::keep).unwrap();
    let mut next = Owner::new(world.clone(), Seat::of(user().partition(PARTITIONS)), "b");
    now(next.turn()).unwrap();
    let answer = Pin::new(&mut waiting).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(answer, Poll::Ready(Answer::Started { .. })));
    assert!(world.backlog.is_empty(), "its place was given back");
}

#[test]
fn what_an_older_node_cannot_read_is_not_written() {
    for (level, records) in [(Level::oldest(), 0), (Level::newest(), 1)] {
        let mut bench = ready();
        let world = World { level, ..bench.world.clone() };
        let owner = |seat| Owner::new(world.clone(), seat, bench::NODE);
        bench.owners = (0..PARTITIONS).map(Seat::of).map(owner).collect();
        let body = event(&bench);
        bench.send(&user(), body);
        bench.settle();
        let events = bench.events();
        let begun = events.iter().filter(|event| matches!(event, Event::StepsStarted(_))).count();
        assert_eq!((begun.min(1), finished(&events)), (records, 1));
    }
}

#[test]
fn a_command_that_cannot_be_read_is_rejected_and_holds_no_one_up() {
    let mut bench = ready();
    let partition = Partition::commands(user().partition(PARTITIONS));
    let stored = now(bench.world.log.read(partition, 0, usize::MAX)).unwrap();
    let whole = stored.last().unwrap().record.clone();
    let cut = ports::Record { value: whole.value.slice(..whole.value.len() - 3), ..whole.clone() };
    let noise = ports::Record { value: Bytes::from_static(b"noise"), ..whole };
    now(bench.world.log.append(vec![(partition, cut), (partition, noise)])).unwrap();
    let body = event(&bench);
    assert!(matches!(bench.ask(&user(), body), Answer::Started { .. }));
    let events = bench.events();
    let rejected = events.iter().filter(|event| matches!(event, Event::CommandRejected(_))).count();
    assert_eq!((rejected, finished(&events)), (2, 1));
}

#[test]
fn a_gap_of_a_log_that_was_moved_is_passed_over() {
    let mut bench = ready();
    let number = user().partition(PARTITIONS);
    for partition in [Partition::commands(number), Partition::events(number), Partition::CONFIG] {
        now(bench.world.log.append(vec![(partition, ports::Record::gap()); 600])).unwrap();
    }
    let body = event(&bench);
    assert!(matches!(bench.ask(&user(), body), Answer::Started { .. }));
    let events = bench.events();
    let rejected = events.iter().any(|event| matches!(event, Event::CommandRejected(_)));
    assert_eq!((rejected, finished(&events)), (false, 1));
    now(bench.world.feed.refresh()).unwrap();
    let world = bench.world.clone();
    bench.owners = (0..PARTITIONS).map(|n| Owner::new(world.clone(), Seat::of(n), "b")).collect();
    let body = event(&bench);
    assert!(matches!(bench.ask(&user(), body), Answer::Started { .. }));
}
