//! The step budget of a project: slots lent to lanes.
//!
//! `promised` is the most that a lane may be using. It grows when slots are granted and shrinks
//! only when the lane itself says that it uses fewer, so the sum over the lanes never exceeds the
//! project's limit, whatever is lost or late.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The step budget of a project.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Budget {
    /// Counts grants.
    pub serial: i64,
    /// What each lane uses and wants.
    pub lanes: BTreeMap<i32, LaneUse>,
}

/// What a lane uses and wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct LaneUse {
    /// The most that it may be using.
    pub promised: i32,
    /// What it was last told to hold.
    pub held: i32,
    /// What it said it could use.
    pub wanted: i32,
}

impl Budget {
    /// What each lane should hold, of `limit` slots: equal shares, what one does not want goes to
    /// the others.
    pub fn shares(&self, limit: i32) -> BTreeMap<i32, i32> {
        let mut shares: BTreeMap<i32, i32> = BTreeMap::new();
        let mut open: Vec<(i32, i32)> = self
            .lanes
            .iter()
            .filter(|(_, lane)| lane.wanted > 0)
            .map(|(lane, lane_use)| (*lane, lane_use.wanted))
            .collect();
        open.sort_by_key(|(lane, wanted)| (*wanted, *lane));
        let mut left = limit.max(0);
        let mut remaining = open.len() as i32;
        for (lane, wanted) in open {
            // Rounded up for the first, so that no slot is left over.
            let fair = (left + remaining - 1) / remaining;
            let share = wanted.min(fair).max(0);
            shares.insert(lane, share);
            left -= share;
            remaining -= 1;
        }
        shares
    }

    /// Slots that are promised to no one.
    pub fn free(&self, limit: i32) -> i32 {
        limit - self.lanes.values().map(|lane| lane.promised).sum::<i32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(wanted: &[i32]) -> Budget {
        let lanes = wanted
            .iter()
            .enumerate()
            .map(|(i, w)| (i as i32, LaneUse { wanted: *w, ..LaneUse::default() }))
            .collect();
        Budget { serial: 0, lanes }
    }

    #[test]
    fn shares_never_exceed_the_limit_and_leave_nothing_that_is_wanted() {
        for limit in [0, 1, 3, 50] {
            for wanted in [&[1, 1][..], &[100, 100, 100], &[1, 100], &[0, 5, 7, 2], &[9; 40]] {
                let shares = budget(wanted).shares(limit);
                let sum: i32 = shares.values().sum();
                assert_eq!(sum, limit.min(wanted.iter().sum()), "{limit} {wanted:?}");
            }
        }
    }

    #[test]
    fn what_one_does_not_want_goes_to_the_others() {
        let shares = budget(&[1, 100]).shares(50);
        assert_eq!((shares[&0], shares[&1]), (1, 49));
    }
}
