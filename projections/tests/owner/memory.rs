//! What an owner remembers: for how long, and across rows that are folded again.

use crate::bench::{Bench, INTEGRATION, PARTITIONS, event, finished, now, project, ready, user};
use bytes::Bytes;
use domain::codec;
use domain::command::Command;
use domain::event::Event;
use domain::key::Key;
use domain::state::{DELIVERY_WINDOW_MS, IDEMPOTENCY_WINDOW_MS};
use ports::{Partition, Range, Record, Store, Table};
use projections::owner::table::{CHECKPOINTS, EXPIRIES, FOLDED, SEEN};
use projections::{Owner, Seat};

fn rows(bench: &Bench, table: Table) -> usize {
    let (from, until) = (Bytes::new(), Bytes::new());
    let range = Range { from, until, limit: usize::MAX, backwards: false };
    now(bench.store.scan(table, range)).unwrap().len()
}

fn save(bench: &mut Bench) {
    for owner in &mut bench.owners {
        now(owner.save()).unwrap();
    }
}

fn repeated(bench: &Bench) -> usize {
    let events = bench.events();
    events.iter().filter(|event| matches!(event, Event::CommandRepeated(_))).count()
}

/// The commands of a partition that pass.
fn commands(bench: &Bench, key: &Key, passes: impl Fn(&Command) -> bool) -> Vec<Record> {
    let partition = Partition::commands(key.partition(PARTITIONS));
    let stored = now(bench.world.log.read(partition, 0, usize::MAX)).unwrap();
    let records = stored.into_iter().map(|stored| stored.record);
    records.filter(|r| passes(&codec::decode::<Command>(&r.value).unwrap().body)).collect()
}

#[test]
fn a_repeat_is_known_for_a_day_and_the_rows_go_after_it() {
    let mut bench = ready();
    let body = event(&bench);
    bench.send(&user(), body);
    bench.settle();
    let partition = Partition::commands(user().partition(PARTITIONS));
    let sent = commands(&bench, &user(), |c| matches!(c, Command::ReceiveEvent(_))).remove(0);
    bench.clock.step_ms(IDEMPOTENCY_WINDOW_MS - 60_000);
    now(bench.world.log.append(vec![(partition, sent.clone())])).unwrap();
    bench.settle();
    assert_eq!((finished(&bench.events()), repeated(&bench)), (1, 1));
    save(&mut bench);
    let known = rows(&bench, SEEN);
    assert!(known > 0 && rows(&bench, EXPIRIES) > 0);

    bench.clock.step_ms(120_000);
    let body = event(&bench);
    bench.send(&user(), body);
    bench.settle();
    save(&mut bench);
    assert_eq!(finished(&bench.events()), 2);
    // Of this user's partition only the last event is known, and the second that names it.
    let config = 1;
    let others = rows(&bench, SEEN) - 1 - config;
    assert!(others < known, "{others} of {known} rows are left");
    now(bench.world.log.append(vec![(partition, sent)])).unwrap();
    bench.settle();
    assert_eq!((finished(&bench.events()), repeated(&bench)), (3, 1));
}

#[test]
fn a_tell_that_comes_again_is_known_for_ever() {
    let mut bench = ready();
    let app = Key::App(project(), INTEGRATION);
    let links = commands(&bench, &app, |c| matches!(c, Command::LinkCredential(_)));
    assert_eq!(links.len(), 1);
    bench.clock.step_ms(10 * DELIVERY_WINDOW_MS);
    let body = event(&bench);
    bench.send(&user(), body);
    bench.settle();
    save(&mut bench);
    let partition = Partition::commands(app.partition(PARTITIONS));
    now(bench.world.log.append(vec![(partition, links[0].clone())])).unwrap();
    bench.settle();
    assert_eq!(repeated(&bench), 1);
}

/// An owner decides that a credential is connected, and dies before it tells the address.
fn untold() -> Bench {
    let mut bench = Bench::new();
    crate::bench::configure(&mut bench);
    let body = crate::bench::connect(&bench, &user());
    bench.send(&user(), body);
    let partition = user().partition(PARTITIONS);
    let seat = Seat::of(partition);
    let deaf = projections::World { log: bench.deaf_log(seat), ..bench.world.clone() };
    let mut dying = Owner::new(deaf, seat, "dying");
    assert!(now(dying.turn()).is_err(), "telling fails");
    let events = bench.events();
    assert!(events.iter().any(|event| matches!(event, Event::CredentialConnected(_))));
    assert!(!linked(&bench));
    bench.owners = owners(&bench, "next");
    bench
}

fn owners(bench: &Bench, node: &str) -> Vec<Owner> {
    (0..PARTITIONS).map(|n| Owner::new(bench.world.clone(), Seat::of(n), node)).collect()
}

fn linked(bench: &Bench) -> bool {
    bench.events().iter().any(|event| matches!(event, Event::CredentialLinked(_)))
}

#[test]
fn what_was_not_told_is_told_after_rows_were_looked_at() {
    let mut bench = untold();
    for mut looking in owners(&bench, "verify") {
        now(looking.fold_rest()).unwrap();
    }
    // They take over and tell, and then hear.
    bench.settle();
    bench.settle();
    assert!(linked(&bench));
}

#[test]
fn what_was_told_is_not_told_again_after_a_rebuild_and_the_rest_is() {
    let mut bench = untold();
    bench.settle();
    save(&mut bench);
    let app = Key::App(project(), INTEGRATION);
    let told = commands(&bench, &app, |c| matches!(c, Command::LinkCredential(_))).len();
    for table in FOLDED {
        now(bench.store.clear(table)).unwrap();
    }
    for mut looking in owners(&bench, "rebuild") {
        now(looking.fold_all()).unwrap();
    }
    bench.owners = owners(&bench, "b");
    bench.settle();
    let links = |bench: &Bench| commands(bench, &app, |c| matches!(c, Command::LinkCredential(_)));
    assert_eq!(links(&bench).len(), told);

    // Without any memory of what was told, everything is told again, and nothing happens twice.
    now(bench.store.clear(CHECKPOINTS)).unwrap();
    for table in FOLDED {
        now(bench.store.clear(table)).unwrap();
    }
    bench.owners = owners(&bench, "c");
    bench.settle();
    assert!(links(&bench).len() > told);
    let events = bench.events();
    let count = events.iter().filter(|event| matches!(event, Event::CredentialLinked(_))).count();
    assert_eq!(count, 1);
}
