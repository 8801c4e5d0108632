//! Which events stand (design §3, ownership).
//!
//! A decision is a contiguous run of events of one owner. The first claim of a higher epoch makes
//! its owner the only one whose runs count from there on; a run that is not complete when the
//! next claim comes is void, and so is everything that an older owner writes afterwards. The
//! filter sees the records of one partition in order and lets out complete, standing runs. What an
//! owner says of its own work (its claim, the steps that it lets begin) is a run by itself.
//!
//! A decision on an outcome that the owner's own node handed to it names no command, so its place
//! among the decisions shows in the ids of its events: they rise.

use crate::event::Event;
use crate::id::EventId;
use crate::meta::{Meta, Recorded};

/// A complete decision with the offset of each event.
pub type Run = Vec<(i64, Recorded<Event>)>;

/// Lets out the runs that stand.
#[derive(Clone, Debug)]
pub struct Filter {
    owner: Owner,
    open: Run,
}

impl Default for Filter {
    fn default() -> Self {
        Self::at(Owner::default())
    }
}

impl Filter {
    /// The filter of a reader that goes on behind a point where `owner` held the partition.
    pub fn at(owner: Owner) -> Self {
        Self { owner, open: Vec::new() }
    }

    /// Who holds the partition, as far as it was read.
    pub fn owner(&self) -> Owner {
        self.owner
    }

    /// Where the run that is not complete yet begins.
    pub fn open_since(&self) -> Option<i64> {
        self.open.first().map(|(offset, _)| *offset)
    }

    /// Notes an event of a decision of the holder that stands.
    pub fn stood(&mut self, meta: &Meta) {
        match meta.has_command() {
            true => self.owner.decided = self.owner.decided.max(meta.command_offset),
            false => self.owner.handed = self.owner.handed.max(meta.event_id),
        }
    }

    /// Takes the next record; gives the run that it completes, if it stands.
    pub fn push(&mut self, offset: i64, recorded: Recorded<Event>) -> Option<Run> {
        let meta = &recorded.meta;
        if matches!(recorded.body, Event::OwnershipClaimed(_)) {
            if meta.epoch <= self.owner.epoch {
                return None; // a claim that came too late, or a repeated append
            }
            (self.owner.epoch, self.owner.incarnation) = (meta.epoch, meta.incarnation);
            self.open.clear();
            return Some(vec![(offset, recorded)]);
        }
        let holder = (self.owner.epoch, self.owner.incarnation);
        let foreign = (meta.epoch, meta.incarnation) != holder;
        #[cfg(feature = "canary")]
        let foreign = foreign && !crate::canary::planted(crate::canary::Canary::IgnoredEpoch);
        if foreign {
            return None;
        }
        if recorded.body.is_of_owner() {
            // It belongs to no decision. What it says of a run that is void is about nothing.
            return Some(vec![(offset, recorded)]);
        }
        let expected = self.open.len() as i32;
        let follows = match self.open.last() {
            None => true,
            Some((_, last)) => last.meta.command_id == meta.command_id,
        };
        if meta.i != expected || !follows {
            // A repeated or torn append: what was open is void, unless a new run begins here.
            self.open.clear();
            if meta.i != 0 {
                return None;
            }
        }
        if self.was_appended_before(meta) {
            return None;
        }
        let is_complete = meta.i + 1 == meta.n;
        if is_complete {
            self.stood(meta);
        }
        self.open.push((offset, recorded));
        is_complete.then(|| std::mem::take(&mut self.open))
    }

    /// Commands are decided in order, once; what is handed over is, too.
    fn was_appended_before(&self, meta: &Meta) -> bool {
        if meta.has_command() {
            return meta.command_offset <= self.owner.decided;
        }
        let is_repeated = meta.event_id <= self.owner.handed;
        #[cfg(feature = "canary")]
        let is_repeated =
            is_repeated && !crate::canary::planted(crate::canary::Canary::RepeatedHandover);
        is_repeated
    }
}

/// Who holds a partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Owner {
    /// Rises with each claim.
    pub epoch: i64,
    /// The life of the owner.
    pub incarnation: i64,
    /// The offset of the last command that was decided; -1: none.
    pub decided: i64,
    /// The last event of a decision that names no command; nil: none.
    pub handed: EventId,
}

impl Default for Owner {
    fn default() -> Self {
        Self { epoch: 0, incarnation: 0, decided: -1, handed: EventId::nil() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventReceived, OwnershipClaimed};
    use crate::id::{CommandId, EventId, ProjectId};
    use crate::meta::{Actor, Meta};
    use crate::time::Timestamp;
    use uuid::Uuid;

    fn record(epoch: i64, command: i64, i: i32, n: i32, body: Event) -> Recorded<Event> {
        let meta = Meta {
            event_id: EventId(Uuid::from_u128(1)),
            project: ProjectId(Uuid::nil()),
            key: String::new(),
            execution: None,
            occurred_at: Timestamp(0),
            actor: Actor::System,
            causation_id: None,
            correlation_id: Uuid::nil(),
            command_id: CommandId(Uuid::from_u128(command as u128)),
            body_hash: None,
            command_offset: command,
            config_offset: 0,
            epoch,
            incarnation: epoch * 10,
            i,
            n,
        };
        Recorded { meta, body }
    }

    fn claim(epoch: i64) -> Recorded<Event> {
        record(epoch, -1, 0, 1, Event::OwnershipClaimed(OwnershipClaimed { node: "n".into() }))
    }

    fn part(epoch: i64, command: i64, i: i32, n: i32) -> Recorded<Event> {
        let body = EventReceived { name: "e".into(), executions: 0, size: 0 };
        record(epoch, command, i, n, Event::EventReceived(body))
    }

    /// A decision on what was handed over: it names no command, and its id counts.
    fn handed(epoch: i64, id: u128) -> Recorded<Event> {
        let mut decided = part(epoch, -1, 0, 1);
        decided.meta.event_id = EventId(Uuid::from_u128(id));
        decided
    }

    /// The ids of the decisions without a command that stand.
    fn standing_without_command(records: Vec<Recorded<Event>>) -> Vec<u128> {
        let mut filter = Filter::default();
        let runs = records.into_iter().filter_map(|record| filter.push(0, record)).flatten();
        let decided = runs.filter(|(_, event)| !event.body.is_of_owner());
        let decided = decided.filter(|(_, event)| !event.meta.has_command());
        decided.map(|(_, event)| event.meta.event_id.0.as_u128()).collect()
    }

    #[test]
    fn a_decision_without_a_command_stands_once_among_those_with_one() {
        let records = vec![
            claim(1),
            handed(1, 5),
            part(1, 0, 0, 1),
            handed(1, 7),
            handed(1, 5),
            handed(1, 7),
            claim(2),
            handed(1, 8),
            handed(2, 9),
        ];
        assert_eq!(standing_without_command(records), [5, 7, 9]);
    }

    #[test]
    fn who_goes_on_behind_a_decision_without_a_command_knows_a_repeat_of_it() {
        let mut filter = Filter::default();
        assert!(filter.push(0, claim(1)).is_some() && filter.push(1, handed(1, 5)).is_some());
        let mut next = Filter::at(filter.owner());
        assert!(next.push(2, handed(1, 5)).is_none() && next.push(3, handed(1, 6)).is_some());
    }

    /// The (command, events) of each run that stands.
    fn standing(records: Vec<Recorded<Event>>) -> Vec<(i64, usize)> {
        let mut filter = Filter::default();
        let runs = records.into_iter().enumerate();
        runs.filter_map(|(offset, record)| filter.push(offset as i64, record))
            .filter(|run| run[0].1.meta.command_offset >= 0)
            .map(|run| (run[0].1.meta.command_offset, run.len()))
            .collect()
    }

    #[test]
    fn a_complete_run_of_the_owner_stands() {
        assert_eq!(standing(vec![claim(1), part(1, 0, 0, 2), part(1, 0, 1, 2)]), [(0, 2)]);
    }

    #[test]
    fn what_an_older_owner_writes_late_is_ignored() {
        let records = vec![claim(1), claim(2), part(1, 0, 0, 1), part(2, 0, 0, 1)];
        assert_eq!(standing(records), [(0, 1)]);
    }

    #[test]
    fn a_claim_voids_the_run_in_front_of_it() {
        let records =
            vec![claim(1), part(1, 0, 0, 2), claim(2), part(1, 0, 1, 2), part(2, 0, 0, 1)];
        assert_eq!(standing(records), [(0, 1)]);
    }

    #[test]
    fn the_first_claim_of_an_epoch_wins() {
        let mut late = claim(1);
        late.meta.incarnation = 99;
        let mut lost = part(1, 0, 0, 1);
        lost.meta.incarnation = 99;
        assert_eq!(standing(vec![claim(1), late, lost, part(1, 1, 0, 1)]), [(1, 1)]);
    }

    #[test]
    fn a_run_that_was_appended_twice_stands_once() {
        let records = vec![claim(1), part(1, 0, 0, 1), part(1, 0, 0, 1), part(1, 1, 0, 1)];
        assert_eq!(standing(records), [(0, 1), (1, 1)]);
    }

    #[test]
    fn a_run_that_was_cut_and_repeated_stands_once() {
        let records = vec![claim(1), part(1, 0, 0, 2), part(1, 0, 0, 2), part(1, 0, 1, 2)];
        assert_eq!(standing(records), [(0, 2)]);
    }
}
