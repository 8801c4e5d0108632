//! The in-memory log.

mod dice;
mod lane;
#[cfg(test)]
mod tests;

use crate::error::Error;
use crate::log::{Log, Offset, Partition, Record, Stored, Stream};
use async_trait::async_trait;
use dice::Dice;
use lane::Lane;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// The log in memory. It never pends.
///
/// [`ModelLog::kind`] behaves like one process with a lock on its folder. [`ModelLog::hostile`]
/// does everything that a log with other writers, a network and retries may do:
///
/// - a record becomes visible some time after it was acknowledged;
/// - an append whose answer is `Unavailable` may become visible as a whole, as a prefix of each of
///   its partitions, at once, later, or never;
/// - an append may be in the log twice, the second time behind what others wrote in between;
/// - whoever appends is acknowledged: the log does not know who owns what;
/// - offsets have gaps, a read returns fewer records than asked for, or `Unavailable`.
///
/// It keeps what the port promises all the same: what is acknowledged becomes visible at the
/// offset told, order never changes once it is visible, and of one append the records of a
/// partition never overtake each other. All that happens follows from the seed and the calls.
///
/// Compaction of `keys` is not modelled: nothing is ever forgotten.
pub struct ModelLog {
    partitions: u16,
    identity: Uuid,
    hostile: bool,
    state: Mutex<State>,
}

/// A run in flight rests for fewer steps of time than this before it moves.
const REST_STEPS_MAX: u64 = 200;

struct State {
    dice: Dice,
    healed: bool,
    lanes: BTreeMap<Partition, Lane>,
}

/// What becomes of an append.
enum Fate {
    Stands,
    StandsTwice,
    Unknown,
}

impl ModelLog {
    /// An exclusive log without faults. Offsets are dense.
    pub fn kind(partitions: u16) -> Self {
        Self::create(partitions, 0, false)
    }

    /// A log that does everything the port allows it to do.
    pub fn hostile(partitions: u16, seed: u64) -> Self {
        Self::create(partitions, seed, true)
    }

    /// The same log under another identity, as if it had been created anew.
    pub fn with_identity(self, identity: Uuid) -> Self {
        Self { identity, ..self }
    }

    /// One step of time: some of what is in flight lands or is dropped, some of what has landed
    /// becomes visible.
    pub fn advance(&self) {
        let mut state = self.state();
        let State { dice, lanes, .. } = &mut *state;
        for lane in lanes.values_mut() {
            lane.settle(dice);
            lane.show_some(dice);
            lane.sync();
        }
    }

    /// Ends the faults: what is in flight lands or is dropped, everything that has landed becomes
    /// visible, and from now on every append stands at once. Gaps in the offsets stay.
    pub fn heal(&self) {
        let mut state = self.state();
        state.healed = true;
        let State { dice, lanes, .. } = &mut *state;
        for lane in lanes.values_mut() {
            while lane.in_flight() {
                lane.settle(dice);
            }
            lane.show_all();
            lane.sync();
        }
    }

    /// Breaks the promise of the port on purpose: forgets whatever landed since the last step of
    /// time, acknowledged or not, as a log would that acknowledges before it syncs. A simulation
    /// that does not notice this is blind.
    pub fn lose_unsynced(&self) {
        for lane in self.state().lanes.values_mut() {
            lane.lose_unsynced();
        }
    }

    fn create(partitions: u16, seed: u64, hostile: bool) -> Self {
        let mut dice = Dice::new(seed);
        let identity = Uuid::from_u64_pair(dice.roll(), dice.roll());
        let singles = [Partition::CONFIG, Partition::KEYS, Partition::CLUSTER];
        let pairs = (0..partitions).flat_map(|n| [Partition::commands(n), Partition::events(n)]);
        let lanes = singles.into_iter().chain(pairs).map(|p| (p, Lane::default())).collect();
        let state = Mutex::new(State { dice, healed: !hostile, lanes });
        Self { partitions, identity, hostile, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn lane(&mut self, partition: Partition) -> Result<&mut Lane, Error> {
        self.lanes.get_mut(&partition).ok_or_else(|| unknown(partition))
    }

    fn fate(&mut self) -> Fate {
        if self.healed {
            return Fate::Stands;
        }
        match self.dice.below(16) {
            0 | 1 => Fate::Unknown,
            2 => Fate::StandsTwice,
            _ => Fate::Stands,
        }
    }

    /// Whether a call that changes nothing fails this time.
    fn refuses(&mut self) -> bool {
        !self.healed && self.dice.one_in(32)
    }

    /// Appends everything; the offsets stand in the order of `records`.
    fn land(&mut self, records: &[(Partition, Record)], gaps: bool) -> Vec<Offset> {
        let Self { dice, healed, lanes } = self;
        let mut offsets = Vec::with_capacity(records.len());
        for (partition, record) in records {
            let Some(lane) = lanes.get_mut(partition) else { continue };
            let gap = if gaps && dice.one_in(8) { 1 + dice.below(3) } else { 0 };
            offsets.push(lane.land(record.clone(), gap));
            if *healed {
                lane.show_all();
            }
        }
        offsets
    }

    /// Sends every partition's run on its way without an answer: a prefix lands now, the rest may
    /// come later or never.
    fn scatter(&mut self, records: Vec<(Partition, Record)>) {
        let mut runs: BTreeMap<Partition, Vec<Record>> = BTreeMap::new();
        for (partition, record) in records {
            runs.entry(partition).or_default().push(record);
        }
        let Self { dice, lanes, .. } = self;
        for (partition, run) in runs {
            let Some(lane) = lanes.get_mut(&partition) else { continue };
            // Long enough for a whole round trip of those who come after.
            let rest_steps = if dice.one_in(4) { dice.below(REST_STEPS_MAX) } else { 0 };
            lane.cast_off(run, rest_steps);
            if dice.one_in(2) {
                lane.settle(dice);
            }
        }
    }
}

#[async_trait]
impl Log for ModelLog {
    fn partitions(&self) -> u16 {
        self.partitions
    }

    fn identity(&self) -> Uuid {
        self.identity
    }

    fn exclusive(&self) -> bool {
        !self.hostile
    }

    async fn append(&self, records: Vec<(Partition, Record)>) -> Result<Vec<Offset>, Error> {
        let mut state = self.state();
        for (partition, _) in &records {
            state.lane(*partition)?;
        }
        if records.is_empty() {
            return Ok(Vec::new());
        }
        match state.fate() {
            Fate::Stands => Ok(state.land(&records, self.hostile)),
            Fate::StandsTwice => {
                let first = state.land(&records, self.hostile);
                if state.dice.one_in(2) {
                    state.scatter(records);
                    return Ok(first);
                }
                Ok(state.land(&records, self.hostile))
            }
            Fate::Unknown => {
                #[cfg(feature = "canary")]
                if domain::canary::planted(domain::canary::Canary::UnsyncedAppend) {
                    let offsets = vec![0; records.len()];
                    state.scatter(records);
                    return Ok(offsets);
                }
                state.scatter(records);
                Err(Error::Unavailable("no answer: the outcome is unknown".into()))
            }
        }
    }

    async fn read(
        &self,
        partition: Partition,
        from: Offset,
        bytes_max: usize,
    ) -> Result<Vec<Stored>, Error> {
        let mut state = self.state();
        if state.refuses() {
            return Err(Error::Unavailable("no answer".into()));
        }
        let healed = state.healed;
        let State { dice, lanes, .. } = &mut *state;
        let lane = lanes.get_mut(&partition).ok_or_else(|| unknown(partition))?;
        let mut found = lane.read(from, bytes_max).map_err(|next| past(partition, from, next))?;
        if !healed {
            if found.len() > 1 && dice.one_in(4) {
                found.truncate(1 + dice.index(found.len() - 1));
            }
            if dice.one_in(2) {
                lane.show_some(dice);
            }
        }
        Ok(found)
    }

    async fn changed(&self, partition: Partition, _from: Offset) -> Result<(), Error> {
        self.state().lane(partition).map(|_| ())
    }

    async fn end(&self, partition: Partition) -> Result<Offset, Error> {
        let mut state = self.state();
        if state.refuses() {
            return Err(Error::Unavailable("no answer".into()));
        }
        let lane = state.lane(partition)?;
        // Before the end is told, everything acknowledged is there.
        lane.show_all();
        Ok(lane.end())
    }
}

fn unknown(partition: Partition) -> Error {
    let Partition { stream, number } = partition;
    let name = match stream {
        Stream::Config => "config",
        Stream::Commands => "commands",
        Stream::Events => "events",
        Stream::Keys => "keys",
        Stream::Cluster => "cluster",
    };
    Error::Corrupt(format!("there is no partition {name}/{number}"))
}

fn past(partition: Partition, from: Offset, next: Offset) -> Error {
    Error::Corrupt(format!("{partition:?}: {from} lies past the end {next}"))
}
