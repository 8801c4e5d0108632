//! Which functions are running, in a file that outlives the process.
//!
//! The engine shares the process with everything else: a function that finds a way to end it would
//! end it again after every restart. One that was running when two processes died is not run any
//! more. The file is written and never synced: it has to survive the process, not the machine.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// Processes that may die while one function runs.
const DEATHS_MAX: u32 = 2;
/// Bytes of an entry: the id of the call, and how many processes had died in it before.
const ENTRY_BYTES: usize = 32;
/// Calls that are noted at a time; there are fewer threads.
const ENTRIES_MAX: usize = 256;

/// Which functions are running.
#[derive(Debug, Default)]
pub struct Journal {
    /// `None`: nothing is noted.
    file: Option<File>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    free: BTreeSet<usize>,
    /// Calls in which processes died, and how many.
    deaths: HashMap<Uuid, u32>,
}

impl Journal {
    /// Opens the file, or makes it, and reads what was running when the process before ended.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file =
            File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = vec![0; ENTRIES_MAX * ENTRY_BYTES];
        let mut deaths = HashMap::new();
        if file.metadata()?.len() >= bytes.len() as u64 {
            file.read_exact_at(&mut bytes, 0)?;
            for entry in bytes.chunks_exact(ENTRY_BYTES) {
                let (Some(id), Some(before)) =
                    (entry.first_chunk::<16>(), entry[16..].first_chunk::<4>())
                else {
                    continue;
                };
                let id = Uuid::from_bytes(*id);
                if !id.is_nil() {
                    deaths.insert(id, u32::from_be_bytes(*before).saturating_add(1));
                }
            }
        }
        let journal = Self {
            file: Some(file),
            state: Mutex::new(State { free: (0..ENTRIES_MAX).collect(), deaths }),
        };
        journal.clear()?;
        Ok(journal)
    }

    /// The process ends in order: whatever still runs did not end it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn clear(&self) -> io::Result<()> {
        match &self.file {
            Some(file) => file.write_all_at(&[0; ENTRIES_MAX * ENTRY_BYTES], 0),
            None => Ok(()),
        }
    }

    /// Notes that a call runs, until the note is dropped. `None`: it must not run.
    pub(super) fn enter(self: &Arc<Self>, id: Uuid) -> Option<Entry> {
        let mut state = self.state();
        let deaths = state.deaths.get(&id).copied().unwrap_or_default();
        if deaths >= DEATHS_MAX {
            return None;
        }
        let place = state.free.pop_first();
        drop(state);
        if let Some(place) = place {
            let mut bytes = [0; ENTRY_BYTES];
            bytes[..16].copy_from_slice(id.as_bytes());
            bytes[16..20].copy_from_slice(&deaths.to_be_bytes());
            self.write(place, bytes);
        }
        Some(Entry { journal: Arc::clone(self), id, place })
    }

    fn write(&self, place: usize, bytes: [u8; ENTRY_BYTES]) {
        let Some(file) = &self.file else { return };
        if let Err(error) = file.write_all_at(&bytes, (place * ENTRY_BYTES) as u64) {
            tracing::warn!(%error, "cannot note that a function runs");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that runs.
pub(super) struct Entry {
    journal: Arc<Journal>,
    id: Uuid,
    place: Option<usize>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.journal.write(place, [0; ENTRY_BYTES]);
        }
        let mut state = self.journal.state();
        state.free.extend(self.place);
        state.deaths.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FATAL: Uuid = Uuid::from_u128(7);
    const OTHER: Uuid = Uuid::from_u128(8);

    /// A process that dies while these run.
    fn die(path: &Path, running: &[Uuid]) {
        let journal = Arc::new(Journal::open(path).unwrap());
        for id in running {
            std::mem::forget(journal.enter(*id).unwrap());
        }
    }

    #[test]
    fn what_ended_two_processes_runs_no_more_and_everything_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("functions");
        die(&path, &[OTHER, FATAL]);
        {
            // The other one comes to its end this time.
            let journal = Arc::new(Journal::open(&path).unwrap());
            drop(journal.enter(OTHER).unwrap());
            std::mem::forget(journal.enter(FATAL).unwrap());
        }
        let journal = Arc::new(Journal::open(&path).unwrap());
        assert!(journal.enter(FATAL).is_none());
        assert!(journal.enter(OTHER).is_some());
    }

    #[test]
    fn an_end_in_order_is_nobodys_fault() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("functions");
        for _ in 0..4 {
            let journal = Arc::new(Journal::open(&path).unwrap());
            std::mem::forget(journal.enter(FATAL).unwrap());
            journal.clear().unwrap();
        }
    }

    #[test]
    fn without_a_file_everything_runs() {
        let journal = Arc::new(Journal::default());
        let entries: Vec<_> = (1..600).map(|n| journal.enter(Uuid::from_u128(n))).collect();
        assert!(entries.iter().all(Option::is_some));
    }
}
