//! `millrace restore`: a backup made a log again.

use super::moment::{self, Moment};
use crate::config::{Backend, Config};
use crate::moving::{Backup, Cut, Draft, blobs, carry, records};
use crate::{keys, wire};
use anyhow::{Result, bail};
use clap::Args;
use log_embedded::Snapshot;
use ports::MasterKey;
use std::path::PathBuf;
use std::process::ExitCode;
use store_embedded::FileBlobs;

#[derive(Args, Debug)]
pub(super) struct Restore {
    /// The backup.
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
    /// Where its data keys are, if they are kept elsewhere.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Only what was decided by this moment: milliseconds since 1970, or 2026-01-31T12:00:00Z.
    #[arg(long, value_name = "MOMENT", value_parser = moment::parse)]
    until: Option<Moment>,
    /// Check the backup, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Restore {
    pub(super) async fn run(&self, config: &Config) -> Result<ExitCode> {
        let backup = Backup::at(&self.from, self.keys.as_deref());
        let options = wire::store_options(config);
        let (manifest, ring) = backup.check(&options).await?;
        let (named, data) = (&config.keys.master_key_file, &config.data);
        let master = keys::master_path(named, data);
        let has_master = master.exists();
        if has_master {
            ring.check(MasterKey::new(keys::existing_master(named, data)?))?;
        }
        let log = Snapshot::take(backup.log())?;
        let all = Cut::all(&log).await?;
        let cut = match self.until {
            Some(moment) => all.until(&log, moment.0).await?,
            None => all,
        };
        if self.dry_run {
            println!("{manifest}");
            return Ok(ExitCode::SUCCESS);
        }
        if data.join("rows").exists() {
            bail!("{} holds rows of another log: restore into an empty folder", data.display());
        }
        let draft = match config.log.backend {
            Backend::Embedded => Draft::folder(&data.join("log"), manifest.partitions)?,
            Backend::Kafka => Draft::kafka(config, manifest.partitions).await?,
        };
        ring.carry(&draft).await?;
        let carried = carry(&log, &cut, &draft).await?;
        let from = FileBlobs::look(&backup.blobs(), &options)?;
        blobs(&from, Some(&wire::open_blobs(config)?)).await?;
        let place = draft.place();
        let id = draft.finish().await?;
        println!(
            "restored {} records, {} data keys and {} large payloads",
            records(&carried),
            ring.len(),
            manifest.blobs.count
        );
        println!("log {id} is in {place}");
        if !has_master {
            println!("put the master key into {} before a node starts", master.display());
        }
        Ok(ExitCode::SUCCESS)
    }
}
