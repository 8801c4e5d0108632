//! A partition's share of a project's budget (design §3: leases).

use domain::id::ProjectId;

/// What a lane asks of the budget.
pub(crate) struct Ask {
    pub(crate) project: ProjectId,
    pub(crate) wanted: i32,
    pub(crate) busy: i32,
}

/// What a lane holds and uses. After an ask it starts nothing beyond what was busy then, until it
/// hears; so what it said is the most that it uses.
#[derive(Default)]
pub(crate) struct Lane {
    pub(crate) waiting: u32,
    pub(crate) running: u32,
    held: u32,
    serial: i64,
    /// What the last ask wanted, and whether it was answered.
    asked: Option<i32>,
    unanswered: bool,
    /// Told to hold fewer than it held: the budget waits to hear what is still busy.
    owes: bool,
}

impl Lane {
    pub(crate) fn has_room(&self) -> bool {
        self.running < self.held
    }

    pub(crate) fn start(&mut self) {
        self.running += 1;
        self.waiting = self.waiting.saturating_sub(1);
    }

    pub(crate) fn hold(&mut self, held: i32, serial: i64) {
        if serial <= self.serial {
            return;
        }
        self.serial = serial;
        let held = u32::try_from(held).unwrap_or(0);
        self.owes = held < self.held;
        self.held = held;
        self.unanswered = false;
    }

    /// What to ask, if anything: `(wanted, busy)`.
    pub(crate) fn ask(&mut self, limit: u32) -> Option<(i32, i32)> {
        if self.unanswered {
            return None;
        }
        let demand = self.waiting.saturating_add(self.running).min(limit);
        let wanted = i32::try_from(demand).unwrap_or(i32::MAX);
        let short = self.waiting > 0 && !self.has_room() && self.held < demand;
        // Twice as much as it said before: a small growth is not worth a round trip.
        let more = self.asked.is_none_or(|asked| wanted >= asked.saturating_mul(2).max(1));
        let settled = self.owes && self.running <= self.held;
        if !(short && more || settled) {
            return None;
        }
        let busy = i32::try_from(self.running).unwrap_or(i32::MAX);
        self.held = self.running;
        self.asked = Some(wanted);
        self.unanswered = true;
        self.owes = false;
        Some((wanted, busy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_asks_once_and_starts_nothing_before_it_hears() {
        let mut lane = Lane { waiting: 3, ..Lane::default() };
        assert!(!lane.has_room());
        assert_eq!(lane.ask(50), Some((3, 0)));
        assert_eq!(lane.ask(50), None);
        lane.hold(2, 1);
        assert!(lane.has_room());
    }

    #[test]
    fn an_older_grant_is_ignored() {
        let mut lane = Lane::default();
        lane.hold(5, 2);
        lane.hold(9, 1);
        assert_eq!(lane.held, 5);
    }

    #[test]
    fn a_lane_told_to_hold_fewer_says_what_is_busy_when_it_fits() {
        let mut lane = Lane { waiting: 9, ..Lane::default() };
        lane.hold(4, 1);
        (0..4).for_each(|_| lane.start());
        lane.asked = Some(100);
        lane.hold(2, 2);
        assert_eq!(lane.ask(50), None);
        lane.running = 2;
        assert_eq!(lane.ask(50), Some((7, 2)));
    }
}
