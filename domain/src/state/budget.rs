//! The step budget of a project: slots lent to lanes.
//!
//! `promised` is the most that a lane may be using. It grows when slots are granted and shrinks
//! only when the lane itself says that it uses fewer, so the sum over the lanes never exceeds the
//! project's limit, whatever is lost or late.

use crate::id::Asking;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where there are fewer slots than lanes that want one, lanes take turns of so many milliseconds:
/// much longer than it takes to hand a slot over.
pub const TURN_MS: i64 = 5_000;

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
    /// Its last ask. One that comes later and is older says what is no longer so.
    pub asked: Option<Asking>,
}

impl Budget {
    /// What each lane should hold, of `limit` slots: equal shares, what one does not want goes to
    /// the others. Where that is less than one slot each, lanes take turns.
    pub fn shares(&self, limit: i32, now: Timestamp) -> BTreeMap<i32, i32> {
        let mut shares: BTreeMap<i32, i32> = BTreeMap::new();
        let mut open: Vec<(i32, i32)> = self
            .lanes
            .iter()
            .filter(|(_, lane)| lane.wanted > 0)
            .map(|(lane, lane_use)| (*lane, lane_use.wanted))
            .collect();
        if let Ok(slots) = usize::try_from(limit)
            && slots < open.len()
        {
            let turn = usize::try_from(now.0.div_euclid(TURN_MS)).unwrap_or(0);
            let first = turn.wrapping_mul(slots) % open.len();
            open.rotate_left(first);
            let held = |at| i32::from(at < slots);
            return open.into_iter().enumerate().map(|(at, (lane, _))| (lane, held(at))).collect();
        }
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
                let shares = budget(wanted).shares(limit, Timestamp(0));
                let sum: i32 = shares.values().sum();
                assert_eq!(sum, limit.min(wanted.iter().sum()), "{limit} {wanted:?}");
            }
        }
    }

    #[test]
    fn where_there_are_too_few_slots_every_lane_has_its_turn() {
        for (limit, lanes) in [(1, 8), (3, 8), (5, 7), (2, 3)] {
            let budget = budget(&vec![9; lanes]);
            let mut turns = vec![0; lanes];
            for turn in 0..lanes as i64 {
                let shares = budget.shares(limit, Timestamp(turn * TURN_MS));
                assert_eq!(shares.values().sum::<i32>(), limit);
                shares.iter().for_each(|(lane, held)| turns[*lane as usize] += held);
            }
            assert_eq!(turns, vec![limit; lanes]);
        }
    }

    #[test]
    fn what_one_does_not_want_goes_to_the_others() {
        let shares = budget(&[1, 100]).shares(50, Timestamp(0));
        assert_eq!((shares[&0], shares[&1]), (1, 49));
    }
}
