//! More partitions want slots than the project has.

use crate::bench::{Bench, PARTITIONS, configure, event_of, join, project};
use domain::key::Key;
use std::collections::BTreeMap;

/// Executions of each user, of two steps each.
const EACH: usize = 100;
/// More than the three slots of the project.
const USERS: usize = 6;

/// Users on partitions of their own.
fn users() -> Vec<Key> {
    let all = (0..).map(|n| Key::User(project(), format!("user-{n}")));
    let mut apart = BTreeMap::new();
    for key in all {
        apart.entry(key.partition(PARTITIONS)).or_insert(key);
        if apart.len() == USERS {
            break;
        }
    }
    apart.into_values().collect()
}

#[test]
fn no_user_waits_until_another_has_nothing_left() {
    let mut bench = Bench::new();
    configure(&mut bench);
    let users = users();
    users.iter().for_each(|key| join(&mut bench, key));
    for key in &users {
        for _ in 0..EACH {
            let event = event_of(&bench, key);
            bench.send(key, event);
        }
    }
    loop {
        bench.round();
        bench.clock.step_ms(100);
        let steps: Vec<usize> = users.iter().map(|key| bench.steps_of(key)).collect();
        if steps.contains(&(2 * EACH)) {
            assert!(steps.iter().all(|count| *count > EACH), "{steps:?}");
            return;
        }
    }
}
