//! Memory of the newest rows.

use crate::options::Options;
use fjall::{AbstractTree as _, Keyspace};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// After this many bytes of commits one looks at the whole again.
const UNCHECKED_BYTES_MAX: usize = 256 << 10;

/// Memtables of one table on their way to a file. At four fjall sleeps 100 ms at a time in the
/// middle of a commit, and for ever when its worker has died.
const SEALED_MAX: usize = 3;

/// Memtables of all tables on their way to a file.
const SEALED_SUM_MAX: usize = 6;

/// Files of a table that are not merged yet. At 20 fjall slows commits down, at 30 it stops them.
const UNMERGED_MAX: usize = 16;

/// How long a flush or a compaction may take.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// What a row takes up besides its bytes, roughly.
const ROW_OVERHEAD_BYTES: usize = 64;

/// Keeps the memtables in bounds, in the place of fjall: that bounds each by itself only, and asks
/// its worker for it anew with every commit until it is done, which fills the worker's queue. The
/// worker then waits for ever for room to put its own next task.
#[derive(Debug)]
pub(super) struct Room {
    unchecked_bytes: AtomicUsize,
    making: Mutex<()>,
}

impl Room {
    /// The first commit looks at what is there.
    pub(super) fn unchecked() -> Self {
        Self { unchecked_bytes: AtomicUsize::new(UNCHECKED_BYTES_MAX), making: Mutex::default() }
    }

    pub(super) fn add(&self, bytes: usize) {
        self.unchecked_bytes.fetch_add(bytes + ROW_OVERHEAD_BYTES, Ordering::Relaxed);
    }

    pub(super) fn is_roomy(&self) -> bool {
        self.unchecked_bytes.load(Ordering::Relaxed) < UNCHECKED_BYTES_MAX
    }

    /// Waits while too much is on its way to files, then sends what is too large after it.
    ///
    /// # Errors
    /// It takes too long: the worker is most likely dead.
    pub(super) fn make(
        &self,
        options: &Options,
        keyspaces: impl Fn() -> Vec<Keyspace>,
    ) -> fjall::Result<()> {
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_roomy() {
            return Ok(());
        }
        self.unchecked_bytes.store(0, Ordering::Relaxed);
        let since = Instant::now();
        loop {
            let keyspaces = keyspaces();
            if is_calm(&keyspaces) {
                let Some(large) = too_large(&keyspaces, options) else {
                    return Ok(());
                };
                large.rotate_memtable()?;
                continue;
            }
            if since.elapsed() > WAIT_MAX {
                let late = "memtables wait for the worker";
                return Err(io::Error::new(io::ErrorKind::TimedOut, late).into());
            }
            drop(keyspaces);
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn is_calm(keyspaces: &[Keyspace]) -> bool {
    let sealed = keyspaces.iter().map(Keyspace::sealed_memtable_count);
    let (most, sum) = sealed.fold((0, 0), |(most, sum), count| (count.max(most), sum + count));
    let unmerged = keyspaces.iter().map(Keyspace::l0_table_count).max().unwrap_or(0);
    most < SEALED_MAX && sum < SEALED_SUM_MAX && unmerged < UNMERGED_MAX
}

/// The largest memtable, if it or all together are too large.
fn too_large<'a>(keyspaces: &'a [Keyspace], options: &Options) -> Option<&'a Keyspace> {
    let size = |keyspace: &Keyspace| keyspace.tree.active_memtable().size();
    let sum: u64 = keyspaces.iter().map(size).sum();
    let largest = keyspaces.iter().max_by_key(|keyspace| size(keyspace))?;
    let large = sum > options.memtables_bytes_max || size(largest) > options.memtable_bytes_max;
    large.then_some(largest)
}
