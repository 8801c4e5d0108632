//! An owner over the in-memory models: from an app event to the end of its execution.

// A test fails by panicking, also in the functions around it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;
mod corrupt;
mod crash;
mod many;
mod memory;
mod turns;
mod unreadable;

use bench::{BY_REQUEST, PARTITIONS, event, finished, now, ready, user};
use bytes::Bytes;
use domain::answer::Answer;
use domain::command::ReceiveRequest;
use domain::event::Event;
use ports::Partition;
use projections::{Owner, Seat};

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
        now(owner.start()).unwrap(); // started, and lost with their owner
    }
    let world = bench.world.clone();
    bench.owners = (0..PARTITIONS).map(|n| Owner::new(world.clone(), Seat::of(n), "b")).collect();
    bench.settle();
    assert_eq!(finished(&bench.events()), 20);
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
