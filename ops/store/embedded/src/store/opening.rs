//! Opening, opening again, and starting anew.

use super::database::Database;
use super::{EmbeddedStore, Inner, Latest, State};
use crate::disk::{refused, remove};
use crate::folder::{Folder, Format};
use crate::options::Options;
use bytes::Bytes;
use ports::Error;
use ports::store::Write;
use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

const FORMAT: Format = Format { kind: "rows", version: 1 };
const ROWS: &str = "rows";
const DROPPED: &str = "dropped";
/// Counts openings that did not come to an end: fjall aborts the process over some damage.
const OPENING: &str = "OPENING";
const OPENING_MAX: u32 = 3;
/// Says that what was read is damaged, though it opens.
const DAMAGED: &str = "DAMAGED";

/// Whether the rows that were there before are still there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WasReset {
    /// They are.
    No,
    /// They did not open, for this reason, and were dropped: the store is empty.
    Yes(String),
}

impl EmbeddedStore {
    /// Opens the rows in a folder, making it if need be. Blocks.
    ///
    /// # Errors
    /// `Unavailable`: another process has the folder, or the disk refuses. `Corrupt`: the rows are
    /// damaged, or the folder is from a newer version.
    pub fn open(path: &Path, options: Options) -> Result<Self, Error> {
        let folder = Folder::open(path, FORMAT)?;
        clean(&folder)?;
        if let Some(why) = damage(&folder) {
            return Err(Error::Corrupt(why));
        }
        let database = start(&folder, &options)?;
        Ok(Self::new(folder, options, database))
    }

    /// Opens the rows in a folder, and drops them first if they are damaged. Blocks.
    ///
    /// # Errors
    /// As `open`, but never because of damage: what the disk or another process refuses stays.
    pub fn open_or_reset(path: &Path, options: Options) -> Result<(Self, WasReset), Error> {
        let folder = Folder::open(path, FORMAT)?;
        clean(&folder)?;
        let why = match damage(&folder) {
            Some(why) => why,
            None => match start(&folder, &options) {
                Ok(database) => return Ok((Self::new(folder, options, database), WasReset::No)),
                Err(Error::Corrupt(why)) => why,
                Err(other) => return Err(other),
            },
        };
        tracing::warn!(folder = %path.display(), why, "rows: dropped, to be built anew");
        let rows = folder.join(ROWS);
        if rows.exists() {
            let renamed = fs::rename(&rows, folder.join(DROPPED));
            renamed.map_err(|error| refused("dropping", &rows, &error))?;
        }
        clean(&folder)?;
        for marker in [OPENING, DAMAGED] {
            let marker = folder.join(marker);
            remove(&marker).map_err(|error| refused("removing", &marker, &error))?;
        }
        let database = start(&folder, &options)?;
        Ok((Self::new(folder, options, database), WasReset::Yes(why)))
    }

    fn new(folder: Folder, options: Options, database: Database) -> Self {
        let state = RwLock::new(State::Open(database, 0));
        Self(Arc::new(Inner { folder, options, state, latest: Mutex::default() }))
    }
}

impl Inner {
    pub(super) fn open_again_if_closed(&self) -> Result<(), Error> {
        let round = {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            match &*state {
                State::Open(..) | State::Lost(_) => return Ok(()),
                State::Closed(round) => *round,
            }
        };
        self.open_again(round)
    }

    /// Closes the database that failed, if it is still that one, and opens it anew.
    pub(super) fn open_again(&self, failed: u64) -> Result<(), Error> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            State::Open(_, round) | State::Closed(round) if *round == failed => {}
            State::Open(..) | State::Closed(_) | State::Lost(_) => return Ok(()),
        }
        // Closes it: two cannot be open at once.
        *state = State::Closed(failed);
        let database = start(&self.folder, &self.options)?;
        let missing = missing(&database, &self.latest())
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        if let Some(what) = missing {
            let why =
                format!("{}: {what} was acknowledged and is gone", self.folder.path().display());
            *state = State::Lost(why.clone());
            return Err(Error::Corrupt(why));
        }
        *state = State::Open(database, failed + 1);
        Ok(())
    }
}

/// Whoever goes on after a loss goes on from the wrong offset, so a loss has to be noticed. What is
/// lost is always an end of the commits: if the last one is there, all are.
fn missing(database: &Database, latest: &Latest) -> fjall::Result<Option<String>> {
    let mut allowed: HashMap<(&str, &Bytes), Vec<Option<&Bytes>>> = HashMap::new();
    for write in latest.acknowledged.iter() {
        allowed.insert((write.table().0, write.key()), vec![value(write)]);
    }
    for write in &latest.unknown {
        if let Some(values) = allowed.get_mut(&(write.table().0, write.key())) {
            values.push(value(write));
        }
    }
    for write in latest.acknowledged.iter() {
        let found = database.get(write.table(), std::slice::from_ref(write.key()))?;
        let found = found.first().and_then(Option::as_ref);
        let expected = allowed.get(&(write.table().0, write.key()));
        if !expected.is_some_and(|values| values.contains(&found)) {
            return Ok(Some(format!("a row of {}", write.table().0)));
        }
    }
    Ok(None)
}

fn value(write: &Write) -> Option<&Bytes> {
    match write {
        Write::Put { value, .. } => Some(value),
        Write::Remove { .. } => None,
    }
}

/// Removes what an earlier reset left.
fn clean(folder: &Folder) -> Result<(), Error> {
    let dropped = folder.join(DROPPED);
    remove(&dropped).map_err(|error| refused("removing", &dropped, &error))
}

/// Why not even to try.
fn damage(folder: &Folder) -> Option<String> {
    if let Ok(why) = fs::read_to_string(folder.join(DAMAGED)) {
        return Some(why);
    }
    let attempts = attempts(folder);
    (attempts >= OPENING_MAX).then(|| format!("{attempts} attempts to open ended the process"))
}

fn attempts(folder: &Folder) -> u32 {
    let text = fs::read_to_string(folder.join(OPENING)).unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}

/// Leaves word that the rows are to be dropped when they are next opened.
pub(super) fn ask_for_reset(folder: &Folder, error: &fjall::Error) {
    if let Err(refusal) = fs::write(folder.join(DAMAGED), error.to_string()) {
        tracing::error!(%refusal, %error, "rows: damaged, and no note of it can be left");
    }
}

fn start(folder: &Folder, options: &Options) -> Result<Database, Error> {
    let (rows, marker) = (folder.join(ROWS), folder.join(OPENING));
    let write = |error| refused("writing", &marker, &error);
    fs::write(&marker, (attempts(folder) + 1).to_string()).map_err(write)?;
    // Recovery asserts what a damaged file may contradict.
    let opened = catch_unwind(AssertUnwindSafe(|| Database::open(&rows, options)));
    remove(&marker).map_err(write)?;
    let shown = rows.display();
    match opened {
        Ok(Ok(database)) => Ok(database),
        Ok(Err(error)) if is_damage(&error) => Err(Error::Corrupt(format!("{shown}: {error}"))),
        Ok(Err(error)) => Err(Error::Unavailable(format!("{shown}: {error}"))),
        Err(_) => Err(Error::Corrupt(format!("{shown}: recovery contradicts itself"))),
    }
}

/// Whether an error is about what is stored, rather than about the machine just now.
pub(super) fn is_damage(error: &fjall::Error) -> bool {
    match error {
        fjall::Error::Io(error) | fjall::Error::Storage(fjall::LsmError::Io(error)) => {
            matches!(
                error.kind(),
                ErrorKind::NotFound
                    | ErrorKind::AlreadyExists
                    | ErrorKind::UnexpectedEof
                    | ErrorKind::InvalidData
                    | ErrorKind::InvalidInput
            )
        }
        fjall::Error::Poisoned | fjall::Error::KeyspaceDeleted | fjall::Error::Locked => false,
        fjall::Error::Storage(_)
        | fjall::Error::JournalRecovery(_)
        | fjall::Error::InvalidVersion(_)
        | fjall::Error::Decompress(_)
        | fjall::Error::InvalidTrailer
        | fjall::Error::InvalidTag(_)
        | fjall::Error::Unrecoverable
        | _ => true,
    }
}
