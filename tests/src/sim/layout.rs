//! Where the keys of a world lie, and which nodes may own what.

use super::project;
use domain::key::Key;
use ports::model::random::SeededRandom;
use std::collections::BTreeSet;

/// Users that clients act for.
const USERS: usize = 7;
/// Partitions of a world whose keys share them.
const PARTITIONS: u16 = 8;
/// Partitions that a world apart may have more than keys.
const SPARE_MAX: usize = 3;

/// One seed in so many is a world apart.
const APART_EVERY: u64 = 4;
/// Of the others, one seed in so many has a log without faults and a single node.
const ALONE_EVERY: u64 = 5;

/// How nodes own seats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Order {
    /// One node owns all, on a log without faults.
    Alone,
    /// A few nodes fight for seats.
    Contended,
    /// Every key lies on a partition of its own, and every seat has a node of its own for good.
    Apart,
}

/// Where the keys of a world lie, and which nodes may own what.
pub(super) struct Layout {
    pub(super) order: Order,
    /// Partitions of the log.
    pub(super) partitions: u16,
    pub(super) node_count: usize,
    /// Users that clients act for.
    pub(super) users: Vec<Key>,
}

impl Layout {
    /// The layout of a seed.
    pub(super) fn of(seed: u64, random: &SeededRandom) -> Self {
        let (order, node_count) = match (seed % APART_EVERY, (seed + 1) % ALONE_EVERY) {
            (0, _) => return Self::apart(random),
            (_, 0) => (Order::Alone, 1),
            _ => (Order::Contended, 2 + random.index(2)),
        };
        let users = (0..USERS).map(project::user).collect();
        Self { order, partitions: PARTITIONS, node_count, users }
    }

    fn apart(random: &SeededRandom) -> Self {
        let addresses = [project::address(), project::limit()];
        let least = (USERS + addresses.len() + random.index(SPARE_MAX + 1)) as u16;
        let is_apart = |of: &u16| addresses[0].partition(*of) != addresses[1].partition(*of);
        let partitions = (least..).find(is_apart).unwrap_or(least);
        let mut taken: BTreeSet<u16> = addresses.map(|key| key.partition(partitions)).into();
        let lies_alone = |user: &Key| taken.insert(user.partition(partitions));
        let users = (0..).map(project::user).filter(lies_alone).take(USERS).collect();
        Self { order: Order::Apart, partitions, node_count: usize::from(partitions) + 1, users }
    }

    /// The partitions, and the configuration behind them.
    pub(super) fn seats(&self) -> usize {
        usize::from(self.partitions) + 1
    }

    /// The only node that may own the seat; `None`: any may.
    pub(super) fn keeper(&self, seat: usize) -> Option<usize> {
        match self.order {
            Order::Alone => Some(0),
            Order::Contended => None,
            Order::Apart => Some(seat),
        }
    }

    /// To how many nodes something happens at once, so that each has as much to do as one of few.
    pub(super) fn at_once(&self) -> usize {
        self.node_count.div_ceil(3)
    }

    /// The seat of every key in use. A user's lane lies with the user.
    pub(super) fn homes(&self) -> Vec<(Key, usize)> {
        let addresses = [project::address(), project::limit()];
        let keys = self.users.iter().cloned().chain(addresses);
        let placed = keys.map(|key| {
            let partition = key.partition(self.partitions);
            (key, usize::from(partition))
        });
        placed.chain([(Key::Project(project::PROJECT), self.seats() - 1)]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_world_apart_has_a_node_of_its_own() {
        for seed in (0..400).step_by(APART_EVERY as usize) {
            let layout = Layout::of(seed, &SeededRandom::new(seed));
            let homes = layout.homes();
            assert_eq!((layout.order, homes.len()), (Order::Apart, USERS + 3));
            let seats: BTreeSet<usize> = homes.iter().map(|(_, seat)| *seat).collect();
            assert_eq!(seats.len(), homes.len(), "seed {seed}: {homes:?}");
            let keepers: BTreeSet<_> =
                (0..layout.seats()).map(|seat| layout.keeper(seat)).collect();
            assert_eq!(keepers.len(), layout.node_count);
        }
    }

    #[test]
    fn one_seed_in_four_is_a_world_apart() {
        let order = |seed| Layout::of(seed, &SeededRandom::new(seed)).order;
        let count = (0..100).filter(|seed| order(*seed) == Order::Apart).count();
        assert_eq!(count, 25);
    }
}
