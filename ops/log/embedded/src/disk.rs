//! The operations on files that the log needs: what a test replaces to make a disk fail.

#[cfg(test)]
pub(crate) mod faulty;

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// An open file. Positions and lengths in bytes.
pub(crate) trait File: Send + Sync {
    fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()>;
    fn read_at(&self, bytes: &mut [u8], position: u64) -> io::Result<()>;
    /// Makes the content durable, and the length with it.
    fn sync(&self) -> io::Result<()>;
    fn bytes(&self) -> io::Result<u64>;
}

/// A file system.
pub(crate) trait Disk: Send + Sync {
    /// Creates an empty file, in place of one of that name.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    fn names(&self, folder: &Path) -> io::Result<Vec<String>>;
    /// Makes names durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// The disk of this machine.
pub(crate) struct Local;

/// The disk of this machine, for reading only.
pub(crate) struct ReadOnly;

impl File for fs::File {
    fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        FileExt::write_all_at(self, bytes, position)
    }

    fn read_at(&self, bytes: &mut [u8], position: u64) -> io::Result<()> {
        FileExt::read_exact_at(self, bytes, position)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn bytes(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

impl Disk for Local {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut options = OpenOptions::new();
        Ok(Arc::new(options.read(true).write(true).create(true).truncate(true).open(path)?))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(OpenOptions::new().read(true).write(true).open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().into_string().ok());
        fs::read_dir(folder)?.filter_map(|entry| name(entry).transpose()).collect()
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        fs::File::open(folder)?.sync_all()
    }
}

impl Disk for ReadOnly {
    fn create(&self, _: &Path) -> io::Result<Arc<dyn File>> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(fs::File::open(path)?))
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        Local.names(folder)
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}
