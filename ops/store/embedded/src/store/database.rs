//! The open database: tables, commits, reads.

use super::room::Room;
use crate::options::Options;
use bytes::Bytes;
use fjall::compaction::Leveled;
use fjall::{Keyspace, KeyspaceCreateOptions, PersistMode, Readable as _};
use ports::store::{Range, Table, Write};
use std::collections::HashMap;
use std::fmt;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Which generation of each table counts. No table of a caller can have this name.
const GENERATIONS: &str = "#generations";

/// Size of a table's file. While the worker merges files of this size, a flush waits.
const FILE_BYTES: u64 = 16 << 20;

/// One table as it stands.
pub(super) struct Current {
    pub(super) keyspace: Keyspace,
    generation: u64,
}

/// An open fjall database. A table is a keyspace, and clearing it moves on to another keyspace:
/// fjall's own clearing takes effect on the disk before its journal does, so that after a power cut
/// rows could be gone that a lost commit should have left there.
pub(super) struct Database {
    fjall: fjall::Database,
    generations: Keyspace,
    tables: RwLock<HashMap<String, Current>>,
    /// Held for writing by commits. A snapshot alone may show half of one: the end of a flush or a
    /// compaction publishes the sequence numbers of commits that are still under way.
    whole: RwLock<()>,
    room: Room,
    options: Options,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

impl Database {
    pub(super) fn open(path: &Path, options: &Options) -> fjall::Result<Self> {
        let fjall = fjall::Database::builder(path)
            .cache_size(options.cache_bytes_max)
            .max_cached_files(Some(options.files_max.max(10)))
            // The smallest that fjall takes: what it replays when it opens.
            .max_journaling_size(64 << 20)
            // With two, one only flushes, and spins while the other compacts: a tenth to a fifth more
            // processor time in all. With one, a flush can wait 0.3 s for a compaction.
            .worker_threads(1)
            .open()?;
        let generations = fjall.keyspace(GENERATIONS, keyspace_options)?;
        let mut tables = HashMap::new();
        for name in fjall.list_keyspace_names() {
            let Some((table, generation)) = parse_name(&name) else { continue };
            let keyspace = fjall.keyspace(&name, keyspace_options)?;
            if generation == read_generation(&generations, table)? {
                tables.insert(table.to_owned(), Current { keyspace, generation });
            } else {
                // Left over when the process ended in the middle of clearing.
                fjall.delete_keyspace(keyspace)?;
            }
        }
        let room = Room::unchecked();
        let tables = RwLock::new(tables);
        let options = options.clone();
        Ok(Self { fjall, generations, tables, whole: RwLock::default(), room, options })
    }

    pub(super) fn get(&self, table: Table, keys: &[Bytes]) -> fjall::Result<Vec<Option<Bytes>>> {
        let tables = self.tables();
        let Some(current) = tables.get(table.0) else {
            return Ok(vec![None; keys.len()]);
        };
        let _whole = self.whole.read().unwrap_or_else(PoisonError::into_inner);
        // Copied: a slice would keep the whole block alive that it was read from.
        let read = |key: &Bytes| match key.is_empty() {
            true => Ok(None),
            false => Ok(current.keyspace.get(key)?.map(|row| Bytes::copy_from_slice(&row))),
        };
        keys.iter().map(read).collect()
    }

    pub(super) fn scan(&self, table: Table, range: &Range) -> fjall::Result<Vec<(Bytes, Bytes)>> {
        let tables = self.tables();
        let empty = !range.until.is_empty() && range.from >= range.until;
        let current = match tables.get(table.0) {
            Some(current) if !empty => current,
            Some(_) | None => return Ok(Vec::new()),
        };
        let until = match range.until.is_empty() {
            true => Bound::Unbounded,
            false => Bound::Excluded(range.until.as_ref()),
        };
        let bounds: (Bound<&[u8]>, Bound<&[u8]>) = (Bound::Included(range.from.as_ref()), until);
        let whole = self.whole.read().unwrap_or_else(PoisonError::into_inner);
        let rows = self.fjall.snapshot().range::<&[u8], _>(&current.keyspace, bounds);
        // The snapshot holds by itself: a long scan keeps no commit waiting.
        drop(whole);
        let row = |guard: fjall::Guard| {
            let (key, value) = guard.into_inner()?;
            Ok((Bytes::copy_from_slice(&key), Bytes::copy_from_slice(&value)))
        };
        match range.backwards {
            true => rows.rev().take(range.limit).map(row).collect(),
            false => rows.take(range.limit).map(row).collect(),
        }
    }

    /// Writes all or nothing, and tells `then` whether it went well before anyone else commits.
    pub(super) fn commit(&self, writes: &[Write], then: impl Fn(bool)) -> fjall::Result<()> {
        if writes.is_empty() {
            return Ok(());
        }
        let tables = self.with_tables(writes)?;
        // Explicit: without a durability a batch can stay in the buffers of this process.
        let mut batch = fjall::OwnedWriteBatch::with_capacity(self.fjall.clone(), writes.len())
            .durability(Some(PersistMode::Buffer));
        let mut last: Option<(Table, &Current)> = None;
        for write in writes {
            let current = match last {
                Some((table, current)) if table == write.table() => current,
                Some(_) | None => match tables.get(write.table().0) {
                    Some(current) => current,
                    None => return Err(fjall::Error::KeyspaceDeleted),
                },
            };
            last = Some((write.table(), current));
            match write {
                Write::Put { key, value, .. } => {
                    batch.insert(&current.keyspace, key.as_ref(), value.as_ref());
                    self.room.add(key.len() + value.len());
                }
                Write::Remove { key, .. } => {
                    batch.remove(&current.keyspace, key.as_ref());
                    self.room.add(key.len());
                }
            }
        }
        let whole = self.whole.write().unwrap_or_else(PoisonError::into_inner);
        let outcome = batch.commit();
        then(outcome.is_ok());
        drop(whole);
        outcome
    }

    pub(super) fn sync(&self) -> fjall::Result<()> {
        self.fjall.persist(PersistMode::SyncData)
    }

    /// Moves a table on to an empty keyspace; durable when it returns.
    pub(super) fn clear(&self, table: Table) -> fjall::Result<()> {
        let mut tables = self.tables_mut();
        let Some(old) = tables.get(table.0) else {
            return Ok(());
        };
        if old.keyspace.is_empty()? {
            return Ok(());
        }
        let generation = old.generation + 1;
        let new = self.create(table.0, generation)?;
        let mut batch = self.fjall.batch().durability(Some(PersistMode::SyncData));
        batch.insert(&self.generations, table.0, &generation.to_be_bytes()[..]);
        batch.commit()?;
        let new = Current { keyspace: new, generation };
        match tables.insert(table.0.to_owned(), new) {
            Some(old) => self.fjall.delete_keyspace(old.keyspace),
            None => Ok(()),
        }
    }

    pub(super) fn has_tables(&self, writes: &[Write]) -> bool {
        has_tables(&self.tables(), writes)
    }

    /// Whether the next commit needs no `make_room`.
    pub(super) fn is_roomy(&self) -> bool {
        self.room.is_roomy()
    }

    /// Waits until fjall will not make a commit wait, and keeps the memory in bounds.
    pub(super) fn make_room(&self) -> fjall::Result<()> {
        if self.room.is_roomy() {
            return Ok(());
        }
        self.room.make(&self.options, || {
            self.tables().values().map(|current| current.keyspace.clone()).collect()
        })
    }

    /// What the newest rows take up in memory.
    #[cfg(test)]
    pub(super) fn memtable_bytes(&self) -> u64 {
        use fjall::AbstractTree as _;
        self.tables().values().map(|current| current.keyspace.tree.active_memtable().size()).sum()
    }

    fn tables(&self) -> RwLockReadGuard<'_, HashMap<String, Current>> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn tables_mut(&self) -> RwLockWriteGuard<'_, HashMap<String, Current>> {
        self.tables.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tables, with those of `writes` among them.
    fn with_tables(
        &self,
        writes: &[Write],
    ) -> fjall::Result<RwLockReadGuard<'_, HashMap<String, Current>>> {
        let tables = self.tables();
        if has_tables(&tables, writes) {
            return Ok(tables);
        }
        drop(tables);
        let mut tables = self.tables_mut();
        for table in writes.iter().map(Write::table) {
            if !tables.contains_key(table.0) {
                let generation = read_generation(&self.generations, table.0)?;
                let keyspace = self.create(table.0, generation)?;
                tables.insert(table.0.to_owned(), Current { keyspace, generation });
            }
        }
        // Tables never go away, so none is missing again when the lock is taken for reading.
        drop(tables);
        Ok(self.tables())
    }

    fn create(&self, table: &str, generation: u64) -> fjall::Result<Keyspace> {
        self.fjall.keyspace(&format!("{table}#{generation}"), keyspace_options)
    }
}

fn has_tables(tables: &HashMap<String, Current>, writes: &[Write]) -> bool {
    let mut last: Option<Table> = None;
    writes.iter().all(|write| {
        let table = write.table();
        let known = last == Some(table) || tables.contains_key(table.0);
        last = Some(table);
        known
    })
}

fn keyspace_options() -> KeyspaceCreateOptions {
    let strategy = Leveled::default().with_table_target_size(FILE_BYTES);
    KeyspaceCreateOptions::default()
        // `Room` sees to it.
        .max_memtable_size(u64::MAX)
        .compaction_strategy(Arc::new(strategy))
}

fn parse_name(name: &str) -> Option<(&str, u64)> {
    let (table, generation) = name.rsplit_once('#')?;
    Some((table, generation.parse().ok()?))
}

/// 0 for a table that was never cleared.
fn read_generation(generations: &Keyspace, table: &str) -> fjall::Result<u64> {
    let Some(row) = generations.get(table)? else {
        return Ok(0);
    };
    match <[u8; 8]>::try_from(row.as_ref()) {
        Ok(row) => Ok(u64::from_be_bytes(row)),
        Err(_) => Err(fjall::Error::Unrecoverable),
    }
}
