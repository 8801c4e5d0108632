//! Blobs as files.

#[cfg(test)]
mod tests;

use crate::disk::{create_folder, refused, remove, sync_folder, write_file};
use crate::folder::{Folder, Format};
use crate::offload::offload;
use crate::options::Options;
use async_trait::async_trait;
use bytes::Bytes;
use ports::Error;
use ports::blob::{Blob, BlobId, check_scope};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const FORMAT: Format = Format { kind: "blobs", version: 1 };
/// Where files are written before they get their name, and scopes go before they are removed.
const UNDER_WAY: &str = "under_way";
const SCOPES: &str = "scopes";
/// So often is a put tried anew whose folder is erased at the same time.
const TRY_COUNT_MAX: u32 = 5;

/// Blobs as files in one folder, `scopes/<scope>/<aa>/<bb…>` by their hash. A file gets its name
/// after its bytes are on the disk.
#[derive(Debug)]
pub struct FileBlobs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: Folder,
    bytes_max: usize,
    /// Who writes: others may share the folder, on other machines too.
    writer: u64,
    number: AtomicU64,
}

impl FileBlobs {
    /// Opens the blobs in a folder, making it if need be. Blocks.
    ///
    /// # Errors
    /// `Unavailable`: another process has the folder, or the disk refuses. `Corrupt`: the folder
    /// is from a newer version.
    pub fn open(path: &Path, options: &Options) -> Result<Self, Error> {
        let folder = Folder::open(path, FORMAT)?;
        tidy(&folder)?;
        Ok(Self::of(folder, options))
    }

    /// Opens the blobs in a folder that other nodes share, making it if need be. Blocks.
    ///
    /// # Errors
    /// `Unavailable`: another process has the folder to itself, or the disk refuses. `Corrupt`: the
    /// folder is from a newer version.
    pub fn share(path: &Path, options: &Options) -> Result<Self, Error> {
        Ok(Self::of(Folder::share(path, FORMAT, tidy)?, options))
    }

    /// Reads the blobs of a folder that another process may have; writing is refused.
    ///
    /// # Errors
    /// `Unavailable`: there are none. `Corrupt`: the folder is from a newer version.
    pub fn look(path: &Path, options: &Options) -> Result<Self, Error> {
        Ok(Self::of(Folder::look(path, FORMAT)?, options))
    }

    /// The scopes that hold blobs, in order. Blocks.
    ///
    /// # Errors
    /// `Unavailable`: the disk refuses.
    pub fn scopes(&self) -> Result<Vec<String>, Error> {
        names(&self.0.folder.join(SCOPES))
    }

    /// The blobs of a scope, in order. Blocks.
    ///
    /// # Errors
    /// `Unavailable`: the disk refuses. `Corrupt`: a file has another name than a blob has.
    pub fn ids(&self, scope: &str) -> Result<Vec<BlobId>, Error> {
        check_scope(scope)?;
        let folder = self.0.scope(scope);
        let mut ids = Vec::new();
        for first in names(&folder)? {
            for rest in names(&folder.join(&first))? {
                let name = format!("{first}{rest}");
                let id = BlobId::parse(&name).ok_or_else(|| {
                    Error::Corrupt(format!("{} holds {name}, which is no blob", folder.display()))
                })?;
                ids.push(id);
            }
        }
        Ok(ids)
    }

    fn of(folder: Folder, options: &Options) -> Self {
        let (bytes_max, number) = (options.blob_bytes_max, AtomicU64::new(0));
        Self(Arc::new(Inner { folder, bytes_max, writer: fresh(), number }))
    }
}

/// The names in a folder, in order; none if it is gone.
fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let list = || -> io::Result<Vec<String>> {
        let entries = fs::read_dir(folder)?;
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    };
    match list() {
        Ok(mut names) => {
            names.sort();
            Ok(names)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(refused("listing", folder, &error)),
    }
}

/// A number that no other process has.
fn fresh() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish()
}

/// Removes what a crash left: never acknowledged, or already erased.
fn tidy(folder: &Folder) -> Result<(), Error> {
    let under_way = folder.join(UNDER_WAY);
    remove(&under_way)
        .and_then(|()| create_folder(&under_way))
        .and_then(|()| create_folder(&folder.join(SCOPES)))
        .map_err(|error| refused("making", folder.path(), &error))
}

impl Inner {
    fn check_held(&self) -> Result<(), Error> {
        if self.folder.is_held() {
            return Ok(());
        }
        let shown = self.folder.path().display();
        Err(Error::Unavailable(format!("{shown} is open for reading only")))
    }

    fn scope(&self, scope: &str) -> PathBuf {
        self.folder.join(SCOPES).join(scope)
    }

    fn file(&self, scope: &str, id: BlobId) -> PathBuf {
        let name = id.to_string();
        let (first, rest) = name.split_at(2);
        self.scope(scope).join(first).join(rest)
    }

    fn under_way(&self) -> PathBuf {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        self.folder.join(UNDER_WAY).join(format!("{:016x}-{number}", self.writer))
    }

    fn put(&self, scope: &str, bytes: &[u8]) -> Result<BlobId, Error> {
        self.check_held()?;
        let id = BlobId::of(bytes);
        let file = self.file(scope, id);
        for _ in 0..TRY_COUNT_MAX {
            match self.place(&file, id, bytes) {
                Ok(()) => return Ok(id),
                // The scope was erased between making the folder and naming the file.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(refused("writing", &file, &error)),
            }
        }
        Err(Error::Unavailable(format!("{scope} is being erased again and again")))
    }

    fn place(&self, file: &Path, id: BlobId, bytes: &[u8]) -> io::Result<()> {
        let Some(folder) = file.parent() else {
            return Err(ErrorKind::InvalidInput.into());
        };
        create_folder(folder)?;
        // A damaged file is written anew.
        if fs::read(file).is_ok_and(|stored| BlobId::of(&stored) == id) {
            // Whoever wrote it may not have come as far as this.
            return sync_folder(folder);
        }
        let under_way = self.under_way();
        let placed = write_file(&under_way, bytes)
            .and_then(|()| fs::rename(&under_way, file))
            .and_then(|()| sync_folder(folder));
        if placed.is_err() {
            // Best effort: the next opening removes it for certain.
            let _ = fs::remove_file(&under_way);
        }
        placed
    }

    fn get(&self, scope: &str, id: BlobId) -> Result<Option<Bytes>, Error> {
        let file = self.file(scope, id);
        let bytes = match fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(refused("reading", &file, &error)),
        };
        if BlobId::of(&bytes) != id {
            return Err(Error::Corrupt(format!("{} has other bytes", file.display())));
        }
        Ok(Some(Bytes::from(bytes)))
    }

    fn erase(&self, scope: &str) -> Result<(), Error> {
        self.check_held()?;
        let (path, erased) = (self.scope(scope), self.under_way());
        let failed = |error: io::Error| refused("erasing", &path, &error);
        // One step takes all of it away; removing the files may then take its time.
        match fs::rename(&path, &erased) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        }
        sync_folder(&self.folder.join(SCOPES))
            .and_then(|()| remove_all(&erased))
            .and_then(|()| sync_folder(&self.folder.join(UNDER_WAY)))
            .map_err(failed)
    }
}

/// A put that had opened a folder before it was taken away may still name its file in it.
fn remove_all(erased: &Path) -> io::Result<()> {
    let mut tries = 1;
    loop {
        match remove(erased) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty && tries < TRY_COUNT_MAX => {
                tries += 1;
            }
            removed => return removed,
        }
    }
}

#[async_trait]
impl Blob for FileBlobs {
    async fn put(&self, scope: &str, bytes: Bytes) -> Result<BlobId, Error> {
        check_scope(scope)?;
        if bytes.len() > self.0.bytes_max {
            return Err(Error::Corrupt(format!(
                "a blob of {} bytes is over the {} that are allowed",
                bytes.len(),
                self.0.bytes_max
            )));
        }
        let (inner, scope) = (self.0.clone(), scope.to_owned());
        offload(move || inner.put(&scope, &bytes)).await
    }

    async fn get(&self, scope: &str, id: BlobId) -> Result<Option<Bytes>, Error> {
        check_scope(scope)?;
        let (inner, scope) = (self.0.clone(), scope.to_owned());
        offload(move || inner.get(&scope, id)).await
    }

    async fn erase(&self, scope: &str) -> Result<(), Error> {
        check_scope(scope)?;
        let (inner, scope) = (self.0.clone(), scope.to_owned());
        offload(move || inner.erase(&scope)).await
    }
}
