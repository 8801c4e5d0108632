use super::*;
use crate::log::Headers;
use bytes::Bytes;
use futures_util::FutureExt;
use std::collections::BTreeSet;

const P: Partition = Partition::events(0);
const SEEDS: u64 = 1000;

fn record(name: &str) -> Record {
    let value = Bytes::copy_from_slice(name.as_bytes());
    Record { headers: Headers::default(), key: Bytes::new(), value }
}

fn run(name: &str, records: usize) -> Vec<(Partition, Record)> {
    (0..records).map(|i| (P, record(&format!("{name}.{i}")))).collect()
}

fn append(log: &ModelLog, records: Vec<(Partition, Record)>) -> Result<Vec<Offset>, Error> {
    log.append(records).now_or_never().expect("the model never pends")
}

fn read(log: &ModelLog, from: Offset) -> Result<Vec<Stored>, Error> {
    log.read(P, from, usize::MAX).now_or_never().expect("the model never pends")
}

/// Everything that is visible, whatever a single read returns.
fn visible(log: &ModelLog) -> Vec<Stored> {
    let mut all: Vec<Stored> = Vec::new();
    loop {
        let from = all.last().map_or(0, |last| last.offset + 1);
        match read(log, from) {
            Ok(more) if more.is_empty() => return all,
            Ok(more) => all.extend(more),
            Err(_) => {}
        }
    }
}

fn names(stored: &[Stored]) -> Vec<String> {
    stored.iter().map(|s| String::from_utf8_lossy(&s.record.value).into_owned()).collect()
}

#[test]
fn one_seed_is_one_history() {
    let history = |seed| {
        let log = ModelLog::hostile(2, seed);
        let mut answers = Vec::new();
        for step in 0..50 {
            answers.push(append(&log, run(&step.to_string(), 3)).ok());
            log.advance();
        }
        (answers, visible(&log))
    };
    assert_eq!(history(7), history(7));
    assert_ne!(history(7), history(8));
}

#[test]
fn what_is_acknowledged_becomes_visible_at_the_offset_told() {
    for seed in 0..SEEDS {
        let log = ModelLog::hostile(2, seed);
        let mut told = Vec::new();
        for step in 0..20 {
            let name = step.to_string();
            if let Ok(offsets) = append(&log, run(&name, 3)) {
                told.extend(offsets.into_iter().zip(run(&name, 3)));
            }
            log.advance();
        }
        log.heal();
        let all = visible(&log);
        for (offset, (_, record)) in told {
            assert!(all.contains(&Stored { offset, record }), "seed {seed}, offset {offset}");
        }
    }
}

#[test]
fn what_is_visible_never_changes() {
    for seed in 0..SEEDS {
        let log = ModelLog::hostile(2, seed);
        let mut before = Vec::new();
        for step in 0..20 {
            let _ = append(&log, run(&step.to_string(), 4));
            log.advance();
            let after = visible(&log);
            assert_eq!(after[..before.len()], before, "seed {seed}");
            assert!(after.is_sorted_by(|a, b| a.offset < b.offset), "seed {seed}");
            before = after;
        }
    }
}

#[test]
fn records_of_one_append_never_overtake_each_other() {
    for seed in 0..SEEDS {
        let log = ModelLog::hostile(2, seed);
        let answer = append(&log, run("a", 5));
        log.heal();
        let mut order = names(&visible(&log));
        if answer.is_ok() {
            assert_eq!(order[..5], names_of(5), "seed {seed}");
            order.drain(..5);
        }
        assert_eq!(order, names_of(order.len()), "seed {seed}");
    }
}

fn names_of(records: usize) -> Vec<String> {
    (0..records).map(|i| format!("a.{i}")).collect()
}

/// Every hostility that owners must bear does happen.
#[test]
fn each_hostility_happens_for_some_seed() {
    let mut seen = BTreeSet::new();
    for seed in 0..SEEDS {
        let log = ModelLog::hostile(2, seed);
        let answer = append(&log, run("a", 4));
        let at_once = visible(&log).len();
        let other = append(&log, run("b", 1)).is_ok();
        log.heal();
        let all = visible(&log);
        let (a, b) = names(&all).into_iter().partition::<Vec<_>, _>(|name| name.starts_with('a'));
        let last_a = names(&all).iter().rposition(|name| name.starts_with('a'));
        let first_b = names(&all).iter().position(|name| name.starts_with('b'));
        match (answer.is_ok(), a.len()) {
            (true, 4) if at_once < 4 => seen.insert("acknowledged, visible later"),
            (true, 8) => seen.insert("repeated"),
            (true, 5..8) => seen.insert("repeated in part"),
            (false, 0) => seen.insert("unknown, never visible"),
            (false, 4) => seen.insert("unknown, visible"),
            (false, 1..4) => seen.insert("unknown, cut in half"),
            _ => false,
        };
        if other && b.len() == 1 && answer.is_err() && last_a > first_b && first_b.is_some() {
            seen.insert("unknown, lands behind others");
        }
        if all.windows(2).any(|pair| pair[1].offset > pair[0].offset + 1) {
            seen.insert("gap");
        }
    }
    let all = [
        "acknowledged, visible later",
        "gap",
        "repeated",
        "repeated in part",
        "unknown, cut in half",
        "unknown, lands behind others",
        "unknown, never visible",
        "unknown, visible",
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), all);
}

#[test]
fn a_healed_log_has_no_faults() {
    for seed in 0..SEEDS {
        let log = ModelLog::hostile(1, seed);
        log.heal();
        for step in 0..20 {
            let offsets = append(&log, run(&step.to_string(), 2)).expect("no faults");
            assert_eq!(read(&log, offsets[0]).expect("no faults").len(), 2);
        }
    }
}

#[test]
fn a_log_that_loses_its_unsynced_tail_answers_corrupt_behind_it() {
    let log = ModelLog::kind(1);
    append(&log, run("kept", 2)).expect("no faults");
    log.advance();
    append(&log, run("lost", 2)).expect("no faults");
    log.lose_unsynced();
    assert_eq!(names(&visible(&log)), ["kept.0", "kept.1"]);
    assert!(matches!(read(&log, 4), Err(Error::Corrupt(_))));
}

#[test]
fn a_recreated_log_has_another_identity() {
    let other = Uuid::from_u128(1);
    assert_ne!(ModelLog::kind(1).identity(), other);
    assert_eq!(ModelLog::kind(1).with_identity(other).identity(), other);
}
