//! One broker: its settings on disk, and the programs that format and run it.

use crate::certificate::Certificate;
use crate::settings;
use anyhow::{Context, Result, ensure};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Who may log in; it guards nothing.
pub const USER: &str = "millrace";
/// The password of [`USER`].
pub const PASSWORD: &str = "only-for-tests";
/// Twenty-two characters of base64, as Kafka wants it.
const CLUSTER: &str = "bWlsbHJhY2VfZm9yX3Rlcw";
const FLAGS: [&str; 6] = [
    "-Xms64m",
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xss512k",
    "-XX:-UsePerfData",
];

/// A broker that is laid out.
#[derive(Clone, Debug)]
pub struct Broker {
    /// Its number in the cluster, from 1.
    pub id: u16,
    /// Its settings, what it prints, and its log.
    pub folder: PathBuf,
    /// Where the jars are.
    pub jars: PathBuf,
    /// The port at which it is a controller.
    pub controller: u16,
    /// The ports of all controllers, in the order of their numbers.
    pub voters: Vec<u16>,
    /// The ways in. The first is in clear, and the other brokers use it.
    pub listeners: Vec<Listener>,
    /// What it shows to who connects by TLS.
    pub certificate: Option<Certificate>,
}

/// A way into a broker.
#[derive(Clone, Debug)]
pub struct Listener {
    /// How one speaks there.
    pub protocol: Protocol,
    /// Where it listens.
    pub port: u16,
    /// The port that it tells its clients to use: its own, or that of what stands in front of it.
    pub told: u16,
}

/// How one speaks with a broker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// In clear.
    Clear,
    /// In clear, by another way than the other brokers.
    Aside,
    /// With a password.
    Sasl,
    /// By TLS.
    Tls,
    /// By TLS, with a password.
    Both,
}

impl Listener {
    /// One that is told as it is.
    pub fn new(protocol: Protocol, port: u16) -> Self {
        Self { protocol, port, told: port }
    }
}

impl Broker {
    /// Where clients find it, in clear.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port())
    }

    /// Where what it prints belongs.
    pub fn output(&self) -> PathBuf {
        self.folder.join("output")
    }

    /// Where its log is.
    pub fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Whether it listens.
    pub fn is_up(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port())).is_ok()
    }

    /// Writes its settings.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self) -> Result<()> {
        std::fs::create_dir_all(self.log())?;
        let path = self.properties();
        std::fs::write(&path, settings::of(self))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Writes its settings, and formats its log.
    ///
    /// # Errors
    /// The folder cannot be written, or there is no Java 17.
    pub fn format(&self) -> Result<()> {
        self.write()?;
        let done = self.formatting().output().context("Kafka needs java 17 or later")?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Ok(())
    }

    /// The program that formats its log.
    pub fn formatting(&self) -> Command {
        let mut command = self.java("kafka.tools.StorageTool");
        command.args(["format", "-t", CLUSTER, "-c"]).arg(self.properties());
        if self.listeners.iter().any(|listener| listener.protocol == Protocol::Sasl) {
            for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
                let login = format!("{mechanism}=[name={USER},password={PASSWORD}]");
                command.args(["--add-scram", &login]);
            }
        }
        command
    }

    /// The program that is the broker. SIGTERM stops it, SIGKILL too.
    pub fn running(&self) -> Command {
        let mut command = self.java("kafka.Kafka");
        command.arg(self.properties());
        command
    }

    fn port(&self) -> u16 {
        self.listeners.first().map_or(0, |listener| listener.port)
    }

    fn properties(&self) -> PathBuf {
        self.folder.join("server.properties")
    }

    fn java(&self, class: &str) -> Command {
        java(&[&self.jars], class)
    }
}

/// A program in the jars of some folders.
pub(crate) fn java(jars: &[&Path], class: &str) -> Command {
    let path: Vec<String> = jars.iter().map(|jars| format!("{}/*", jars.display())).collect();
    let mut command = Command::new("java");
    command.args(FLAGS).args(["-cp", &path.join(":"), class]);
    command
}
