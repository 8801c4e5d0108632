//! A partition's share of a project's budget (design §3: leases).

use domain::id::ProjectId;
use domain::state::TURN_MS;
use domain::time::Timestamp;
use uuid::Uuid;

/// How long a lane waits for an answer: a command whose decision brings its node down is put aside,
/// and nobody hears of it.
const PATIENCE_MS: i64 = 60_000;

/// What a lane asks of the budget.
pub(crate) struct Ask {
    pub(crate) project: ProjectId,
    /// Counts the lane's asks since its owner took over.
    pub(crate) number: u32,
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
    pub(crate) ask_count: u32,
    /// What the last ask wanted.
    asked: Option<i32>,
    /// When that was.
    asked_at: Timestamp,
    /// The last ask, until it is answered.
    unanswered: Option<Uuid>,
    /// The budget has to hear what is busy: it told the lane to hold fewer, or lent something
    /// to whoever owned the lane before.
    owes: bool,
    /// Others want more than there is: the lane keeps nothing while it is idle.
    contended: bool,
}

impl Lane {
    pub(crate) fn has_room(&self) -> bool {
        self.running < self.held
    }

    pub(crate) fn start(&mut self) {
        self.running += 1;
        self.waiting = self.waiting.saturating_sub(1);
    }

    /// The budget lends `held` slots; `cause` is the ask that led to it.
    pub(crate) fn hold(&mut self, held: i32, serial: i64, cause: Uuid) {
        if serial <= self.serial {
            return;
        }
        let held_count = u32::try_from(held).unwrap_or(0);
        match self.unanswered {
            // It crossed the lane's own ask, by which the budget forgets it.
            Some(ask) if ask != cause => {
                self.contended = true;
                return;
            }
            Some(_) => {
                self.unanswered = None;
                self.contended |= self.asked.is_some_and(|asked| held < asked);
            }
            // Lent to the owner before; the budget believes that it is used.
            None if self.asked.is_none() => {
                self.owes = true;
                return;
            }
            // More than before needs no answer; else the budget wants to know.
            None => {
                self.owes = held_count <= self.held;
                self.contended |= self.owes;
            }
        }
        self.serial = serial;
        self.held = held_count;
    }

    /// Notes under which id the lane asked.
    pub(crate) fn asked(&mut self, ask: Uuid) {
        self.unanswered = Some(ask);
    }

    /// What to ask, if anything: `(wanted, busy)`.
    pub(crate) fn ask(&mut self, limit: u32, now: Timestamp) -> Option<(i32, i32)> {
        let unheard = self.unanswered.is_some();
        if unheard && now.since_ms(self.asked_at) < PATIENCE_MS {
            return None;
        }
        let demand = self.waiting.saturating_add(self.running).min(limit);
        let wanted = i32::try_from(demand).unwrap_or(i32::MAX);
        let short = self.waiting > 0 && !self.has_room() && self.held < demand;
        // Twice as much as it said before: a small growth is not worth a round trip.
        let more = self.asked.is_none_or(|asked| wanted >= asked.saturating_mul(2).max(1));
        // It has no slot at all: perhaps it is its turn.
        let starving = short && self.held == 0 && now.since_ms(self.asked_at) >= TURN_MS;
        let settled = self.owes && self.running <= self.held;
        let idle = self.contended && self.waiting == 0 && self.running == 0 && self.held > 0;
        if !(short && more || starving || settled || idle || unheard) {
            return None;
        }
        let busy = i32::try_from(self.running).unwrap_or(i32::MAX);
        self.held = self.running;
        self.asked = Some(wanted);
        self.asked_at = now;
        self.ask_count += 1;
        self.owes = false;
        self.contended &= wanted > 0;
        Some((wanted, busy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);
    const ASK: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);

    /// A lane that asked for as much as it has waiting, and got `held`.
    fn lent(waiting: u32, held: i32) -> Lane {
        let mut lane = Lane { waiting, ..Lane::default() };
        assert!(lane.ask(50, NOW).is_some());
        lane.asked(ASK);
        lane.hold(held, 1, ASK);
        lane
    }

    #[test]
    fn a_lane_asks_once_and_starts_nothing_before_it_hears() {
        let mut lane = Lane { waiting: 3, ..Lane::default() };
        assert!(!lane.has_room());
        assert_eq!(lane.ask(50, NOW), Some((3, 0)));
        lane.asked(ASK);
        assert_eq!(lane.ask(50, NOW), None);
        lane.hold(2, 1, ASK);
        assert!(lane.has_room());
    }

    #[test]
    fn a_lane_that_hears_nothing_asks_again_and_the_first_answer_comes_too_late() {
        let mut lane = Lane { waiting: 3, ..Lane::default() };
        assert!(lane.ask(50, NOW).is_some());
        lane.asked(ASK);
        let later = NOW.plus_ms(PATIENCE_MS);
        assert_eq!(lane.ask(50, later.plus_ms(-1)), None);
        assert_eq!(lane.ask(50, later), Some((3, 0)));
        lane.asked(OTHER);
        lane.hold(3, 1, ASK);
        assert!(!lane.has_room());
        lane.hold(3, 2, OTHER);
        assert!(lane.has_room());
    }

    #[test]
    fn an_older_grant_is_ignored() {
        let mut lane = lent(9, 5);
        lane.hold(9, 1, OTHER);
        assert_eq!(lane.held, 5);
    }

    #[test]
    fn a_grant_that_crosses_the_lanes_own_ask_is_ignored() {
        let mut lane = Lane { waiting: 3, ..Lane::default() };
        assert!(lane.ask(50, NOW).is_some());
        lane.asked(ASK);
        lane.hold(3, 4, OTHER);
        assert!(!lane.has_room());
        lane.hold(1, 5, ASK);
        assert!(lane.has_room());
    }

    #[test]
    fn a_new_owner_uses_nothing_that_was_lent_to_the_one_before_and_says_so() {
        let mut lane = Lane::default();
        lane.hold(3, 4, OTHER);
        assert!(!lane.has_room());
        assert_eq!(lane.ask(50, NOW), Some((0, 0)));
    }

    #[test]
    fn a_lane_told_to_hold_fewer_says_what_is_busy_when_it_fits() {
        let mut lane = lent(9, 4);
        (0..4).for_each(|_| lane.start());
        lane.hold(2, 2, OTHER);
        assert_eq!(lane.ask(50, NOW), None);
        lane.running = 2;
        assert_eq!(lane.ask(50, NOW), Some((7, 2)));
    }

    #[test]
    fn a_lane_without_a_slot_asks_again_when_a_turn_is_over() {
        let mut lane = lent(9, 0);
        assert_eq!(lane.ask(50, NOW.plus_ms(TURN_MS - 1)), None);
        assert_eq!(lane.ask(50, NOW.plus_ms(TURN_MS)), Some((9, 0)));
    }

    #[test]
    fn an_idle_lane_gives_back_what_others_want() {
        let mut lane = lent(1, 1);
        lane.start();
        lane.running = 0;
        assert_eq!(lane.ask(50, NOW), None);
        lane.hold(1, 2, OTHER);
        assert_eq!(lane.ask(50, NOW), Some((0, 0)));
    }
}
