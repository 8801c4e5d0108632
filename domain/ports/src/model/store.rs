//! Rows in memory.

mod table;
#[cfg(test)]
mod tests;

use crate::error::Error;
use crate::model::random::SeededRandom;
use crate::store::{Range, Store, Table, Write};
use async_trait::async_trait;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use table::Rows;

/// What a commit replaced.
#[derive(Debug)]
enum Undo {
    Row { table: Table, key: Bytes, was: Option<Bytes> },
    Table { table: Table, was: Rows },
}

#[derive(Debug, Default)]
struct State {
    tables: BTreeMap<Table, Rows>,
    /// How to take back each commit since the last sync, oldest first.
    unsynced: Vec<Vec<Undo>>,
    /// So many calls fail from here on.
    interruptions: u32,
}

/// Rows of a simulation. Never pends, and forgets at a crash whatever a backend may forget.
#[derive(Debug)]
pub struct ModelStore {
    random: SeededRandom,
    state: Mutex<State>,
}

/// Whether a call that fails has had its effect all the same.
#[derive(PartialEq, Eq)]
enum Fate {
    Answered,
    LostBefore,
    LostAfter,
}

impl ModelStore {
    /// Without rows. The seed decides what a crash loses.
    pub fn new(seed: u64) -> Self {
        Self { random: SeededRandom::new(seed), state: Mutex::default() }
    }

    /// Loses a random number of the last commits since the last sync, each as a whole, and tells
    /// how many. A crash ends an interruption.
    pub fn crash(&self) -> usize {
        let mut state = self.state();
        state.interruptions = 0;
        let lost = self.random.index(state.unsynced.len() + 1);
        for _ in 0..lost {
            for undo in state.unsynced.pop().into_iter().flatten().rev() {
                state.take_back(undo);
            }
        }
        // What a restart finds on the disk, the next crash cannot lose.
        state.unsynced.clear();
        lost
    }

    /// The next `count` calls answer `Unavailable`; those that change something have done so or not.
    pub fn interrupt(&self, count: u32) {
        self.state().interruptions = count;
    }

    /// The number of rows in a table.
    pub fn row_count(&self, table: Table) -> usize {
        self.state().tables.get(&table).map_or(0, Rows::len)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fate(&self, state: &mut State) -> Fate {
        if state.interruptions == 0 {
            return Fate::Answered;
        }
        state.interruptions -= 1;
        if self.random.index(2) == 0 { Fate::LostBefore } else { Fate::LostAfter }
    }

    /// Does something, unless an interruption is in the way.
    fn run<T>(&self, act: impl FnOnce(&mut State) -> T) -> Result<T, Error> {
        let mut state = self.state();
        let fate = self.fate(&mut state);
        if fate == Fate::LostBefore {
            return Err(interrupted());
        }
        let done = act(&mut state);
        if fate == Fate::LostAfter {
            return Err(interrupted());
        }
        Ok(done)
    }
}

impl Default for ModelStore {
    fn default() -> Self {
        Self::new(0)
    }
}

fn interrupted() -> Error {
    Error::Unavailable("the store is interrupted".to_owned())
}

impl State {
    fn apply(&mut self, write: Write) -> Undo {
        match write {
            Write::Put { table, key, value } => {
                // A slice of a larger buffer would keep all of it alive.
                let own = Bytes::copy_from_slice(&value);
                let was = self.tables.entry(table).or_default().put(key.clone(), own);
                Undo::Row { table, key, was }
            }
            Write::Remove { table, key } => {
                let was = self.tables.entry(table).or_default().remove(&key);
                Undo::Row { table, key, was }
            }
        }
    }

    fn take_back(&mut self, undo: Undo) {
        match undo {
            Undo::Row { table, key, was } => {
                let rows = self.tables.entry(table).or_default();
                match was {
                    Some(value) => rows.put(key, value),
                    None => rows.remove(&key),
                };
            }
            Undo::Table { table, was } => {
                self.tables.insert(table, was);
            }
        }
    }
}

#[async_trait]
impl Store for ModelStore {
    async fn get(&self, table: Table, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, Error> {
        table.check()?;
        self.run(|state| {
            let rows = state.tables.get(&table);
            keys.iter().map(|key| rows.and_then(|rows| rows.get(key))).collect()
        })
    }

    async fn scan(&self, table: Table, range: Range) -> Result<Vec<(Bytes, Bytes)>, Error> {
        table.check()?;
        self.run(|state| state.tables.get(&table).map_or(Vec::new(), |rows| rows.scan(&range)))
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        writes.iter().try_for_each(Write::check)?;
        self.run(|state| {
            let undo = writes.into_iter().map(|write| state.apply(write)).collect();
            state.unsynced.push(undo);
        })
    }

    async fn sync(&self) -> Result<(), Error> {
        self.run(|state| state.unsynced.clear())
    }

    async fn clear(&self, table: Table) -> Result<(), Error> {
        table.check()?;
        self.run(|state| {
            let was = state.tables.remove(&table).unwrap_or_default();
            state.unsynced.push(vec![Undo::Table { table, was }]);
        })
    }
}
