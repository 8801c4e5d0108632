//! `cargo x fault`: what goes wrong around Millrace, with real processes: brokers and nodes are
//! killed, stopped, cut off and filled up under load, healed, and then everything is counted.
//!
//! The callers send again as they are told to. So nothing that they were told is done may be
//! missing or be there twice, and of the errors that they saw it is told which they were and for
//! how long they came.

mod callers;
mod errors;
mod kafka;
mod kind;
mod outcome;
mod proxy;
mod room;
mod scene;

use crate::harness::root;
use crate::load::Count;
use anyhow::{Context, Result};
use callers::Callers;
use clap::{Parser, ValueEnum};
use indicatif::ProgressBar;
use kind::Fault;
use outcome::Outcome;
use scene::Scene;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

const TICK: Duration = Duration::from_millis(200);
/// Longest time from the last request until everything has ended.
const SETTLE_MAX: Duration = Duration::from_secs(240);

/// Brings real faults about under load, and counts what is lost or recorded twice.
#[derive(Parser, Debug)]
#[command(name = "cargo x fault", bin_name = "cargo x fault")]
pub struct Faults {
    /// Only these faults, separated by commas; by default all.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Fault>,
    /// Where to write what was found, as JSON.
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
    /// How long the load runs before a fault, and again after it is healed, in seconds.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

impl Faults {
    /// Brings the faults about, one after the other.
    ///
    /// # Errors
    /// The file cannot be written. A fault that cannot be brought about counts as not good.
    pub async fn run(self) -> Result<ExitCode> {
        let all = if self.only.is_empty() { Fault::value_variants() } else { &self.only[..] };
        let (mut outcomes, mut found) = (Vec::new(), Vec::new());
        for fault in all {
            let outcome = tokio::select! {
                outcome = self.bring_about(*fault) => outcome,
                _ = tokio::signal::ctrl_c() => break,
            };
            match outcome {
                Ok(outcome) => {
                    found.push(outcome.json());
                    outcomes.push(outcome);
                }
                Err(error) => {
                    eprintln!("{}: {error:#}", fault.name());
                    let error = format!("{error:#}");
                    found.push(json!({ "fault": fault.name(), "good": false, "error": error }));
                }
            }
        }
        Outcome::print_head();
        outcomes.iter().for_each(Outcome::print);
        if let Some(path) = &self.json {
            let text = serde_json::to_string_pretty(&Value::Array(found))?;
            std::fs::write(path, text + "\n")
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        let is_good = outcomes.len() == all.len() && outcomes.iter().all(Outcome::is_good);
        Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// One fault, in a folder that is kept if it is not good.
    async fn bring_about(&self, fault: Fault) -> Result<Outcome> {
        let folder = root().join("target/fault").join(fault.name());
        if folder.exists() {
            std::fs::remove_dir_all(&folder).context("cannot empty the folder of the fault")?;
        }
        let spinner = ProgressBar::new_spinner();
        spinner.enable_steady_tick(TICK);
        let outcome = self.play(fault, &folder, &spinner).await;
        spinner.finish_and_clear();
        match &outcome {
            Ok(good) if good.is_good() => std::fs::remove_dir_all(&folder)?,
            Ok(bad) => {
                bad.print_findings();
                println!("the folder is kept: {}", folder.display());
            }
            Err(_) => println!("the folder is kept: {}", folder.display()),
        }
        outcome
    }

    async fn play(&self, fault: Fault, folder: &Path, spinner: &ProgressBar) -> Result<Outcome> {
        let say = |what: &'static str| spinner.set_message(format!("{}: {what}", fault.name()));
        say("starting brokers and nodes");
        let mut scene = Scene::start(folder, fault.ground(), fault.nodes()).await?;
        let stage = &scene.stage;
        let callers = Callers::start(stage, scene.doors());
        say("the load before");
        tokio::time::sleep(Duration::from_secs(self.seconds)).await;
        say("the fault");
        let course = fault.strike(&mut scene, &callers).await?;
        say("healing");
        scene.served(&callers, &scene.doors()).await?;
        let healed = course.mended_at.elapsed();
        say("the load after");
        tokio::time::sleep(Duration::from_secs(self.seconds)).await;
        let (record, errors) = callers.finish().await;
        say("counting");
        let api = scene.stage.api.moved(scene.doors()[0]);
        scene.stage.settle(&api, &record, SETTLE_MAX).await?;
        scene.stop_nodes().await?;
        let count = Count::take(&scene.stage, &record, &scene.folders()).await?;
        Ok(Outcome { fault, course, healed, seen: errors.seen(), count })
    }
}
