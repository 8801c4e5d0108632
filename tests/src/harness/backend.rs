//! Where the nodes of the tests keep their log.
//!
//! With `TESTS_ON=kafka` every node is on Kafka, from the same tests: each folder gets a
//! log of its own on the broker of `cargo x servers`, unless it names brokers of its own. Folders
//! with the same `kafka-prefix` are nodes at one log.

use super::node::program;
use super::root;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;
use uuid::Uuid;

/// What names the log of a folder.
const PREFIX: &str = "kafka-prefix";
/// What names the brokers of a folder, if they are not those of `cargo x servers`.
const BROKERS: &str = "kafka-brokers";
/// With fewer, what was acknowledged may be lost.
const BROKERS_MIN: usize = 3;

/// A log on a broker.
pub struct Topics {
    /// Where the broker is.
    pub brokers: String,
    /// What the topics' names begin with.
    pub prefix: String,
}

/// Whether the nodes are on Kafka.
// Tests read the environment where the binary would read its settings.
#[allow(clippy::disallowed_methods)]
pub fn is_kafka() -> bool {
    std::env::var("TESTS_ON").is_ok_and(|backend| backend == "kafka")
}

/// The log of a folder on Kafka; made if it is new. `None`: its log is in the folder.
///
/// # Errors
/// There is no broker, or the topics cannot be made.
pub fn topics(data: &Path) -> Result<Option<Topics>> {
    match std::fs::read_to_string(data.join(PREFIX)) {
        Ok(prefix) => Ok(Some(Topics { brokers: brokers(data)?, prefix })),
        Err(_) if is_kafka() => create(data).map(Some),
        Err(_) => Ok(None),
    }
}

/// Names the brokers of a folder.
///
/// # Errors
/// The folder cannot be written.
pub fn place(data: &Path, brokers: &str) -> Result<()> {
    std::fs::create_dir_all(data)?;
    std::fs::write(data.join(BROKERS), brokers).context("cannot name the brokers of a folder")
}

/// Makes a log on Kafka for a new folder.
///
/// # Errors
/// There is no broker, or the topics cannot be made.
pub fn create(data: &Path) -> Result<Topics> {
    std::fs::create_dir_all(data)?;
    let topics = fresh(data)?;
    let migrated = Command::new(program(data)?)
        .args(["--data", &data.to_string_lossy(), "migrate"])
        .envs(settings(&topics))
        .output()?;
    if !migrated.status.success() {
        bail!("millrace migrate: {}", String::from_utf8_lossy(&migrated.stderr));
    }
    name(data, &topics)?;
    Ok(topics)
}

/// Topics that are not there yet, on the brokers of a folder.
///
/// # Errors
/// There is no broker.
pub fn fresh(data: &Path) -> Result<Topics> {
    Ok(Topics { brokers: brokers(data)?, prefix: format!("test-{}", Uuid::new_v4().simple()) })
}

/// From now on the commands on a folder know these topics, and take its log to be there.
///
/// # Errors
/// The folder cannot be written.
pub fn name(data: &Path, topics: &Topics) -> Result<()> {
    Ok(std::fs::write(data.join(PREFIX), &topics.prefix)?)
}

/// From now on the commands on a folder take its log to be in it.
///
/// # Errors
/// The folder cannot be written.
pub fn forget(data: &Path) -> Result<()> {
    Ok(std::fs::remove_file(data.join(PREFIX))?)
}

/// Puts a new folder at the log of another, with its keys and its blobs.
///
/// # Errors
/// The folder cannot be written.
pub fn join(data: &Path, other: &Path) -> Result<()> {
    std::fs::create_dir_all(data)?;
    for file in [PREFIX, "master.key", "admin.key"] {
        std::fs::copy(other.join(file), data.join(file))
            .with_context(|| format!("{} has no {file}", other.display()))?;
    }
    if other.join(BROKERS).is_file() {
        std::fs::copy(other.join(BROKERS), data.join(BROKERS))?;
    }
    std::os::unix::fs::symlink(other.join("blobs"), data.join("blobs"))?;
    Ok(())
}

/// Settings of a node at the log.
pub(super) fn settings(topics: &Topics) -> Vec<(String, String)> {
    let is_dev = topics.brokers.split(',').count() < BROKERS_MIN;
    let pairs = [
        ("LOG__BACKEND", "kafka"),
        ("KAFKA__BROKERS", &topics.brokers),
        ("KAFKA__PREFIX", &topics.prefix),
        ("KAFKA__DEV", if is_dev { "true" } else { "false" }),
    ];
    pairs.into_iter().map(|(key, value)| (format!("MILLRACE_{key}"), value.to_owned())).collect()
}

fn brokers(data: &Path) -> Result<String> {
    if let Ok(own) = std::fs::read_to_string(data.join(BROKERS)) {
        return Ok(own);
    }
    noted("kafka", "brokers=")
}

/// The process of the broker of `cargo x servers`, if that is one.
///
/// # Errors
/// There is no broker.
pub fn pid() -> Result<Option<u32>> {
    Ok(noted("kafka", "pids=")?.parse().ok())
}

/// The address of the registry of `cargo x servers`.
///
/// # Errors
/// There is none.
pub fn registry() -> Result<String> {
    noted("registry", "url=")
}

/// What `cargo x servers` has written down of a server.
fn noted(server: &str, what: &str) -> Result<String> {
    let file = root().join("target/servers").join(server);
    let needs = || format!("there is no {server}: `cargo x servers up` starts it");
    let text = std::fs::read_to_string(file).with_context(needs)?;
    let line = text.lines().find_map(|line| line.strip_prefix(what));
    line.map(str::to_owned).with_context(needs)
}
