//! Builds the ports of a node and hands them round.

use crate::config::{Backend, Config};
use crate::system::{SystemClock, SystemEntropy};
use crate::{kafka, keys};
use anyhow::{Context, Result, anyhow, bail};
use log_embedded::EmbeddedLog;
use log_kafka::KafkaLog;
use ports::Level;
use ports::vault::VaultError;
use ports::{Answers, Backlog, Feed, Log, MasterKey, Random, Store, Vault};
use projections::World;
use projections::handover::Handover;
use projections::under_way::UnderWay;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store_embedded::{EmbeddedStore, FileBlobs};

/// The ports of a node, opened.
pub struct Ports {
    /// What every consumer of the log works with.
    pub world: World,
    /// The admin key, as text.
    pub admin_key: String,
}

/// Opens the folder of a node. It must run inside the runtime.
///
/// # Errors
/// The folder belongs to another process or a newer version, or is damaged.
pub async fn open(config: &Config) -> Result<Ports> {
    std::fs::create_dir_all(&config.data)
        .with_context(|| format!("cannot make the folder {}", config.data.display()))?;
    let random: Arc<dyn Random> = Arc::new(SystemEntropy::new());
    let master = keys::master(&config.keys.master_key_file, &config.data, random.as_ref())?;
    let admin_key = keys::admin(&config.keys.admin_key_file, &config.data, random.as_ref())?;
    let log = open_log(config).await?;
    let store = open_store(config, &config.data.join("rows"))?;
    let blobs = open_blobs(config)?;
    let vault = Vault::new(log.clone(), Arc::new(blobs), random.clone(), MasterKey::new(master));
    vault.prove().await.map_err(|error| unopened(config, error))?;
    let feed = Arc::new(Feed::new(log.clone()));
    feed.refresh().await?;
    let level = Level::at(log.schema_max());
    let world = World {
        log,
        store,
        clock: Arc::new(SystemClock),
        random,
        vault: Arc::new(vault),
        feed,
        answers: Answers::default(),
        backlog: Backlog::default(),
        meter: Arc::new(()),
        under_way: UnderWay::default(),
        handover: Handover::default(),
        level,
    };
    Ok(Ports { world, admin_key })
}

/// Why the data keys of the log cannot be had.
fn unopened(config: &Config, error: VaultError) -> anyhow::Error {
    if !matches!(error, VaultError::Forged { .. }) {
        return error.into();
    }
    let path = keys::master_path(&config.keys.master_key_file, &config.data);
    anyhow!("{} is not the log's master key: put the one there that the log has", path.display())
}

/// The log of a folder as it is now, and what opens its payloads. Changes nothing: a node may be
/// running on the folder.
pub struct View {
    /// The log.
    pub log: Arc<dyn Log>,
    /// The vault.
    pub vault: Vault,
}

/// Looks into the folder of a node.
///
/// # Errors
/// There is no log in it, it is damaged or newer, or the master key is not its own.
pub async fn look(config: &Config) -> Result<View> {
    let random: Arc<dyn Random> = Arc::new(SystemEntropy::new());
    let master = keys::existing_master(&config.keys.master_key_file, &config.data)?;
    let log: Arc<dyn Log> = match config.log.backend {
        Backend::Embedded => Arc::new(log_embedded::Snapshot::take(config.data.join("log"))?),
        Backend::Kafka => open_log(config).await?,
    };
    let blobs = FileBlobs::look(&blobs(config), &store_options(config))?;
    let vault = Vault::new(log.clone(), Arc::new(blobs), random, MasterKey::new(master));
    vault.refresh().await.map_err(|error| unopened(config, error))?;
    Ok(View { log, vault })
}

/// Opens the log alone.
///
/// # Errors
/// Another process has the folder, or it is damaged or newer; or Kafka cannot be used.
pub async fn open_log(config: &Config) -> Result<Arc<dyn Log>> {
    Ok(match config.log.backend {
        Backend::Embedded => Arc::new(open_embedded(config)?),
        Backend::Kafka => {
            let options = kafka::options(&config.kafka)?;
            check(&log_kafka::plan(&options, kafka::wanted(config)).await?)?;
            Arc::new(KafkaLog::open(options).await?)
        }
    })
}

/// What may lose what was acknowledged is not opened, unless it is for development.
fn check(plan: &log_kafka::Plan) -> Result<()> {
    if !plan.warnings().is_empty() {
        tracing::warn!("kafka.dev is set: {}", plan.warnings().join("; "));
    }
    match plan.refusals() {
        [] => Ok(()),
        lines => bail!("{}", lines.join("; ")),
    }
}

/// Opens the large payloads, which nodes at a log on Kafka share.
///
/// # Errors
/// Another process has the folder to itself, or the disk refuses.
pub fn open_blobs(config: &Config) -> Result<FileBlobs> {
    let (path, options) = (blobs(config), store_options(config));
    Ok(match config.log.backend {
        Backend::Embedded => FileBlobs::open(&path, &options)?,
        Backend::Kafka => FileBlobs::share(&path, &options)?,
    })
}

/// Where large payloads are.
pub fn blobs(config: &Config) -> PathBuf {
    match config.blobs.folder.as_str() {
        "" => config.data.join("blobs"),
        folder => PathBuf::from(folder),
    }
}

fn open_embedded(config: &Config) -> Result<EmbeddedLog> {
    let mut options = log_embedded::Options::new(config.data.join("log"), config.log.partitions);
    options.segment_bytes = config.log.segment_bytes;
    options.together = config.log.together;
    Ok(EmbeddedLog::open(options)?)
}

/// Opens the rows below a folder; rows that do not open are dropped, and rebuilt from the log.
///
/// # Errors
/// Another process has the folder, or a newer version wrote it.
pub fn open_store(config: &Config, path: &Path) -> Result<Arc<dyn Store>> {
    let (store, reset) = EmbeddedStore::open_or_reset(path, store_options(config))?;
    if reset != store_embedded::WasReset::No {
        tracing::warn!(path = %path.display(), "the rows did not open; they are rebuilt");
    }
    Ok(Arc::new(store))
}

/// How rows and large payloads are opened.
pub fn store_options(config: &Config) -> store_embedded::Options {
    store_embedded::Options {
        cache_bytes_max: config.store.cache_bytes,
        ..store_embedded::Options::default()
    }
}
