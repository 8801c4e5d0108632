//! Which nodes are at a shared log, and which partitions each should hold.
//!
//! Nodes find each other through the log alone: each says again and again that it is there, and
//! every node that reads this comes to the same view. The view only suggests who should claim a
//! partition; which claim counts, the log decides.

mod assign;
mod presence;

pub use presence::{Presence, attend};

use assign::assign;
use domain::cluster::Notice;
use std::collections::{BTreeMap, BTreeSet};

/// Own beats that a node reads before it takes part: by then it has heard everyone who lives.
const LISTEN_BEATS: u32 = 3;
/// Own beats that a node reads without one of another, until that one counts as gone. Beats and not
/// seconds: whoever cannot read the log does not take the others for dead.
const SILENT_BEATS_MAX: u32 = 8;

/// The nodes at the log, as one of them sees it.
#[derive(Debug)]
pub struct Roster {
    me: String,
    heard: u32,
    nodes: BTreeMap<String, Seen>,
    level: u32,
}

#[derive(Debug)]
struct Seen {
    is_ready: bool,
    /// Own beats since its last.
    silent: u32,
}

/// What a node takes from the roster.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct View {
    /// The seats that it should hold.
    pub seats: BTreeSet<u16>,
    /// The nodes that live, each in its present life.
    pub nodes: BTreeSet<String>,
}

impl View {
    /// That of a node which has the log for itself.
    pub fn alone(node: impl Into<String>, seats: impl IntoIterator<Item = u16>) -> Self {
        Self { seats: seats.into_iter().collect(), nodes: BTreeSet::from([node.into()]) }
    }
}

impl Roster {
    /// The view of a node that has heard no one yet.
    pub fn new(me: impl Into<String>) -> Self {
        Self { me: me.into(), heard: 0, nodes: BTreeMap::new(), level: 0 }
    }

    /// Takes what a node says.
    pub fn hear(&mut self, notice: &Notice) {
        match notice {
            Notice::NodeSeen(seen) => {
                self.nodes.insert(seen.node.clone(), Seen { is_ready: seen.ready, silent: 0 });
                if seen.node == self.me {
                    self.heard = self.heard.saturating_add(1);
                    self.nodes.values_mut().for_each(|node| node.silent += 1);
                    self.nodes.retain(|_, node| node.silent <= SILENT_BEATS_MAX);
                }
            }
            Notice::NodeLeft(left) => {
                self.nodes.remove(&left.node);
            }
            Notice::LevelRaised(_) => self.recall(notice),
            Notice::LogCreated(_) | Notice::SchemasRegistered(_) => {}
        }
    }

    /// Takes what a node said before this one came: it may be long gone, and what it said of the
    /// log still holds.
    pub fn recall(&mut self, notice: &Notice) {
        if let Notice::LevelRaised(raised) = notice {
            self.level = self.level.max(u32::try_from(raised.level).unwrap_or(0));
        }
    }

    /// The seats that this node should hold; `None`: it has not listened for long enough.
    pub fn seats(&self, all: &[u16]) -> Option<BTreeSet<u16>> {
        if self.heard < LISTEN_BEATS {
            return None;
        }
        let ready: Vec<&str> = self.named(|node| node.is_ready);
        // At the first start no one is.
        let nodes = if ready.is_empty() { self.named(|_| true) } else { ready };
        let mine = assign(&nodes, all).into_iter().filter(|(_, node)| *node == self.me);
        Some(mine.map(|(seat, _)| seat).collect())
    }

    /// What this node should do; `None`: it has not listened for long enough.
    pub fn view(&self, all: &[u16]) -> Option<View> {
        let nodes = self.named(|_| true).into_iter().map(str::to_owned).collect();
        Some(View { seats: self.seats(all)?, nodes })
    }

    /// The highest schema id that may be written; 0: nobody has said.
    pub fn level(&self) -> u32 {
        self.level
    }

    fn named(&self, is_wanted: impl Fn(&Seen) -> bool) -> Vec<&str> {
        let wanted = self.nodes.iter().filter(|(_, node)| is_wanted(node));
        wanted.map(|(name, _)| name.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::cluster::{LevelRaised, NodeLeft, NodeSeen};

    const ALL: [u16; 9] = [0, 1, 2, 3, 4, 5, 6, 7, u16::MAX];

    fn seen(node: &str, ready: bool) -> Notice {
        let (address, version) = (String::new(), String::new());
        Notice::NodeSeen(NodeSeen { node: node.into(), address, ready, version, schema_max: 300 })
    }

    /// The views of these nodes after each has said so many times that it is there.
    fn views(names: &[&str], beats: u32) -> Vec<Roster> {
        let mut views: Vec<Roster> = names.iter().map(|name| Roster::new(*name)).collect();
        for _ in 0..beats {
            for name in names {
                views.iter_mut().for_each(|view| view.hear(&seen(name, true)));
            }
        }
        views
    }

    fn held(views: &[Roster]) -> Vec<usize> {
        views.iter().map(|view| view.seats(&ALL).map_or(0, |seats| seats.len())).collect()
    }

    #[test]
    fn every_seat_has_one_holder_and_the_load_is_even() {
        let views = views(&["a", "b", "c"], 4);
        assert_eq!(held(&views), [3, 3, 3]);
        let all: BTreeSet<u16> = views.iter().filter_map(|v| v.seats(&ALL)).flatten().collect();
        assert_eq!(all, ALL.into_iter().collect());
    }

    #[test]
    fn what_may_be_written_was_said_and_never_becomes_less() {
        let mut roster = Roster::new("a");
        assert_eq!(roster.level(), 0);
        let raised = |level| Notice::LevelRaised(LevelRaised { level });
        roster.recall(&raised(312));
        roster.recall(&seen("gone", true));
        roster.hear(&raised(311));
        assert_eq!(roster.level(), 312);
        (0..LISTEN_BEATS).for_each(|_| roster.hear(&seen("a", true)));
        assert_eq!(roster.seats(&ALL).unwrap().len(), 9, "who spoke before may be gone");
    }

    #[test]
    fn a_node_listens_before_it_takes_part() {
        assert_eq!(views(&["a"], LISTEN_BEATS - 1)[0].seats(&ALL), None);
        assert_eq!(held(&views(&["a"], LISTEN_BEATS)), [9]);
    }

    #[test]
    fn who_leaves_or_falls_silent_holds_nothing() {
        let mut views = views(&["a", "b"], 4);
        let left = Notice::NodeLeft(NodeLeft { node: "b".into() });
        views[0].hear(&left);
        assert_eq!(views[0].seats(&ALL).unwrap().len(), 9);
        views[0].hear(&seen("b", true));
        (0..SILENT_BEATS_MAX).for_each(|_| views[0].hear(&seen("a", true)));
        assert!(views[0].seats(&ALL).unwrap().len() < 9, "it may be late");
        views[0].hear(&seen("a", true));
        assert_eq!(views[0].seats(&ALL).unwrap().len(), 9);
    }

    #[test]
    fn who_has_not_caught_up_gets_nothing_unless_no_one_has() {
        let mut views = views(&["a", "b"], 4);
        views.iter_mut().for_each(|view| view.hear(&seen("b", false)));
        assert_eq!(held(&views), [9, 0]);
        views.iter_mut().for_each(|view| view.hear(&seen("a", false)));
        assert_eq!(held(&views).iter().sum::<usize>(), 9);
    }
}
