//! A folder that one process has to itself.

#[cfg(test)]
mod tests;

use crate::disk::{create_folder, refused, sync_folder, write_file};
use ports::Error;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long and how often one who shares a folder waits for one who tidies it up.
const SHARE_PAUSE: Duration = Duration::from_millis(20);
const SHARE_TRIES_MAX: u32 = 100;

/// What a folder holds, and the newest version of it that this code reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Format {
    /// What it is, one word.
    pub(crate) kind: &'static str,
    /// Rises when older code can no longer read it.
    pub(crate) version: u32,
}

/// An open folder. The lock lasts as long as this does, and no longer than the process; without one
/// the folder is only looked into.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    lock: Option<File>,
}

impl Folder {
    /// Takes the folder, making it if need be.
    ///
    /// # Errors
    /// `Unavailable`: another process has it, or the disk refuses. `Corrupt`: it holds something
    /// else, or is from a newer version.
    pub(crate) fn open(path: &Path, format: Format) -> Result<Self, Error> {
        create_folder(path).map_err(|error| refused("making", path, &error))?;
        let lock = lock(path)?;
        let folder = Self { path: path.to_owned(), lock: Some(lock) };
        folder.check(format)?;
        Ok(folder)
    }

    /// Takes the folder together with others who share it, making it if need be. Who comes when no
    /// one else is there tidies it up first.
    ///
    /// # Errors
    /// `Unavailable`: another process has it to itself, or the disk refuses. `Corrupt`: as
    /// [`Folder::open`].
    pub(crate) fn share(
        path: &Path,
        format: Format,
        tidy: impl FnOnce(&Self) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        create_folder(path).map_err(|error| refused("making", path, &error))?;
        match Self::open(path, format) {
            Ok(folder) => {
                tidy(&folder)?;
                if let Some(file) = &folder.lock {
                    let failed = |error: io::Error| refused("sharing", path, &error);
                    file.set_len(0).and_then(|()| file.lock_shared()).map_err(failed)?;
                }
                Ok(folder)
            }
            Err(Error::Unavailable(_)) => {
                let folder = Self { path: path.to_owned(), lock: Some(lock_with_others(path)?) };
                folder.check(format)?;
                Ok(folder)
            }
            Err(error) => Err(error),
        }
    }

    /// Looks into a folder that another process may have.
    ///
    /// # Errors
    /// As [`Folder::open`].
    pub(crate) fn look(path: &Path, format: Format) -> Result<Self, Error> {
        let folder = Self { path: path.to_owned(), lock: None };
        folder.check(format)?;
        Ok(folder)
    }

    /// Whether this process may change what is in it.
    pub(crate) fn is_held(&self) -> bool {
        self.lock.is_some()
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn check(&self, format: Format) -> Result<(), Error> {
        let path = self.join("FORMAT");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.is_held() => {
                return self.stamp(format);
            }
            Err(error) => return Err(refused("reading", &path, &error)),
        };
        let shown = self.path.display();
        let mut words = text.split_whitespace();
        let (kind, version) = (words.next(), words.next().map(str::parse::<u32>));
        match (kind, version) {
            (Some(kind), Some(Ok(version))) if kind == format.kind => {
                if version > format.version {
                    return Err(Error::Corrupt(format!(
                        "{shown} is in format {version}, written by a newer version; \
                         this one reads formats up to {}",
                        format.version
                    )));
                }
                Ok(())
            }
            (Some(kind), Some(Ok(_))) => {
                Err(Error::Corrupt(format!("{shown} holds {kind}, not {}", format.kind)))
            }
            (None | Some(_), None | Some(_)) => {
                Err(Error::Corrupt(format!("{} names no format: {text:?}", path.display())))
            }
        }
    }

    fn stamp(&self, format: Format) -> Result<(), Error> {
        let new = self.join("FORMAT.new");
        write_file(&new, format!("{} {}\n", format.kind, format.version).as_bytes())
            .and_then(|()| fs::rename(&new, self.join("FORMAT")))
            .and_then(|()| sync_folder(&self.path))
            .map_err(|error| refused("writing", &new, &error))
    }
}

fn lock(folder: &Path) -> Result<File, Error> {
    let path = folder.join("LOCK");
    let failed = |error: io::Error| refused("locking", &path, &error);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(taken(folder, &mut file)),
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    file.set_len(0)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .and_then(|_| writeln!(file, "{}", std::process::id()))
        .map_err(failed)?;
    Ok(file)
}

/// Waits for who is tidying up.
fn lock_with_others(folder: &Path) -> Result<File, Error> {
    let path = folder.join("LOCK");
    let failed = |error: io::Error| refused("locking", &path, &error);
    let mut file = OpenOptions::new().read(true).write(true).open(&path).map_err(failed)?;
    for _ in 0..SHARE_TRIES_MAX {
        match file.try_lock_shared() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(SHARE_PAUSE),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
    Err(taken(folder, &mut file))
}

fn taken(folder: &Path, file: &mut File) -> Error {
    let mut owner = String::new();
    let owner = match file.read_to_string(&mut owner) {
        Ok(_) if !owner.trim().is_empty() => owner.trim().to_owned(),
        Ok(_) | Err(_) => "unknown".to_owned(),
    };
    Error::Unavailable(format!("{} is in use by process {owner}", folder.display()))
}
