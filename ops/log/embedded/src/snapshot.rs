//! The log as it is now, beside the process that holds it.

use crate::archive::Archive;
use crate::disk::ReadOnly;
use crate::error::OpenError;
use crate::folder::Folder;
use crate::recovery;
use async_trait::async_trait;
use ports::Error;
use ports::log::{Log, Offset, Partition, Record, Stored};
use std::path::PathBuf;
use std::sync::Arc;
use uuid::Uuid;

/// Segments whose indexes stay in memory.
const INDEXES_MAX: usize = 4;

/// What was durable when it was taken. It writes nothing, and needs no lock: another process may
/// hold the folder and go on.
pub struct Snapshot {
    folder: Arc<Folder>,
    archive: Archive,
    next: Vec<Offset>,
}

impl Snapshot {
    /// Reads which records there are. Blocks.
    ///
    /// # Errors
    /// There is no log in the folder, or it is damaged or newer.
    pub fn take(folder: impl Into<PathBuf>) -> Result<Self, OpenError> {
        let folder = Arc::new(Folder::look(Arc::new(ReadOnly), folder.into())?);
        let found = recovery::look(&folder)?;
        let archive = Archive::new(folder.clone(), INDEXES_MAX, None);
        found.sealed.into_iter().for_each(|summary| archive.add(summary));
        if let Some((segment, index, _)) = found.active {
            archive.activate(Arc::new(segment), index);
        }
        Ok(Self { folder, archive, next: found.next })
    }
}

#[async_trait]
impl Log for Snapshot {
    fn partitions(&self) -> u16 {
        self.folder.layout.partitions()
    }

    fn identity(&self) -> Uuid {
        self.folder.identity
    }

    fn exclusive(&self) -> bool {
        false
    }

    /// Always refused.
    async fn append(&self, _: Vec<(Partition, Record)>) -> Result<Vec<Offset>, Error> {
        Err(Error::Unavailable("the log is open for reading only".into()))
    }

    async fn read(
        &self,
        partition: Partition,
        from: Offset,
        bytes_max: usize,
    ) -> Result<Vec<Stored>, Error> {
        self.archive.read(partition, from, bytes_max)
    }

    /// Nothing ever comes.
    async fn changed(&self, _: Partition, _: Offset) -> Result<(), Error> {
        std::future::pending().await
    }

    async fn end(&self, partition: Partition) -> Result<Offset, Error> {
        let slot = self.folder.layout.slot(partition);
        Ok(slot.and_then(|slot| self.next.get(slot)).copied().unwrap_or(0))
    }
}
