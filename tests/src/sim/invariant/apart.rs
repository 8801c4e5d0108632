//! Nothing crosses keys by shared memory. In a world apart, as its log shows, no partition has
//! events of two keys, and no node ever claimed two partitions; nodes have nothing in memory with
//! each other. All other invariants hold there as they do elsewhere.

use super::Breach;
use crate::sim::layout::Order;
use crate::sim::transcript::Part;
use crate::sim::world::World;
use domain::event::Event;
use domain::key::Key;
use std::collections::{BTreeMap, BTreeSet};

const NAME: &str = "in a world apart every key has a node of its own";

pub(super) fn check(world: &World, parts: &[Part]) -> Result<(), Breach> {
    if world.layout.order != Order::Apart {
        return Ok(());
    }
    let mut key_of = BTreeMap::new();
    for (key, seat) in world.layout.homes() {
        if let Some(other) = key_of.insert(seat, key.name()) {
            let found = format!("{other} and {}", key.name());
            return Err(Breach::new(NAME, format!("one key in seat {seat}"), found));
        }
    }
    let mut seat_of: BTreeMap<&str, u16> = BTreeMap::new();
    for part in parts {
        let number = part.seat.number();
        let keys: BTreeSet<&str> = keys(part).collect();
        if keys.len() > 1 {
            return Err(Breach::new(
                NAME,
                format!("one key in seat {number}"),
                format!("{keys:?}"),
            ));
        }
        for (_, event) in &part.events {
            let Event::OwnershipClaimed(claim) = &event.body else { continue };
            let other = *seat_of.entry(&claim.node).or_insert(number);
            if other != number {
                let found = format!("{} claimed {other} and {number}", claim.node);
                return Err(Breach::new(NAME, "one seat for each node", found));
            }
        }
    }
    for (number, node) in world.nodes.iter().enumerate() {
        if world.nodes[..number].iter().any(|other| node.shares_memory(other)) {
            let found = format!("node {number} shares some");
            return Err(Breach::new(NAME, "nothing in memory with others", found));
        }
    }
    Ok(())
}

/// Whose events are in a partition. A lane lies in the partition that it serves, whatever the
/// partition's key is.
fn keys(part: &Part) -> impl Iterator<Item = &str> {
    let names = part.runs.iter().flatten().map(|(_, event)| event.meta.key.as_str());
    names.filter(|name| !matches!(Key::parse(name), Some(Key::Lane(..))))
}
