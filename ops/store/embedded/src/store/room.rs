//! Memory of the newest rows.

use crate::options::Options;
use fjall::{AbstractTree as _, Keyspace};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// After this many bytes of commits one looks at the whole again.
const UNCHECKED_BYTES_MAX: usize = 256 << 10;

/// Memtables on their way to a file, over all tables. At four of one table fjall sleeps 100 ms at a
/// time in the middle of a commit, and for ever when its worker has died.
const SEALED_MAX: usize = 3;

/// Files of a table that are not merged yet. At 20 fjall slows commits down, at 30 it stops them.
const UNMERGED_MAX: usize = 16;

/// How long a flush or a compaction may take.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Keeps the sum of all memtables in bounds; fjall bounds only each by itself.
#[derive(Debug, Default)]
pub(super) struct Room {
    unchecked_bytes: AtomicUsize,
}

impl Room {
    pub(super) fn add(&self, bytes: usize) {
        self.unchecked_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn is_roomy(&self) -> bool {
        self.unchecked_bytes.load(Ordering::Relaxed) < UNCHECKED_BYTES_MAX
    }

    /// Sends the largest memtable to a file if all are too large together, and waits while too much
    /// is on its way.
    ///
    /// # Errors
    /// It takes too long: the worker is most likely dead.
    pub(super) fn make(
        &self,
        options: &Options,
        keyspaces: impl Fn() -> Vec<Keyspace>,
    ) -> fjall::Result<()> {
        let since = Instant::now();
        loop {
            let keyspaces = keyspaces();
            let sealed: usize = keyspaces.iter().map(Keyspace::sealed_memtable_count).sum();
            let unmerged = keyspaces.iter().map(Keyspace::l0_table_count).max().unwrap_or(0);
            if sealed < SEALED_MAX && unmerged < UNMERGED_MAX {
                self.unchecked_bytes.store(0, Ordering::Relaxed);
                return shrink(&keyspaces, options);
            }
            if since.elapsed() > WAIT_MAX {
                return Err(fjall::Error::Io(std::io::Error::new(
                    std::io::ErrorKind::TimedOut,
                    format!("{sealed} memtables and {unmerged} files are waiting for the worker"),
                )));
            }
            drop(keyspaces);
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn shrink(keyspaces: &[Keyspace], options: &Options) -> fjall::Result<()> {
    let size = |keyspace: &Keyspace| keyspace.tree.active_memtable().size();
    if keyspaces.iter().map(size).sum::<u64>() <= options.memtables_bytes_max {
        return Ok(());
    }
    match keyspaces.iter().max_by_key(|keyspace| size(keyspace)) {
        Some(largest) => largest.rotate_memtable().map(|_| ()),
        None => Ok(()),
    }
}
