//! Who should hold which partition: the same for everyone who knows the same nodes.

use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_64;

/// Gives every seat to a node. Each node gets as many as another, give or take one, and when one
/// comes or goes few others change hands: a seat goes to the node that its hash likes best, as long
/// as that has room.
pub(super) fn assign<'a>(nodes: &[&'a str], seats: &[u16]) -> BTreeMap<u16, &'a str> {
    let mut assigned = BTreeMap::new();
    if nodes.is_empty() {
        return assigned;
    }
    let room = seats.len().div_ceil(nodes.len());
    let mut load: BTreeMap<&str, usize> = BTreeMap::new();
    for seat in seats {
        let with_room = nodes.iter().filter(|node| load.get(*node).copied().unwrap_or(0) < room);
        let Some(node) = with_room.max_by_key(|node| (liking(node, *seat), **node)) else { break };
        *load.entry(node).or_default() += 1;
        assigned.insert(*seat, *node);
    }
    assigned
}

fn liking(node: &str, seat: u16) -> u64 {
    xxh3_64(format!("{seat}/{node}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_nodes_does_not_matter() {
        let seats: Vec<u16> = (0..64).collect();
        assert_eq!(assign(&["a", "b", "c"], &seats), assign(&["c", "a", "b"], &seats));
    }

    #[test]
    fn few_seats_change_hands_when_a_node_comes() {
        let seats: Vec<u16> = (0..256).collect();
        let names: Vec<String> = (0..9).map(|n| format!("node-{n}")).collect();
        let nodes: Vec<&str> = names.iter().map(String::as_str).collect();
        let (before, after) = (assign(&nodes[..8], &seats), assign(&nodes, &seats));
        let moved = seats.iter().filter(|seat| before[*seat] != after[*seat]).count();
        // A ninth must move.
        assert!((28..=90).contains(&moved), "{moved} of 256");
        for node in nodes {
            let held = after.values().filter(|holder| **holder == node).count();
            assert!((20..=29).contains(&held), "{node} holds {held}");
        }
    }
}
