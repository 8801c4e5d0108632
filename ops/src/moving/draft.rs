//! A log that is being filled, and is none before it is whole.

use crate::config::Config;
use crate::kafka;
use crate::registry::Registration;
use crate::system::SystemClock;
use anyhow::{Context, Result, bail};
use log_embedded::{EmbeddedLog, Snapshot};
use ports::{Clock, Log, Offset, Partition};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;

/// Size of a segment file in a backup, in bytes.
const SEGMENT_BYTES: u64 = 64 << 20;

/// A log that is being filled.
pub(crate) enum Draft {
    /// In a folder, under another name.
    Folder { log: EmbeddedLog, part: PathBuf, path: PathBuf },
    /// In topics that nothing says are a log.
    Kafka(Box<log_kafka::Draft>),
}

impl fmt::Display for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder { part, .. } => part.display().fmt(f),
            Self::Kafka(draft) => draft.fmt(f),
        }
    }
}

impl Draft {
    /// A log in a folder that is not there yet, or goes on being filled. Blocks.
    ///
    /// # Errors
    /// There is a log, another process fills it, or the disk refuses.
    pub(crate) fn folder(path: &Path, partitions: u16) -> Result<Self> {
        if path.exists() {
            bail!("there is a log in {} already: choose another folder", path.display());
        }
        let part = path.with_added_extension("part");
        let mut options = log_embedded::Options::new(&part, partitions);
        options.segment_bytes = SEGMENT_BYTES;
        options.together = false;
        let log = EmbeddedLog::open(options)?;
        if log.partitions() != partitions {
            bail!(
                "{} was begun with {} partitions, this log has {partitions}: remove it",
                part.display(),
                log.partitions()
            );
        }
        Ok(Self::Folder { log, part, path: path.to_owned() })
    }

    /// A log in topics that are not there yet, or go on being filled.
    ///
    /// # Errors
    /// There is a log, a topic is not as it must be, or Kafka cannot be used.
    pub(crate) async fn kafka(config: &Config, partitions: u16) -> Result<Self> {
        let options = kafka::options(&config.kafka)?;
        let wanted = log_kafka::Wanted { partitions, ..kafka::wanted(config) };
        let registered = match Registration::plan(&config.kafka, None).await? {
            Some(registration) => Some(registration.carry_out().await?),
            None => None,
        };
        let draft = log_kafka::Draft::open(&options, wanted, registered).await?;
        for line in draft.warnings() {
            tracing::warn!("kafka.dev is set: {line}");
        }
        Ok(Self::Kafka(Box::new(draft)))
    }

    /// Where it will be, for people.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Folder { path, .. } => path.display().to_string(),
            Self::Kafka(draft) => draft.to_string(),
        }
    }

    /// Where records are appended.
    pub(crate) fn log(&self) -> &dyn Log {
        match self {
            Self::Folder { log, .. } => log,
            Self::Kafka(draft) => draft.log(),
        }
    }

    /// What is there now, read from where it lies and not from this process's memory.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn look(&self) -> Result<Arc<dyn Log>> {
        Ok(match self {
            Self::Folder { part, .. } => Arc::new(Snapshot::take(part)?),
            Self::Kafka(draft) => Arc::new(draft.look()?),
        })
    }

    /// The next record of a partition without any gets this offset.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) async fn begin(&self, partition: Partition, first: Offset) -> Result<()> {
        match self {
            Self::Folder { log, .. } => log.begin(partition, first).await?,
            Self::Kafka(draft) => draft.begin(partition, first).await?,
        }
        Ok(())
    }

    /// It is a log from now on.
    ///
    /// # Errors
    /// It cannot be said; try again.
    pub(crate) async fn finish(self) -> Result<Uuid> {
        match self {
            Self::Folder { log, part, path } => {
                let identity = log.identity();
                // Its last files are written when it is let go of.
                drop(log);
                log_embedded::pack(&part)?;
                std::fs::rename(&part, &path)
                    .and_then(|()| sync_parent(&path))
                    .with_context(|| format!("cannot name {}", path.display()))?;
                Ok(identity)
            }
            Self::Kafka(draft) => Ok(draft.finish(SystemClock.now()).await?),
        }
    }
}

fn sync_parent(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(parent) => std::fs::File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}
