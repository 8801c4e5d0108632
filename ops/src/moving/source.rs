//! A log that nobody writes to while it is copied.

use crate::config::{Backend, Config};
use crate::wire;
use anyhow::{Context, Result, bail};
use domain::cluster::Notice;
use domain::codec;
use ports::{Log, Partition};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A node says that it is there several times in this time.
const LISTEN: Duration = Duration::from_millis(1_500);
const READ_BYTES_MAX: usize = 256 * 1024;

/// A log to be copied.
pub(crate) struct Source {
    pub(crate) log: Arc<dyn Log>,
}

/// Opens a log to copy it.
///
/// # Errors
/// There is none, or a node runs at it; the node is named.
pub(crate) async fn source(config: &Config, backend: Backend) -> Result<Source> {
    let mut config = config.clone();
    config.log.backend = backend;
    if backend == Backend::Embedded && !config.data.join("log").is_dir() {
        bail!("there is no log in {}", config.data.display());
    }
    let log = wire::open_log(&config).await.context("a log is copied while no node runs at it")?;
    let source = Source { log };
    source.check_quiet().await?;
    Ok(source)
}

impl Source {
    /// Listens for nodes at a log that several may share.
    ///
    /// # Errors
    /// One is there.
    pub(crate) async fn check_quiet(&self) -> Result<()> {
        if self.log.exclusive() {
            return Ok(());
        }
        let from = self.log.end(Partition::CLUSTER).await?;
        tokio::time::sleep(LISTEN).await;
        let mut nodes = BTreeMap::new();
        for stored in self.log.read(Partition::CLUSTER, from, READ_BYTES_MAX).await? {
            match codec::decode::<Notice>(&stored.record.value).map(|notice| notice.body) {
                Ok(Notice::NodeSeen(seen)) => nodes.insert(seen.node, seen.address),
                Ok(Notice::NodeLeft(left)) => nodes.remove(&left.node),
                Ok(Notice::LogCreated(_)) | Err(_) => None,
            };
        }
        match nodes.first_key_value() {
            Some((node, address)) => bail!("{node} at {address} runs at the log: stop it first"),
            None => Ok(()),
        }
    }
}
