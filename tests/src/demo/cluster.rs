//! The nodes of the demo.

use super::Backend;
use crate::harness::{Node, backend};
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Nodes beside the first on Kafka.
const OTHERS: [&str; 2] = ["second", "third"];

/// One node, or three at one log.
pub(super) struct Cluster {
    /// In the order of their folders; what was killed is gone.
    nodes: Vec<(PathBuf, Node)>,
}

impl Cluster {
    pub(super) async fn start(data: &Path, backend: Backend) -> Result<Self> {
        if backend == Backend::Embedded {
            let node = Node::start(data).await?;
            return Ok(Self { nodes: vec![(data.to_owned(), node)] });
        }
        backend::create(data)?;
        let mut nodes = vec![(data.to_owned(), Node::start(data).await?)];
        for name in OTHERS {
            let folder = data.join(name);
            backend::join(&folder, data)?;
            let node = Node::start(&folder).await?;
            nodes.push((folder, node));
        }
        Ok(Self { nodes })
    }

    /// Says where the nodes are.
    pub(super) fn introduce(&self) {
        for (folder, node) in &self.nodes {
            println!("Millrace: http://{} (pid {})", node.address, node.pid().unwrap_or_default());
            println!("log:      {}", folder.join("serve.log").display());
        }
    }

    /// The node that is not killed.
    pub(super) fn first(&self) -> &Node {
        &self.nodes[0].1
    }

    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.nodes.iter().map(|(_, node)| node.address)
    }

    /// Kills the last of several nodes (SIGKILL).
    ///
    /// # Errors
    /// It had ended before.
    pub(super) async fn kill_one(&mut self) -> Result<()> {
        if self.nodes.len() < 2 {
            return Ok(());
        }
        let (_, node) = self.nodes.pop().context("there is no node")?;
        println!("killed:   http://{}", node.address);
        node.kill().await
    }

    pub(super) async fn stop(self) -> Result<()> {
        for (_, node) in self.nodes.into_iter().rev() {
            node.stop().await?;
        }
        Ok(())
    }
}
