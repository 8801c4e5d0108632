//! A disk that fails when it is told to.

use super::{Disk, File, Local};
use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// What goes wrong from now on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// Files do not grow: writes stop where they end.
    Full,
    /// Half of a write arrives.
    ShortWrite,
    /// Everything arrives, but no sync succeeds.
    Sync,
}

#[derive(Clone)]
pub(crate) struct Faulty(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    fault: Fault,
    held: bool,
    waiting: usize,
}

struct Watched {
    file: Arc<dyn File>,
    shared: Arc<Shared>,
}

impl Faulty {
    pub(crate) fn new() -> Self {
        let state = State { fault: Fault::None, held: false, waiting: 0 };
        Self(Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() }))
    }

    pub(crate) fn set(&self, fault: Fault) {
        self.0.state().fault = fault;
    }

    /// Makes every sync wait, until what this returns is dropped.
    pub(crate) fn hold(&self) -> Held {
        self.0.state().held = true;
        Held(self.0.clone())
    }

    /// Blocks until a sync waits.
    pub(crate) fn held(&self) {
        let state = self.0.state();
        drop(self.0.changed.wait_while(state, |state| state.waiting == 0).expect("no poison"));
    }

    fn watch(&self, file: Arc<dyn File>) -> Arc<dyn File> {
        Arc::new(Watched { file, shared: self.0.clone() })
    }
}

/// Syncs wait as long as this lives, and no longer, so that a test that fails also ends.
pub(crate) struct Held(Arc<Shared>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.state().held = false;
        self.0.changed.notify_all();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no poison")
    }
}

impl File for Watched {
    fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        let fault = self.shared.state().fault;
        let end = self.file.bytes()?;
        match fault {
            Fault::Full if position + bytes.len() as u64 > end => {
                let fits = end.saturating_sub(position) as usize;
                self.file.write_at(&bytes[..fits], position)?;
                Err(io::ErrorKind::StorageFull.into())
            }
            Fault::ShortWrite => {
                self.file.write_at(&bytes[..bytes.len() / 2], position)?;
                Err(io::Error::other("short write"))
            }
            Fault::None | Fault::Full | Fault::Sync => self.file.write_at(bytes, position),
        }
    }

    fn read_at(&self, bytes: &mut [u8], position: u64) -> io::Result<()> {
        self.file.read_at(bytes, position)
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.shared.state();
        state.waiting += 1;
        self.shared.changed.notify_all();
        state = self.shared.changed.wait_while(state, |state| state.held).expect("no poison");
        state.waiting -= 1;
        match state.fault {
            Fault::Sync => Err(io::Error::other("sync failed")),
            Fault::None | Fault::Full | Fault::ShortWrite => self.file.sync(),
        }
    }

    fn bytes(&self) -> io::Result<u64> {
        self.file.bytes()
    }
}

impl Disk for Faulty {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(self.watch(Local.create(path)?))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(self.watch(Local.open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Local.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Local.remove(path)
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        Local.names(folder)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        Local.sync_folder(folder)
    }
}
