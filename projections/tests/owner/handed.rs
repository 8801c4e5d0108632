//! Outcomes that a node hands to its own owner.

use super::bench::{Bench, NODE, PARTITIONS, event, finished, now, ready, user};
use domain::codec;
use domain::command::Command;
use domain::event::Event;
use ports::Level;
use ports::Partition;
use projections::perform::Report;
use projections::{Owner, Seat, Work, World};
use tokio::sync::oneshot::error::TryRecvError;

/// A step that begins, and what came of it.
fn performed(bench: &mut Bench) -> (Work, Report) {
    let body = event(bench);
    bench.send(&user(), body);
    // Its partition asks for a slot first.
    for _ in 0..10 {
        for owner in &mut bench.owners {
            now(owner.turn()).unwrap();
        }
    }
    let work = bench.owners.iter_mut().flat_map(Owner::take_works).next().unwrap();
    let report = bench.report(&work);
    (work, report)
}

/// Outcomes among the commands. That of the second step of a run always is.
fn recorded(bench: &Bench) -> usize {
    let partition = Partition::commands(user().partition(PARTITIONS));
    let stored = now(bench.world.log.read(partition, 0, usize::MAX)).unwrap();
    let commands = stored.iter().map(|stored| codec::decode::<Command>(&stored.record.value));
    commands
        .filter(|command| matches!(command.as_ref().unwrap().body, Command::RecordOutcome(_)))
        .count()
}

fn admissions(bench: &Bench) -> usize {
    let admits = |event: &&Event| matches!(event, Event::OutcomesAdmitted(_));
    bench.events().iter().filter(admits).count()
}

#[test]
fn an_outcome_that_is_handed_over_is_in_the_log_with_its_decision_only() {
    let mut bench = ready();
    for runs in 1..=3 {
        let (_work, report) = performed(&mut bench);
        let mut stands = report.hand_over(&bench.world).unwrap();
        assert_eq!(stands.try_recv(), Err(TryRecvError::Empty));
        bench.settle();
        assert_eq!(stands.try_recv(), Ok(()));
        assert_eq!((finished(&bench.events()), recorded(&bench)), (runs, runs));
        assert_eq!(admissions(&bench), 1, "said once, before the first");
    }
}

#[test]
fn an_owner_that_lets_go_decides_nothing_of_what_it_was_handed() {
    let mut bench = ready();
    let (work, report) = performed(&mut bench);
    let mut stands = report.hand_over(&bench.world).unwrap();
    bench.owners.iter_mut().for_each(Owner::resign);
    assert_eq!(stands.try_recv(), Err(TryRecvError::Closed));
    assert!(report.hand_over(&bench.world).is_none(), "nobody is there");
    now(bench.world.log.append(vec![report.record().unwrap()])).unwrap();
    bench.settle();
    drop(work);
    assert_eq!((finished(&bench.events()), recorded(&bench), admissions(&bench)), (1, 2, 0));
}

#[test]
fn an_outcome_that_is_refused_has_to_be_in_the_log() {
    let mut bench = ready();
    let (_work, report) = performed(&mut bench);
    let first = report.hand_over(&bench.world);
    let mut again = report.hand_over(&bench.world).unwrap();
    bench.settle();
    assert!(first.is_some_and(|mut first| first.try_recv().is_ok()));
    assert_eq!(again.try_recv(), Err(TryRecvError::Closed));
    let refused = |event: &Event| matches!(event, Event::CommandRejected(_));
    assert!(!bench.events().iter().any(refused));
}

#[test]
fn nothing_is_handed_over_while_an_older_build_may_read_the_log() {
    let mut bench = ready();
    let world = World { level: Level::oldest(), ..bench.world.clone() };
    let owner = |seat| Owner::new(world.clone(), seat, NODE);
    bench.owners = (0..PARTITIONS).map(Seat::of).map(owner).collect();
    let (_work, report) = performed(&mut bench);
    assert!(report.hand_over(&bench.world).is_none());
}

#[test]
fn no_more_outcomes_wait_than_there_is_room_for() {
    let mut bench = ready();
    let (_work, report) = performed(&mut bench);
    let waiting: Vec<_> = (0..1_000).map_while(|_| report.hand_over(&bench.world)).collect();
    assert_eq!(waiting.len(), 256);
    bench.settle();
    assert_eq!(finished(&bench.events()), 1);
    assert!(report.hand_over(&bench.world).is_some(), "there is room again");
}
