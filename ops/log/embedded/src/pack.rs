//! A log as small as it can be, to be kept.

use crate::disk::Local;
use crate::error::OpenError;
use crate::folder::Folder;
use crate::recovery;
use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Arc;

/// Takes away the room that was prepared for more records, of a log that nobody holds. It can be
/// opened and read as before.
///
/// # Errors
/// See [`OpenError`].
pub fn pack(folder: &Path) -> Result<(), OpenError> {
    let folder = Folder::open(Arc::new(Local), folder.to_owned(), 1)?;
    let opened = recovery::open(&folder)?;
    for unused in &opened.unused {
        let path = folder.segment(unused.number);
        folder.disk.remove(&path).map_err(OpenError::io("remove", &path))?;
    }
    if let Some((segment, _, end)) = &opened.active {
        let path = folder.segment(segment.number);
        let cut = OpenOptions::new().write(true).open(&path).and_then(|file| {
            file.set_len(*end)?;
            file.sync_all()
        });
        cut.map_err(OpenError::io("cut", &path))?;
    }
    folder.disk.sync_folder(&folder.path).map_err(OpenError::io("sync", &folder.path))
}
