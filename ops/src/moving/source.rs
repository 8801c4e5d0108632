//! A log that nobody writes to while it is copied.

use crate::cluster::{Heard, listen};
use crate::config::{Backend, Config};
use crate::wire;
use anyhow::{Context, Result, bail};
use ports::Log;
use std::sync::Arc;

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
        match listen(self.log.as_ref()).await?.first() {
            Some(Heard { node, .. }) => {
                bail!("{} at {} runs at the log: stop it first", node.node, node.address)
            }
            None => Ok(()),
        }
    }
}
