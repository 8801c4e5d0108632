//! Builds the ports of a node and hands them round.

use crate::config::Config;
use crate::keys;
use crate::system::{SystemClock, SystemEntropy};
use anyhow::{Context, Result};
use log_embedded::EmbeddedLog;
use ports::{Answers, Backlog, Feed, Log, MasterKey, Random, Store, Vault};
use projections::World;
use std::path::Path;
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
    let log: Arc<dyn Log> = Arc::new(open_log(config)?);
    let store = open_store(config, &config.data.join("rows"))?;
    let blobs = FileBlobs::open(&config.data.join("blobs"), &store_options(config))?;
    let vault = Vault::new(log.clone(), Arc::new(blobs), random.clone(), MasterKey::new(master));
    vault.refresh().await.context("the master key does not fit this folder")?;
    let feed = Arc::new(Feed::new(log.clone()));
    feed.refresh().await?;
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
    };
    Ok(Ports { world, admin_key })
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
    let log: Arc<dyn Log> = Arc::new(log_embedded::Snapshot::take(config.data.join("log"))?);
    let blobs = FileBlobs::look(&config.data.join("blobs"), &store_options(config))?;
    let vault = Vault::new(log.clone(), Arc::new(blobs), random, MasterKey::new(master));
    vault.refresh().await.context("the master key does not fit this folder")?;
    Ok(View { log, vault })
}

/// Opens the log of a folder alone.
///
/// # Errors
/// Another process has the folder, or it is damaged or newer.
pub fn open_log(config: &Config) -> Result<EmbeddedLog> {
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

fn store_options(config: &Config) -> store_embedded::Options {
    store_embedded::Options {
        cache_bytes_max: config.store.cache_bytes,
        ..store_embedded::Options::default()
    }
}
