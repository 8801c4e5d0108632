//! The newest records of one partition.

use ports::{Error, Offset, Record, Stored};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Records of this process that a lane keeps until those before them were read.
const AHEAD_MAX: usize = 4_096;
/// Within this time, an append of this process is known to it after it was read; mostly.
const CLAIM: Duration = Duration::from_millis(100);
const UNCLAIMED_MAX: usize = 4_096;

/// The newest records of one partition.
pub(crate) struct Lane {
    bytes_max: usize,
    state: Mutex<State>,
    /// The offset after the last record taken in.
    next: watch::Sender<Offset>,
}

/// Records that a lane took in during a while.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Pace {
    /// Appended by this process.
    pub(crate) ours: u64,
    /// By others.
    pub(crate) theirs: u64,
}

#[derive(Default)]
struct State {
    records: VecDeque<Stored>,
    bytes: usize,
    /// Readers from here on are served.
    first: Offset,
    /// The offset after the last record taken in.
    next: Offset,
    /// What this process appended behind `next`: records of others are between.
    ahead: BTreeMap<Offset, Record>,
    /// What this process appended ends here, as far as it knows.
    appended: Offset,
    /// Why the partition cannot be read any further.
    broken: Option<String>,
    /// Whether it is not read, because only this process appends.
    is_watched: bool,
    /// Since it was asked for.
    pace: Pace,
    /// What was read, and when: this process may have appended it, and not know yet.
    unclaimed: VecDeque<(Offset, Instant)>,
}

/// What a lane has for a reader.
pub(crate) enum Found {
    /// Records, at least one.
    Records(Vec<Stored>),
    /// Nothing is there yet.
    Nothing,
    /// The lane begins behind it.
    Older,
    /// The lane ends in front of it, and no one here has appended that much.
    Ahead,
}

impl Lane {
    pub(super) fn starting_at(offset: Offset, bytes_max: usize) -> Self {
        let state = State { first: offset, next: offset, appended: offset, ..State::default() };
        Self { bytes_max, state: Mutex::new(state), next: watch::Sender::new(offset) }
    }

    /// What is there from an offset on.
    pub(crate) fn read(&self, from: Offset, bytes_max: usize) -> Result<Found, Error> {
        let state = self.state();
        if let Some(why) = &state.broken {
            return Err(Error::Corrupt(why.clone()));
        }
        if from < state.first {
            return Ok(Found::Older);
        }
        if from >= state.next {
            let known = state.next.max(state.appended);
            return Ok(if from > known { Found::Ahead } else { Found::Nothing });
        }
        let start = state.records.partition_point(|stored| stored.offset < from);
        let mut bytes = 0;
        let taken = state.records.iter().skip(start).take_while(|stored| {
            let fits = bytes == 0 || bytes + size(stored) <= bytes_max;
            bytes += size(stored).max(1);
            fits
        });
        let records: Vec<Stored> = taken.cloned().collect();
        Ok(if records.is_empty() { Found::Nothing } else { Found::Records(records) })
    }

    /// The lane has nothing between this offset and its first record, and neither has the log.
    pub(crate) fn reach_back(&self, from: Offset, first: Offset) {
        let mut state = self.state();
        if state.first == first {
            state.first = from;
        }
    }

    /// Where the lane begins.
    pub(crate) fn first(&self) -> Offset {
        self.state().first
    }

    /// Takes in a record that this process has appended.
    pub(super) fn append(&self, stored: Stored) {
        let mut state = self.state();
        state.appended = state.appended.max(stored.offset + 1);
        if stored.offset > state.next {
            // Without room for it, it is read as those of others are.
            if state.ahead.len() < AHEAD_MAX {
                state.ahead.insert(stored.offset, stored.record);
            }
            return;
        }
        state.claim(stored.offset);
        self.take(&mut state, stored);
    }

    /// Whether it is not read, but watched.
    pub(super) fn is_watched(&self) -> bool {
        self.state().is_watched
    }

    /// From now on it is watched, or read again.
    pub(super) fn watch(&self, is_watched: bool) {
        let mut state = self.state();
        state.is_watched = is_watched;
        state.unclaimed.clear();
        state.pace = Pace::default();
    }

    /// Records that this process appended since this was asked for the last time.
    pub(super) fn ours(&self) -> u64 {
        std::mem::take(&mut self.state().pace.ours)
    }

    /// What it took in since this was asked for the last time.
    pub(super) fn pace(&self, now: Instant) -> Pace {
        let mut state = self.state();
        let is_old = |read: &(Offset, Instant)| now.saturating_duration_since(read.1) > CLAIM;
        while state.unclaimed.front().is_some_and(is_old) {
            state.disclaim();
        }
        std::mem::take(&mut state.pace)
    }

    /// Returns when there may be a record at or after `from`.
    pub(crate) async fn changed(&self, from: Offset) {
        let mut next = self.next.subscribe();
        // The sender lives as long as the lane.
        let _ = next.wait_for(|next| *next > from).await;
    }

    /// Takes in a record that was read.
    pub(super) fn push(&self, stored: Stored) {
        let mut state = self.state();
        let offset = stored.offset;
        if self.take(&mut state, stored) {
            state.unclaimed.push_back((offset, Instant::now()));
            if state.unclaimed.len() > UNCLAIMED_MAX {
                state.disclaim();
            }
        }
    }

    /// Takes in the next record, and what was appended right behind it. `false`: it is there already.
    fn take(&self, state: &mut State, stored: Stored) -> bool {
        if stored.offset < state.next {
            return false;
        }
        state.push(stored);
        while let Some(behind) = state.ahead.first_entry()
            && *behind.key() <= state.next
        {
            let (offset, record) = behind.remove_entry();
            if offset == state.next {
                state.push(Stored { offset, record });
            }
        }
        while state.bytes > self.bytes_max {
            let Some(oldest) = state.records.pop_front() else { break };
            state.bytes -= size(&oldest);
            state.first = oldest.offset + 1;
        }
        true
    }

    pub(super) fn break_off(&self, why: String) {
        self.state().broken.get_or_insert(why);
    }

    pub(super) fn wake(&self) {
        let state = self.state();
        // Who waits for a record of a broken partition hears of it when it reads.
        let next = if state.broken.is_some() { Offset::MAX } else { state.next };
        drop(state);
        // Several may wake at a time.
        self.next.send_if_modified(|known| {
            let is_more = next > *known;
            *known = next.max(*known);
            is_more
        });
    }

    pub(super) fn next(&self) -> Offset {
        self.state().next
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// This process appended the record there.
    fn claim(&mut self, offset: Offset) {
        self.pace.ours += 1;
        if let Ok(at) = self.unclaimed.binary_search_by_key(&offset, |(offset, _)| *offset) {
            self.unclaimed.remove(at);
        }
    }

    /// Nobody here has said that the oldest record is its own.
    fn disclaim(&mut self) {
        self.unclaimed.pop_front();
        self.pace.theirs += 1;
    }

    fn push(&mut self, stored: Stored) {
        self.next = stored.offset + 1;
        self.bytes += size(&stored);
        self.records.push_back(stored);
    }
}

fn size(stored: &Stored) -> usize {
    stored.record.key.len() + stored.record.value.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use ports::Headers;

    fn stored(offset: Offset) -> Stored {
        let (key, value) = (Bytes::new(), Bytes::from(offset.to_string()));
        Stored { offset, record: Record { headers: Headers::default(), key, value } }
    }

    fn offsets(lane: &Lane, from: Offset) -> Vec<Offset> {
        match lane.read(from, 1 << 20).expect("it reads") {
            Found::Records(records) => records.iter().map(|stored| stored.offset).collect(),
            Found::Nothing | Found::Older | Found::Ahead => Vec::new(),
        }
    }

    #[test]
    fn what_was_appended_here_is_there_once_everything_before_it_is() {
        let lane = Lane::starting_at(5, 1 << 20);
        lane.append(stored(5));
        assert_eq!(offsets(&lane, 5), [5], "nothing is before it");
        lane.append(stored(8));
        lane.append(stored(7));
        assert_eq!(offsets(&lane, 5), [5], "6 is somebody else's");
        (5..7).for_each(|offset| lane.push(stored(offset)));
        assert_eq!(offsets(&lane, 5), [5, 6, 7, 8]);
        (7..10).for_each(|offset| lane.push(stored(offset)));
        assert_eq!(offsets(&lane, 5), [5, 6, 7, 8, 9], "each of them once");
    }

    #[test]
    fn a_record_whose_offset_the_broker_does_not_say_is_read_like_those_of_others() {
        let lane = Lane::starting_at(5, 1 << 20);
        lane.append(Stored { offset: -1, ..stored(5) });
        assert_eq!(offsets(&lane, 5), [0; 0]);
        lane.push(stored(5));
        assert_eq!(offsets(&lane, 5), [5]);
    }

    #[test]
    fn what_was_read_is_somebody_elses_unless_its_append_is_told_soon() {
        let lane = Lane::starting_at(0, 1 << 20);
        (0..4).for_each(|offset| lane.push(stored(offset)));
        (1..3).for_each(|offset| lane.append(stored(offset)));
        lane.append(stored(4));
        let now = Instant::now();
        assert_eq!(lane.pace(now), Pace { ours: 3, theirs: 0 }, "of two it may still be told");
        assert_eq!(lane.pace(now + 2 * CLAIM), Pace { ours: 0, theirs: 2 });
    }
}
