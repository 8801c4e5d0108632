//! Why a log does not open.

use std::io;
use std::path::{Path, PathBuf};

/// Why a log does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{folder} is in use by process {pid}")]
    Held {
        /// The folder.
        folder: PathBuf,
        /// The process that holds it, as far as it has said so.
        pid: String,
    },
    /// A later version of this program wrote it.
    #[error(
        "{folder} has format {found}, this program knows formats up to {known}: use a newer one"
    )]
    Newer {
        /// The folder.
        folder: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// What is stored contradicts itself: opening it would silently lose records.
    #[error("{file} is damaged at byte {position}: {why}")]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// Where in it, in bytes.
        position: u64,
        /// What is wrong.
        why: String,
    },
    /// An option cannot be used.
    #[error("option {0}")]
    Option(&'static str),
    /// Opened outside of a tokio runtime.
    #[error("the log needs a tokio runtime")]
    Runtime,
    /// The disk refuses.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The answer.
        source: io::Error,
    },
}

impl OpenError {
    /// For `map_err`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    pub(crate) fn corrupt(file: &Path, position: u64, why: impl Into<String>) -> Self {
        Self::Corrupt { file: file.to_owned(), position, why: why.into() }
    }
}
