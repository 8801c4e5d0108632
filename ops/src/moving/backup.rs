//! A log in a folder, to be kept: `log/` as `ops/docs/log-format.md` says, `keys.jsonl`, `blobs/`,
//! and `manifest.json`, without which it is none.

use super::carry::Carried;
use super::manifest::{Blobs, FORMAT, Held, Manifest, Written};
use super::ring::Ring;
use anyhow::{Context, Result, bail};
use aws_lc_rs::digest::{Context as Hash, SHA256};
use ports::{Blob, Log};
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use store_embedded::{FileBlobs, Options};

const MANIFEST: &str = "manifest.json";
const KEYS: &str = "keys.jsonl";

/// A folder that holds a backup, or will.
pub(crate) struct Backup {
    folder: PathBuf,
    /// Where the data keys are.
    keys: PathBuf,
}

/// What is said of a backup when it is finished.
pub(crate) struct Making<'a> {
    /// The log that it was made of.
    pub(crate) log: &'a dyn Log,
    /// What was brought over.
    pub(crate) carried: &'a [Carried],
    /// The data keys.
    pub(crate) ring: &'a Ring,
    /// Large payloads.
    pub(crate) blobs: Blobs,
    /// When it is made, and up to when it reaches, in RFC 3339.
    pub(crate) moments: (String, Option<String>),
}

impl Backup {
    /// The backup in a folder; its keys may be in a file elsewhere.
    pub(crate) fn at(folder: &Path, keys: Option<&Path>) -> Self {
        let keys = keys.map_or_else(|| folder.join(KEYS), Path::to_owned);
        Self { folder: folder.to_owned(), keys }
    }

    /// Where its log is.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Where its large payloads are.
    pub(crate) fn blobs(&self) -> PathBuf {
        self.folder.join("blobs")
    }

    /// Makes the folder of a new backup, or finds one that was broken off.
    ///
    /// # Errors
    /// There is something else in it.
    pub(crate) fn begin(&self) -> Result<()> {
        let shown = self.folder.display();
        std::fs::create_dir_all(&self.folder).with_context(|| format!("cannot make {shown}"))?;
        for entry in std::fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            if !["log.part", "blobs"].iter().any(|known| name == *known) {
                bail!("{shown} holds {} already: choose an empty folder", name.display());
            }
        }
        Ok(())
    }

    /// Writes the data keys and what the backup holds; it is one from now on. Its log is in its
    /// place.
    ///
    /// # Errors
    /// The disk refuses.
    pub(crate) fn finish(&self, making: Making<'_>) -> Result<Manifest> {
        put(&self.keys, &making.ring.to_text()?)?;
        let mut files = Vec::new();
        for name in names(&self.log())? {
            files.push(Written::of(&self.folder, &format!("log/{name}"))?);
        }
        let held = making.carried.iter().map(|one| Held {
            partition: one.partition.to_string(),
            end: one.end,
            records: one.sum.records,
            sha256: one.sum.sha256.clone(),
        });
        let (made_at, until) = making.moments;
        let manifest = Manifest {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            made_at,
            until,
            log: making.log.identity().to_string(),
            partitions: making.log.partitions(),
            held: held.collect(),
            files,
            keys: Written::of(&self.folder, KEYS)?,
            keys_count: making.ring.len() as u64,
            blobs: making.blobs,
        };
        let text = serde_json::to_string_pretty(&manifest)?;
        put(&self.folder.join(MANIFEST), &(text + "\n"))?;
        Ok(manifest)
    }

    /// Reads every byte of it, and compares.
    ///
    /// # Errors
    /// There is no whole backup in the folder, or a file is damaged; it is named.
    pub(crate) async fn check(&self, options: &Options) -> Result<(Manifest, Ring)> {
        let manifest = Manifest::read(&self.folder.join(MANIFEST))?;
        manifest.keys.check(&self.keys).context("the data keys")?;
        for file in &manifest.files {
            file.check(&self.folder.join(&file.name))?;
        }
        for name in names(&self.log())? {
            let name = format!("log/{name}");
            if !manifest.files.iter().any(|file| file.name == name) {
                bail!("{} does not belong to the backup", self.folder.join(name).display());
            }
        }
        let found = blobs(&FileBlobs::look(&self.blobs(), options)?, None).await?;
        if found != manifest.blobs {
            bail!(
                "{} is damaged: it holds {} large payloads, or others than the {} of the manifest",
                self.blobs().display(),
                found.count,
                manifest.blobs.count
            );
        }
        let text = std::fs::read_to_string(&self.keys)?;
        let ring = Ring::parse(&text).with_context(|| format!("in {}", self.keys.display()))?;
        Ok((manifest, ring))
    }
}

/// The files of a log, but for the one that says who holds it, which changes with every look.
fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in
        std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?
    {
        let name = entry?.file_name().to_string_lossy().into_owned();
        // An index is made anew where it is missing.
        if name != "LOCK" && !name.ends_with(".idx") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Writes a file that only its owner can read, whole or not at all.
fn put(path: &Path, text: &str) -> Result<()> {
    let part = path.with_added_extension("part");
    let written = || -> std::io::Result<()> {
        let mut options = File::options();
        let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(&part)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&part, path)?;
        path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
    };
    written().with_context(|| format!("cannot write {}", path.display()))
}

/// Brings large payloads from one folder to another, or only reads them; checks each by its name.
///
/// # Errors
/// One cannot be read or written, or is damaged.
pub(crate) async fn blobs(from: &FileBlobs, to: Option<&FileBlobs>) -> Result<Blobs> {
    let (mut count, mut bytes, mut hash) = (0, 0, Hash::new(&SHA256));
    for scope in from.scopes()? {
        for id in from.ids(&scope)? {
            // It may have been erased since.
            let Some(blob) = from.get(&scope, id).await? else { continue };
            hash.update(scope.as_bytes());
            hash.update(&id.0);
            count += 1;
            bytes += blob.len() as u64;
            if let Some(to) = to {
                to.put(&scope, blob).await?;
            }
        }
    }
    Ok(Blobs { count, bytes, sha256: hex::encode(hash.finish().as_ref()) })
}
