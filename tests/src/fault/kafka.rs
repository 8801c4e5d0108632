//! Brokers of its own, so that it may kill them.

use super::proxy::Proxy;
use super::room::Room;
use crate::harness::tools;
use anyhow::{Context, Result, bail};
use brokers::{Broker, Cluster, Listener, Ports, Protocol};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::process::Child;

/// Pause between two looks at a broker.
const LOOK: Duration = Duration::from_millis(50);
/// How long a broker may take to come up, or to end.
const PATIENCE: Duration = Duration::from_secs(90);
/// Something else may have taken its port while it was away.
const STARTS_MAX: u32 = 3;
/// Room for what a run writes, and little more.
const DISK_BYTES: u64 = 128 << 20;

/// What stands between nodes and brokers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ground {
    /// So many brokers, nothing else.
    Brokers(u16),
    /// One broker, and a way to it that can be cut.
    Proxied,
    /// One broker, on a disk that can be filled.
    SmallDisk,
}

/// The brokers, each a process or gone.
pub(super) struct Kafka {
    cluster: Cluster,
    running: Vec<Option<Child>>,
    /// The disk of the first one, if it is its own.
    room: Option<Room>,
    /// A second way to the first one.
    pub(super) proxy: Option<Proxy>,
}

impl Kafka {
    /// Starts brokers on new folders.
    ///
    /// # Errors
    /// The jars are not there, or a broker does not come up.
    pub(super) async fn start(folder: &Path, ground: Ground) -> Result<Self> {
        let jars = tools().join("kafka/jars");
        if !jars.is_dir() {
            bail!("there is no Kafka to start: `cargo x fault` installs it");
        }
        let (cluster, proxy) = lay_out(folder, &jars, ground).await?;
        let running = cluster.brokers.iter().map(|_| None).collect();
        let mut kafka = Self { cluster, running, room: None, proxy };
        if ground == Ground::SmallDisk {
            kafka.room = Some(Room::make(&kafka.broker(0)?.log(), DISK_BYTES).await?);
        }
        for broker in &kafka.cluster.brokers {
            broker.write()?;
            let said = tokio::process::Command::from(kafka.inside(broker.formatting())?)
                .output()
                .await
                .context("Kafka needs java 17 or later")?;
            if !said.status.success() {
                bail!("a broker is not formatted: {}", String::from_utf8_lossy(&said.stderr));
            }
        }
        for n in 0..kafka.running.len() {
            kafka.spawn(n)?;
        }
        for n in 0..kafka.running.len() {
            kafka.up(n).await?;
        }
        Ok(kafka)
    }

    /// Where nodes ask first.
    pub(super) fn bootstrap(&self) -> String {
        self.cluster.bootstrap()
    }

    /// The way that can be cut.
    pub(super) fn proxy(&self) -> Result<&Proxy> {
        self.proxy.as_ref().context("there is no proxy")
    }

    /// The disk that can be filled.
    pub(super) fn room(&self) -> Result<&Room> {
        self.room.as_ref().context("there is no disk of its own")
    }

    /// Starts a broker that is gone, with what it has on disk.
    ///
    /// # Errors
    /// It does not come up.
    pub(super) async fn restart(&mut self, n: usize) -> Result<()> {
        for _ in 1..STARTS_MAX {
            self.spawn(n)?;
            if self.up(n).await.is_ok() {
                return Ok(());
            }
        }
        self.spawn(n)?;
        self.up(n).await
    }

    /// Kills a broker (SIGKILL).
    ///
    /// # Errors
    /// It had ended by itself.
    pub(super) async fn kill(&mut self, n: usize) -> Result<()> {
        let mut child = self.running[n].take().context("the broker is gone")?;
        if let Some(status) = child.try_wait()? {
            bail!("a broker had ended with {status}: see {}", self.broker(n)?.output().display());
        }
        child.kill().await.context("the broker cannot be killed")
    }

    /// Keeps a broker from running (SIGSTOP); it does not notice.
    pub(super) fn freeze(&self, n: usize) -> Result<()> {
        self.signal(n, Signal::STOP)
    }

    /// Lets a broker run on.
    pub(super) fn thaw(&self, n: usize) -> Result<()> {
        self.signal(n, Signal::CONT)
    }

    /// Waits until a broker ends by itself.
    ///
    /// # Errors
    /// It goes on.
    pub(super) async fn ended(&mut self, n: usize) -> Result<()> {
        let mut child = self.running[n].take().context("the broker is gone")?;
        let ended = tokio::time::timeout(PATIENCE, child.wait()).await;
        ended.context("the broker goes on, though it cannot write")??;
        Ok(())
    }

    fn signal(&self, n: usize, signal: Signal) -> Result<()> {
        let pid = self.running[n].as_ref().and_then(Child::id);
        let pid = pid.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        let pid = pid.context("the broker is gone")?;
        kill_process(pid, signal).context("the broker cannot be signalled")
    }

    fn spawn(&mut self, n: usize) -> Result<()> {
        let broker = self.broker(n)?;
        let output = File::options().create(true).append(true).open(broker.output())?;
        let child = tokio::process::Command::from(self.inside(broker.running())?)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .context("Kafka needs java 17 or later")?;
        self.running[n] = Some(child);
        Ok(())
    }

    async fn up(&mut self, n: usize) -> Result<()> {
        let (broker, begun) = (self.broker(n)?.clone(), Instant::now());
        while !broker.is_up() {
            let child = self.running[n].as_mut().context("the broker is gone")?;
            let seen = broker.output().display().to_string();
            if let Some(status) = child.try_wait()? {
                bail!("a broker ended with {status}: see {seen}");
            }
            if begun.elapsed() > PATIENCE {
                bail!("a broker does not come up: see {seen}");
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// The program, where its disk is.
    fn inside(&self, program: Command) -> Result<Command> {
        match &self.room {
            Some(room) => room.enter(&program),
            None => Ok(program),
        }
    }

    fn broker(&self, n: usize) -> Result<&Broker> {
        self.cluster.brokers.get(n).context("there is no such broker")
    }
}

/// Brokers with a port for each of their ways in, and what stands in front of one.
async fn lay_out(folder: &Path, jars: &Path, ground: Ground) -> Result<(Cluster, Option<Proxy>)> {
    let mut ports = Ports::default();
    let count = match ground {
        Ground::Brokers(count) => count,
        Ground::Proxied | Ground::SmallDisk => 1,
    };
    let mut cluster = Cluster::plan(folder, jars, count, &mut ports)?;
    if ground != Ground::Proxied {
        return Ok((cluster, None));
    }
    let port = ports.take()?;
    let proxy = Proxy::start(port).await?;
    let aside = Listener { protocol: Protocol::Aside, port, told: proxy.port };
    cluster.brokers.iter_mut().for_each(|broker| broker.listeners.push(aside.clone()));
    Ok((cluster, Some(proxy)))
}
