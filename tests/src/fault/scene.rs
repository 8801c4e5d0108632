//! Brokers, nodes at one log on them, and receivers.

use super::callers::Callers;
use super::kafka::{Ground, Kafka};
use crate::harness::{Node, backend, spread};
use crate::load::Stage;
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long new brokers may take until they make topics.
const TOPICS_MAX: Duration = Duration::from_secs(60);
/// How long a node may take until it knows the users.
const KNOWN_MAX: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(500);

/// What a fault strikes.
pub(super) struct Scene {
    pub(super) kafka: Kafka,
    pub(super) stage: Stage,
    seats: Vec<Seat>,
}

/// A node's folder, and its process.
struct Seat {
    data: PathBuf,
    address: SocketAddr,
    node: Option<Node>,
}

impl Scene {
    /// Starts so many nodes on new brokers. With a proxy, the last node has the way through it.
    ///
    /// # Errors
    /// Something does not come up.
    pub(super) async fn start(folder: &Path, ground: Ground, nodes: usize) -> Result<Self> {
        let kafka = Kafka::start(&folder.join("kafka"), ground).await?;
        let data = |n: usize| folder.join(format!("node-{}", n + 1));
        let first = data(0);
        backend::place(&first, &kafka.bootstrap())?;
        make_topics(&first).await?;
        let mut seats = Vec::new();
        for n in 0..nodes {
            if n > 0 {
                backend::join(&data(n), &first)?;
            }
            if let Some(proxy) = &kafka.proxy
                && n + 1 == nodes
            {
                backend::place(&data(n), &format!("127.0.0.1:{}", proxy.port))?;
            }
            let node = Node::start(&data(n)).await?;
            seats.push(Seat { data: data(n), address: node.address, node: Some(node) });
        }
        let node = seats.first().and_then(|seat| seat.node.as_ref()).context("there is no node")?;
        let stage = Stage::prepare(node, &first).await?;
        for seat in &seats {
            timeout(KNOWN_MAX, stage.known_at(seat.address))
                .await
                .context("a node does not hear of the users' accounts")?;
        }
        let doors: Vec<SocketAddr> = seats.iter().map(|seat| seat.address).collect();
        spread(&stage.api.client, &doors).await?;
        Ok(Self { kafka, stage, seats })
    }

    /// Where the nodes are.
    pub(super) fn doors(&self) -> Vec<SocketAddr> {
        self.seats.iter().map(|seat| seat.address).collect()
    }

    /// Where the nodes are, but for the last one: that is the one that is struck.
    pub(super) fn others(&self) -> Vec<SocketAddr> {
        let mut doors = self.doors();
        doors.pop();
        doors
    }

    /// Waits until each of these doors has served everyone; gives how long that took. A step that
    /// is tried again after a mood of its receiver would say nothing of the nodes.
    ///
    /// # Errors
    /// As [`Callers::served`].
    pub(super) async fn served(&self, callers: &Callers, at: &[SocketAddr]) -> Result<Duration> {
        self.stage.calm(true);
        let served = callers.served(at).await;
        self.stage.calm(false);
        served
    }

    /// The folders of the nodes.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        self.seats.iter().map(|seat| seat.data.clone()).collect()
    }

    /// The last node, while it runs.
    pub(super) fn last(&self) -> Result<&Node> {
        self.seats.last().and_then(|seat| seat.node.as_ref()).context("the node is gone")
    }

    /// Takes the last node, to end it.
    pub(super) fn take_last(&mut self) -> Result<Node> {
        self.seats.last_mut().and_then(|seat| seat.node.take()).context("the node is gone")
    }

    /// Starts the last node again, on its folder; gives its number and its new address.
    pub(super) async fn restart_last(&mut self) -> Result<(usize, SocketAddr)> {
        let n = self.seats.len().saturating_sub(1);
        let seat = self.seats.last_mut().context("there is no node")?;
        let node = Node::start(&seat.data).await?;
        seat.address = node.address;
        seat.node = Some(node);
        Ok((n, seat.address))
    }

    /// Stops every node cleanly.
    pub(super) async fn stop_nodes(&mut self) -> Result<()> {
        for seat in &mut self.seats {
            if let Some(node) = seat.node.take() {
                node.stop().await?;
            }
        }
        Ok(())
    }
}

/// Brokers that listen may not know all of each other yet.
async fn make_topics(data: &Path) -> Result<()> {
    let begun = Instant::now();
    loop {
        let asked = data.to_owned();
        match tokio::task::spawn_blocking(move || backend::create(&asked)).await? {
            Ok(_) => return Ok(()),
            Err(error) if begun.elapsed() > TOPICS_MAX => return Err(error),
            Err(_) => tokio::time::sleep(LOOK).await,
        }
    }
}
