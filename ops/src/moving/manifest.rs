//! What a backup holds: the file `manifest.json`, written last.

use anyhow::{Context, Result, bail};
use aws_lc_rs::digest::{Context as Hash, SHA256};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The format that this build writes, and the newest that it reads.
pub(super) const FORMAT: u32 = 1;
/// Bytes read in one go.
const PIECE_BYTES: usize = 1 << 20;

/// What a backup holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// The version of this layout.
    pub(crate) format: u32,
    /// The build that wrote it.
    pub(crate) version: String,
    /// When it was made, in RFC 3339.
    pub(crate) made_at: String,
    /// The moment that it was asked to end at, if any, in RFC 3339.
    pub(crate) until: Option<String>,
    /// The identity of the log that it was made of.
    pub(crate) log: String,
    /// Partitions of commands and of events.
    pub(crate) partitions: u16,
    /// What each partition holds.
    pub(crate) held: Vec<Held>,
    /// The files of the log.
    pub(crate) files: Vec<Written>,
    /// The file of the data keys, which may be kept elsewhere.
    pub(crate) keys: Written,
    /// How many data keys there are.
    pub(crate) keys_count: u64,
    /// Large payloads.
    pub(crate) blobs: Blobs,
}

/// What a partition holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Held {
    /// Its name: `events/3`.
    pub(crate) partition: String,
    /// The offset behind its last record.
    pub(crate) end: i64,
    /// How many records.
    pub(crate) records: u64,
    /// SHA-256 of all of them with their offsets; hex.
    pub(crate) sha256: String,
}

/// A file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Written {
    /// Its name, below the folder.
    pub(crate) name: String,
    /// Its size.
    pub(crate) bytes: u64,
    /// SHA-256 of its content; hex.
    pub(crate) sha256: String,
}

/// Large payloads, each in a file that is named by the SHA-256 of its content.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Blobs {
    /// How many.
    pub(crate) count: u64,
    /// What all of them take.
    pub(crate) bytes: u64,
    /// SHA-256 of their names, in order; hex.
    pub(crate) sha256: String,
}

impl fmt::Display for Manifest {
    /// One line, for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let records: u64 = self.held.iter().map(|held| held.records).sum();
        let bytes: u64 = self.files.iter().map(|file| file.bytes).sum();
        write!(
            f,
            "a whole backup of log {}, made at {}: {records} records ({bytes} bytes), {} data keys, \
             {} large payloads ({} bytes)",
            self.log, self.made_at, self.keys_count, self.blobs.count, self.blobs.bytes
        )?;
        self.until.as_ref().map_or(Ok(()), |until| write!(f, "; up to {until}"))
    }
}

impl Manifest {
    /// Reads the manifest of a folder.
    ///
    /// # Errors
    /// There is none, it is damaged, or newer than this build.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("there is no whole backup here: cannot read {shown}"))?;
        let damaged = || format!("{shown} is damaged");
        let value: serde_json::Value = serde_json::from_str(&text).with_context(damaged)?;
        let format = value["format"].as_u64().with_context(damaged)?;
        if format > u64::from(FORMAT) {
            bail!("{shown} has format {format}, this build reads {FORMAT}: use a newer one");
        }
        serde_json::from_value(value).with_context(damaged)
    }
}

impl Written {
    /// Looks at a file below a folder.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn of(folder: &Path, name: &str) -> Result<Self> {
        let path = folder.join(name);
        let (bytes, sha256) =
            sum(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self { name: name.to_owned(), bytes, sha256 })
    }

    /// Checks that a file is what it was.
    ///
    /// # Errors
    /// It is not, or cannot be read; the file is named.
    pub(super) fn check(&self, path: &Path) -> Result<()> {
        let shown = path.display();
        let (bytes, sha256) = sum(path).with_context(|| format!("cannot read {shown}"))?;
        if bytes != self.bytes {
            bail!("{shown} is damaged: it has {bytes} bytes, not {}", self.bytes);
        }
        if sha256 != self.sha256 {
            bail!("{shown} is damaged: its SHA-256 is not that of the manifest");
        }
        Ok(())
    }
}

fn sum(path: &Path) -> std::io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let (mut hash, mut bytes) = (Hash::new(&SHA256), 0);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok((bytes, hex::encode(hash.finish().as_ref())));
        }
        hash.update(&piece[..read]);
        bytes += read as u64;
    }
}
