//! The command line.

mod apply;
mod backup;
pub(crate) mod client;
mod copy;
mod doctor;
mod log;
mod migrate;
mod moment;
mod rebuild;
mod restore;
mod serve;
mod supply;
mod token;
mod verify;

use crate::config::Config;
use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Millrace: integrations for your users, with the log as the truth.
#[derive(Parser, Debug)]
#[command(name = "millrace", version, about, propagate_version = true)]
pub struct Cli {
    /// Settings file (ops/default.toml lists every setting); MILLRACE_… overrides it.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The node's folder; overrides the setting `data`.
    #[arg(long, global = true, value_name = "FOLDER")]
    data: Option<PathBuf>,
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand, Debug)]
enum Task {
    /// Run a node: the API, the owners, the projections.
    Serve,
    /// Make a project what a file says (YAML or JSON); shows what changed.
    Apply(apply::Apply),
    /// Make the topics of a log on Kafka, or check those that are there; shows the plan first.
    Migrate(migrate::Migrate),
    /// Move a log to another backend, every record with its id, its order and its offset. No node may
    /// run; who is interrupted runs it again.
    Copy(copy::Copy),
    /// Keep a copy of the log and the large payloads in a folder, also while nodes run; or check one.
    Backup(backup::Task),
    /// Make a log of a backup, in an empty folder or cluster, up to any moment.
    Restore(restore::Restore),
    /// Make a user token, signed with the project's private key.
    Token(token::Token),
    /// Read the log: decoded, filtered, as columns or as JSON lines.
    #[command(subcommand)]
    Log(log::Log),
    /// Check what operators get wrong: keys, disk, clocks, Kafka, versions. A node may run.
    Doctor(doctor::Doctor),
    /// Throw rows away and fold them again from the log. The node must not run.
    Rebuild(rebuild::Rebuild),
    /// Fold everything again beside the live rows and compare, byte for byte. The node must not run.
    Verify,
    /// Print every Avro schema with its id, as JSON lines.
    Schemas,
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// What to print, in one line.
    pub fn run(self) -> Result<ExitCode> {
        let mut config = Config::load(self.config.as_deref(), environment());
        if let (Ok(config), Some(data)) = (&mut config, self.data) {
            config.data = data;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        if let Task::Doctor(task) = &self.command {
            return runtime.block_on(task.run(&config));
        }
        let config = config?;
        if let Task::Schemas = self.command {
            schemas();
            return Ok(ExitCode::SUCCESS);
        }
        crate::telemetry::start(&config.telemetry)?;
        let done = runtime.block_on(async {
            match self.command {
                Task::Serve => serve::serve(&config).await,
                Task::Apply(task) => task.run(&config).await,
                Task::Migrate(task) => task.run(&config).await,
                Task::Copy(task) => task.run(&config).await,
                Task::Backup(task) => task.run(&config).await,
                Task::Restore(task) => task.run(&config).await,
                Task::Token(task) => task.run(&config),
                Task::Log(task) => task.run(&config).await,
                Task::Rebuild(task) => task.run(&config).await,
                Task::Verify => verify::verify(&config).await,
                Task::Schemas | Task::Doctor(_) => Ok(ExitCode::SUCCESS),
            }
        });
        runtime.shutdown_timeout(std::time::Duration::from_secs(2));
        done
    }
}

// The only place that reads the environment.
#[allow(clippy::disallowed_methods)]
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars()
}

fn schemas() {
    for schema in domain::codec::published() {
        let text: serde_json::Value = serde_json::from_str(&schema.text).unwrap_or_default();
        let line = serde_json::json!({
            "id": schema.id, "family": schema.family, "name": schema.name, "schema": text,
        });
        println!("{line}");
    }
}

/// The address of the node that works in the folder.
pub(crate) fn address(config: &Config) -> Result<String> {
    let path = config.data.join("address");
    let text = std::fs::read_to_string(&path).with_context(|| {
        format!("no node has run in {}; start one with `millrace serve`", config.data.display())
    })?;
    Ok(text.trim().to_owned())
}
