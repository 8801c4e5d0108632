//! A command over which the process dies.

use crate::bench::{Bench, event, finished, now, ready, user};
use domain::event::Event;
use projections::{Owner, Seat, Turn, World};

/// A process claims the partition and dies deciding.
fn die(bench: &Bench, process: &str) {
    let seat = Seat::of(user().partition(crate::bench::PARTITIONS));
    let log = bench.log_that_takes_claims_only(seat);
    let mut dying = Owner::new(World { log, ..bench.world.clone() }, seat, process);
    assert!(now(dying.turn()).is_err());
}

fn survive(bench: &mut Bench) {
    let seat = Seat::of(user().partition(crate::bench::PARTITIONS));
    let at = usize::from(seat.number());
    bench.owners[at] = Owner::new(bench.world.clone(), seat, "survivor");
    bench.clock.step_ms(1);
}

fn parked(bench: &Bench) -> usize {
    let is_parked =
        |event: &&Event| matches!(event, Event::CommandRejected(e) if e.code == "PARKED");
    bench.events().iter().filter(is_parked).count()
}

fn two_events_waiting() -> Bench {
    let bench = ready();
    for _ in 0..2 {
        let body = event(&bench);
        bench.send(&user(), body);
    }
    bench.clock.step_ms(1);
    bench
}

#[test]
fn after_two_crashes_the_command_is_set_aside_and_the_next_is_decided() {
    let mut bench = two_events_waiting();
    die(&bench, "first");
    die(&bench, "second");
    survive(&mut bench);
    bench.settle();
    bench.settle();
    assert_eq!((parked(&bench), finished(&bench.events())), (1, 1));
}

#[test]
fn after_one_crash_the_command_is_decided_alone() {
    let mut bench = two_events_waiting();
    die(&bench, "first");
    survive(&mut bench);
    let at = usize::from(user().partition(crate::bench::PARTITIONS));
    assert_eq!(now(bench.owners[at].turn()).unwrap(), Turn::Busy);
    let events = bench.events();
    let received = events.iter().filter(|event| matches!(event, Event::EventReceived(_))).count();
    assert_eq!(received, 1);
    bench.settle();
    assert_eq!((parked(&bench), finished(&bench.events())), (0, 2));
}
