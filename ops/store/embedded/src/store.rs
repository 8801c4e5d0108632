//! Rows in fjall.

mod database;
mod opening;
mod room;
#[cfg(test)]
mod tests;

use crate::folder::Folder;
use crate::offload::offload;
use crate::options::Options;
use async_trait::async_trait;
use bytes::Bytes;
use database::Database;
pub use opening::WasReset;
use ports::Error;
use ports::store::{Range, Store, Table, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// Commits up to this many rows run where they are called, at 2 to 10 µs a row. The way to the
/// blocking pool and back costs 10 µs on an idle machine and 30 µs on a busy one.
const INLINE_ROWS_MAX: usize = 64;

/// Commits up to this many bytes run where they are called.
const INLINE_BYTES_MAX: usize = 64 << 10;

/// Reads of up to this many keys run where they are called, at about 10 µs a key.
const INLINE_KEYS_MAX: usize = 32;

/// Scans of up to this many rows run where they are called, at less than 1 µs a row.
const INLINE_SCAN_MAX: usize = 512;

/// Rows in one folder. Commits reach the operating system before they are answered, so they survive
/// the process; `sync` makes them survive the machine.
///
/// Calls are synchronous inside: those that take microseconds run where they are called, those that
/// may take longer on the blocking pool of the runtime, if there is one. After a failed write fjall
/// accepts no more: the store then answers `Unavailable` and opens itself again.
#[derive(Debug)]
pub struct EmbeddedStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: Folder,
    options: Options,
    state: RwLock<State>,
    latest: Mutex<Latest>,
}

#[derive(Debug)]
enum State {
    /// The database, and how many were open before it.
    Open(Database, u64),
    /// It failed and did not open again yet.
    Closed(u64),
    /// It opened again without something that had been acknowledged.
    Lost(String),
}

/// What to look for after opening again.
#[derive(Debug, Default)]
struct Latest {
    /// The last commit that was answered.
    acknowledged: Arc<Vec<Write>>,
    /// What failed since, and may be there or not.
    unknown: Vec<Write>,
}

impl Latest {
    fn forget(&mut self, table: Table) {
        let kept = self.acknowledged.iter().filter(|write| write.table() != table);
        self.acknowledged = Arc::new(kept.cloned().collect());
        self.unknown.retain(|write| write.table() != table);
    }
}

impl Inner {
    fn latest(&self) -> MutexGuard<'_, Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the database, opening it first if it is closed.
    fn with<T>(&self, act: impl Fn(&Database) -> fjall::Result<T>) -> Result<T, Error> {
        self.open_again_if_closed()?;
        let (error, round) = {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            match &*state {
                State::Open(database, round) => match act(database) {
                    Ok(done) => return Ok(done),
                    Err(error) => (error, *round),
                },
                State::Closed(_) => return Err(closed()),
                State::Lost(why) => return Err(Error::Corrupt(why.clone())),
            }
        };
        Err(self.fail(&error, round))
    }

    /// What to answer after a failure, and what to do about it.
    fn fail(&self, error: &fjall::Error, round: u64) -> Error {
        let shown = self.folder.path().display();
        if opening::is_damage(error) {
            opening::ask_for_reset(&self.folder, error);
            return Error::Corrupt(format!("rows in {shown}: {error}"));
        }
        tracing::error!(folder = %shown, %error, "rows: opening again after a failure");
        if let Err(again) = self.open_again(round) {
            tracing::error!(folder = %shown, error = %again, "rows: they do not open again yet");
        }
        Error::Unavailable(format!("rows in {shown}: {error}"))
    }

    fn commit(&self, writes: &Arc<Vec<Write>>) -> Result<(), Error> {
        self.with(|database| {
            database.make_room()?;
            database.commit(writes, |done| {
                // Under the lock of the commit: in the order of the commits.
                let mut latest = self.latest();
                if done {
                    latest.acknowledged = writes.clone();
                    latest.unknown.clear();
                } else {
                    latest.unknown.extend_from_slice(writes);
                }
            })
        })
    }

    fn clear(&self, table: Table) -> Result<(), Error> {
        self.with(|database| {
            self.latest().forget(table);
            database.clear(table)
        })
    }

    /// Whether a commit takes microseconds.
    fn is_quick(&self, writes: &[Write]) -> bool {
        let bytes = |write: &Write| match write {
            Write::Put { key, value, .. } => key.len() + value.len(),
            Write::Remove { key, .. } => key.len(),
        };
        if writes.len() > INLINE_ROWS_MAX
            || writes.iter().map(bytes).sum::<usize>() > INLINE_BYTES_MAX
        {
            return false;
        }
        match self.state.try_read().as_deref() {
            Ok(State::Open(database, _)) => database.is_roomy() && database.has_tables(writes),
            Ok(State::Closed(_) | State::Lost(_)) | Err(_) => false,
        }
    }
}

fn closed() -> Error {
    Error::Unavailable("the rows failed and do not open again yet".to_owned())
}

#[async_trait]
impl Store for EmbeddedStore {
    async fn get(&self, table: Table, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, Error> {
        table.check()?;
        if keys.len() <= INLINE_KEYS_MAX {
            return self.0.with(|database| database.get(table, keys));
        }
        let (inner, keys) = (self.0.clone(), keys.to_vec());
        offload(move || inner.with(|database| database.get(table, &keys))).await
    }

    async fn scan(&self, table: Table, range: Range) -> Result<Vec<(Bytes, Bytes)>, Error> {
        table.check()?;
        if range.limit <= INLINE_SCAN_MAX {
            return self.0.with(|database| database.scan(table, &range));
        }
        let inner = self.0.clone();
        offload(move || inner.with(|database| database.scan(table, &range))).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        writes.iter().try_for_each(Write::check)?;
        let writes = Arc::new(writes);
        if self.0.is_quick(&writes) {
            return self.0.commit(&writes);
        }
        let inner = self.0.clone();
        offload(move || inner.commit(&writes)).await
    }

    async fn sync(&self) -> Result<(), Error> {
        let inner = self.0.clone();
        offload(move || inner.with(Database::sync)).await
    }

    async fn clear(&self, table: Table) -> Result<(), Error> {
        table.check()?;
        let inner = self.0.clone();
        offload(move || inner.clear(table)).await
    }
}
