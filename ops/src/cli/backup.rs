//! `millrace backup`: a copy of the log and the large payloads, to be kept.

use super::moment::{self, Moment};
use crate::config::{Backend, Config};
use crate::moving::{Backup, Cut, Draft, Making, Manifest, Ring, blobs, carry, records};
use crate::system::SystemClock;
use crate::wire;
use anyhow::{Result, bail};
use clap::Args;
use log_embedded::Snapshot;
use ports::{Clock, Log};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use store_embedded::FileBlobs;

#[derive(Args, Debug)]
pub(super) struct Task {
    /// Make a backup in this folder, which is empty or not there. The node may go on running.
    #[arg(long, value_name = "FOLDER", required_unless_present = "verify")]
    to: Option<PathBuf>,
    /// Only what was decided by this moment: milliseconds since 1970, or 2026-01-31T12:00:00Z.
    #[arg(long, value_name = "MOMENT", value_parser = moment::parse, requires = "to")]
    until: Option<Moment>,
    /// Read every byte of the backup in this folder and compare.
    #[arg(long, value_name = "FOLDER", conflicts_with = "to")]
    verify: Option<PathBuf>,
    /// Where the data keys of that backup are, if they are kept elsewhere.
    #[arg(long, value_name = "FILE", requires = "verify")]
    keys: Option<PathBuf>,
}

impl Task {
    pub(super) async fn run(&self, config: &Config) -> Result<ExitCode> {
        let manifest = match (&self.to, &self.verify) {
            (Some(to), _) => make(config, to, self.until).await?,
            (None, Some(folder)) => {
                let backup = Backup::at(folder, self.keys.as_deref());
                let (manifest, _) = backup.check(&wire::store_options(config)).await?;
                manifest
            }
            (None, None) => bail!("name a folder with --to or --verify"),
        };
        println!("{manifest}");
        if self.to.is_some() {
            println!("The master key is not in it, and nothing opens without: keep it elsewhere.");
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn make(config: &Config, to: &Path, until: Option<Moment>) -> Result<Manifest> {
    let backup = Backup::at(to, None);
    let log = look(config).await?;
    backup.begin()?;
    let now = Cut::now(log.as_ref()).await?;
    let cut = match until {
        Some(moment) => now.until(log.as_ref(), moment.0).await?,
        None => now,
    };
    let draft = Draft::folder(&backup.log(), log.partitions())?;
    let carried = carry(log.as_ref(), &cut, &draft).await?;
    // What the records need was there before them: read after them, it is there.
    let ring = Ring::read(log.as_ref()).await?;
    let options = wire::store_options(config);
    let to = FileBlobs::open(&backup.blobs(), &options)?;
    blobs(&FileBlobs::look(&wire::blobs(config), &options)?, Some(&to)).await?;
    let blobs = blobs(&to, None).await?;
    draft.finish().await?;
    let moments = (moment::shown(SystemClock.now()), until.map(|until| moment::shown(until.0)));
    let log = log.as_ref();
    tracing::info!(records = records(&carried), "the log is in the backup");
    backup.finish(Making { log, carried: &carried, ring: &ring, blobs, moments })
}

/// The log as it is, beside the node that may run on it.
async fn look(config: &Config) -> Result<Arc<dyn Log>> {
    match config.log.backend {
        Backend::Kafka => wire::open_log(config).await,
        Backend::Embedded if config.data.join("log").is_dir() => {
            Ok(Arc::new(Snapshot::take(config.data.join("log"))?))
        }
        Backend::Embedded => bail!("there is no log in {}", config.data.display()),
    }
}
