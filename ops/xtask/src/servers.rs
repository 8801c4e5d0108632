//! `cargo x servers`: the real servers that tests run against, on loopback, with throw-away data.
//!
//! They outlive the command, so that many test runs share them. Where they listen stands in
//! `target/servers/<name>`, a `key=value` per line, for tests to read.

mod kafka;
mod registry;

use crate::shell::root;
use anyhow::{Context, Result, bail};
use clap::Subcommand;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Pause between two looks at a server that starts or stops.
const LOOK: Duration = Duration::from_millis(100);
/// How long a server may take to start, and to stop when it is asked to.
const PATIENCE: Duration = Duration::from_secs(60);
/// A port that was free may be taken when the server comes to it.
const STARTS_MAX: u32 = 3;

/// What to do with the servers.
#[derive(Subcommand)]
pub(crate) enum Servers {
    /// Start what does not run yet.
    Up {
        /// One broker, for what needs a log; or three that are one cluster.
        #[arg(long, default_value = "1", value_parser = ["1", "3"])]
        brokers: String,
    },
    /// Stop what runs, and drop its data.
    Down,
    /// Say what runs, and where.
    Status,
}

pub(crate) fn run(what: &Servers) -> Result<()> {
    match what {
        Servers::Up { brokers } => {
            let wanted = |server: &&Server| match server.what {
                What::Kafka { brokers: count } => count.to_string() == *brokers,
                What::Registry => true,
            };
            for server in SERVERS.iter().filter(wanted) {
                up(server)?;
            }
            status()
        }
        Servers::Down => SERVERS.iter().try_for_each(|server| stop(server.name)),
        Servers::Status => status(),
    }
}

struct Server {
    name: &'static str,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    Kafka { brokers: u16 },
    Registry,
}

/// What tests use when nothing else is said.
const KAFKA: Server = Server { name: "kafka", what: What::Kafka { brokers: 1 } };
const REGISTRY: Server = Server { name: "registry", what: What::Registry };
const SERVERS: [Server; 3] =
    [KAFKA, Server { name: "kafka-three", what: What::Kafka { brokers: 3 } }, REGISTRY];

/// Does something that needs the broker; stops it if it did not run before.
pub(crate) fn with(work: impl FnOnce() -> Result<()>) -> Result<()> {
    with_one(&KAFKA, work)
}

/// The same with a registry beside it.
pub(crate) fn with_registry(work: impl FnOnce() -> Result<()>) -> Result<()> {
    with(|| with_one(&REGISTRY, work))
}

fn with_one(server: &Server, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let is_new = up(server)?;
    let done = work();
    if is_new {
        stop(server.name)?;
    }
    done
}

/// Starts what does not run; says whether that was so.
fn up(server: &Server) -> Result<bool> {
    if let Some(note) = Note::read(server.name)?
        && note.is_running()
    {
        return Ok(false);
    }
    stop(server.name)?;
    start(server)?;
    Ok(true)
}

fn status() -> Result<()> {
    for Server { name, .. } in SERVERS {
        match Note::read(name)? {
            Some(note) if note.is_running() => println!("{name}: {}", note.shown()),
            Some(_) => println!("{name}: stopped without being asked"),
            None => println!("{name}: not started"),
        }
    }
    Ok(())
}

fn start(Server { name, what }: &Server) -> Result<()> {
    for n in 1..=STARTS_MAX {
        let data = tempdir(name)?;
        let started = match what {
            What::Kafka { brokers } => kafka::start(&data, *brokers),
            What::Registry => registry::start(&data),
        };
        match started {
            Ok(mut note) => {
                note.put("data", data.display().to_string());
                return note.write(name);
            }
            Err(error) if n == STARTS_MAX => return Err(error),
            Err(error) => eprintln!("{name}: {error:#}; once more"),
        }
    }
    Ok(())
}

fn stop(name: &str) -> Result<()> {
    let Some(note) = Note::read(name)? else { return Ok(()) };
    // Its data goes: there is nothing to save.
    note.running().into_iter().try_for_each(kill)?;
    let begun = Instant::now();
    while let Some(pid) = note.running().first() {
        if begun.elapsed() > PATIENCE {
            bail!("{name} (process {pid}) does not end");
        }
        std::thread::sleep(LOOK);
    }
    if let Some(data) = note.0.get("data")
        && Path::new(data).is_dir()
    {
        std::fs::remove_dir_all(data).with_context(|| format!("cannot remove {data}"))?;
    }
    std::fs::remove_file(Note::path(name)).context("cannot forget the server")
}

fn kill(pid: u32) -> Result<()> {
    let status = Command::new("kill").args(["-KILL", &pid.to_string()]).status()?;
    if !status.success() {
        bail!("process {pid} cannot be stopped");
    }
    Ok(())
}

/// What is known of a server that was started.
#[derive(Default)]
struct Note(BTreeMap<String, String>);

impl Note {
    fn path(name: &str) -> PathBuf {
        root().join("target/servers").join(name)
    }

    fn read(name: &str) -> Result<Option<Self>> {
        let path = Self::path(name);
        if !path.is_file() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&path)?;
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        Ok(Some(Self(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())))
    }

    fn write(&self, name: &str) -> Result<()> {
        let path = Self::path(name);
        std::fs::create_dir_all(path.parent().context("no folder")?)?;
        let text: String = self.0.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    fn put(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }

    fn pids(&self) -> impl Iterator<Item = u32> {
        let pids = self.0.get("pids").map_or("", String::as_str);
        pids.split(',').filter_map(|pid| pid.parse().ok())
    }

    /// Those of its processes that are there: a number may have been used again.
    fn running(&self) -> Vec<u32> {
        let Some(data) = self.0.get("data") else { return Vec::new() };
        let is_ours = |pid: &u32| {
            let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&command).contains(data.as_str())
        };
        self.pids().filter(is_ours).collect()
    }

    /// Whether all of it runs.
    fn is_running(&self) -> bool {
        !self.running().is_empty() && self.running().len() == self.pids().count()
    }

    fn shown(&self) -> String {
        let pairs: Vec<String> =
            self.0.iter().map(|(key, value)| format!("{key} {value}")).collect();
        pairs.join(", ")
    }
}

/// An empty folder for the data of a server.
fn tempdir(name: &str) -> Result<PathBuf> {
    let id = format!("{}-{}", std::process::id(), brokers::Ports::default().take()?);
    let folder = std::env::temp_dir().join(format!("millrace-{name}-{id}"));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Starts a program that goes on when this one ends.
fn detached(command: &mut Command, output: &Path) -> Result<Child> {
    use std::os::unix::process::CommandExt;
    let log = std::fs::File::create(output)?;
    // A group of its own: ctrl-c at the tests does not stop it.
    command.process_group(0).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.spawn().with_context(|| format!("cannot run {command:?}"))
}

/// Waits until a program that was started is there.
fn ready(child: &mut Child, output: &Path, is_up: impl Fn() -> bool) -> Result<()> {
    let begun = Instant::now();
    while !is_up() {
        if let Some(status) = child.try_wait()? {
            bail!("it ended with {status}: see {}", output.display());
        }
        if begun.elapsed() > PATIENCE {
            bail!("it does not start: see {}", output.display());
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
}
