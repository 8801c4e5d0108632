//! `cargo x demo`: a node on an empty folder, real traffic, and an account of every accepted thing.

mod cluster;
mod inbox;
mod report;
mod tally;
mod traffic;

use crate::github::{self, EXAMPLES, Example};
use crate::harness::{Api, read_log, root};
use crate::project::{self, API_KEY, Plan};
use crate::receiver::{Receiver, Temper};
use anyhow::{Context, Result, bail};
use clap::Parser;
use cluster::Cluster;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use report::Report;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tally::Tally;
use traffic::Traffic;

const USERS: [&str; 4] = ["acme", "birch", "cedar", "dunlin"];
/// Pause between two looks at the Task History.
const LOOK: Duration = Duration::from_millis(200);
/// Longest time from the last request until everything is accounted for.
const SETTLE_MAX: Duration = Duration::from_secs(120);
/// Pause between rounds while the demo goes on.
const PAUSE: Duration = Duration::from_secs(1);

/// Starts Millrace on an empty folder and sends it real traffic.
#[derive(Parser, Debug)]
#[command(name = "cargo x demo", bin_name = "cargo x demo")]
pub struct Demo {
    /// One round; the exit code is 0 if every accepted thing is accounted for.
    #[arg(long)]
    once: bool,
    /// App events in the first round.
    #[arg(long, default_value_t = 2_000)]
    events: usize,
    /// Requests that wait for their response, in the first round.
    #[arg(long, default_value_t = 400)]
    requests: usize,
    /// An empty folder; by default target/demo, which is emptied.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Where the log is. On kafka there are three nodes, and one of them is killed in the middle.
    #[arg(long, value_enum, default_value_t)]
    backend: Backend,
}

/// Where the log is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
enum Backend {
    /// In the folder of the one node.
    #[default]
    Embedded,
    /// On the broker of `cargo x servers`.
    Kafka,
}

/// The node, the receivers, and what is known of both.
struct Stage {
    /// By the first node, which lives.
    api: Api,
    /// By every node.
    doors: Vec<Api>,
    warehouse: Receiver,
    tracker: Receiver,
    examples: Vec<Example>,
    /// How many of them have to be accepted before it is whole.
    payloads: usize,
    admin_key: String,
}

impl Demo {
    /// Runs the demo.
    ///
    /// # Errors
    /// The node does not come up, or breaks down.
    pub async fn run(self) -> Result<ExitCode> {
        let data = self.folder()?;
        let bars = MultiProgress::new();
        let spinner = bars.add(ProgressBar::new_spinner());
        spinner.enable_steady_tick(Duration::from_millis(100));
        spinner.set_message("starting Millrace, two receivers, a project with its users");
        let mut cluster = Cluster::start(&data, self.backend).await?;
        let (mut stage, tokens) = prepare(&cluster, &data).await?;
        if self.once {
            stage.payloads = EXAMPLES;
        }
        spinner.finish_and_clear();
        cluster.introduce();

        let started = Instant::now();
        let tally = Tally::default();
        let traffic = Traffic { stage: &stage, tokens: &tokens, tally: &tally };
        let first = traffic.first_round(self.events, self.requests, &bars);
        // In the middle of it.
        let killing = async {
            while tally.expected() < self.events as u64 / 2 {
                tokio::time::sleep(LOOK / 10).await;
            }
            cluster.kill_one().await
        };
        let going_on = async {
            let ((), killed) = tokio::join!(first, killing);
            if let Err(error) = killed {
                eprintln!("no node was killed: {error:#}");
            }
            if self.once {
                return;
            }
            loop {
                tokio::time::sleep(PAUSE).await;
                traffic.further_round(&bars).await;
            }
        };
        tokio::select! {
            () = going_on => {}
            _ = tokio::signal::ctrl_c() => println!("finishing what was accepted"),
        }
        let report = settle(&stage, &tally, &bars).await?;
        report.print(started.elapsed());
        cluster.stop().await?;
        let log = read_log(&data).await?;
        let records = log["records"].as_object().into_iter().flat_map(|types| types.values());
        let count: u64 = records.filter_map(serde_json::Value::as_u64).sum();
        println!("A reader that shares no code with Millrace decoded all {count} records.");
        if self.backend == Backend::Embedded {
            look_further(&data);
        }
        Ok(if report.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn folder(&self) -> Result<PathBuf> {
        let Some(named) = &self.data else {
            let own = root().join("target/demo");
            if own.exists() {
                std::fs::remove_dir_all(&own).context("cannot empty target/demo")?;
            }
            std::fs::create_dir_all(&own)?;
            return Ok(own);
        };
        std::fs::create_dir_all(named)?;
        if std::fs::read_dir(named)?.next().is_some() {
            bail!("{} is not empty", named.display());
        }
        Ok(named.clone())
    }
}

async fn prepare(cluster: &Cluster, data: &Path) -> Result<(Stage, Vec<String>)> {
    let warehouse = Receiver::start(Temper::Moody { every: 100, failures_max: 12 }).await?;
    let tracker = Receiver::start(Temper::Steady).await?;
    let examples = github::examples()?;
    let kinds = github::kinds(&examples);
    let plan = Plan {
        warehouse: &warehouse.url(""),
        tracker: &tracker.url(""),
        kinds: &kinds,
        pause_s: 0,
    };
    let (api, signer) = Api::apply(cluster.first(), data, &project::file(&plan)).await?;
    let doors = cluster.addresses().map(|at| api.moved(at)).collect();
    let tokens = project::connect(&api, &signer, &USERS).await?;
    let admin_key = std::fs::read_to_string(data.join("admin.key"))?.trim().to_owned();
    Ok((Stage { api, doors, warehouse, tracker, examples, payloads: 0, admin_key }, tokens))
}

/// Waits until nothing is on its way any more, then counts; gives up after a while, and counts too.
async fn settle(stage: &Stage, tally: &Tally, bars: &MultiProgress) -> Result<Report> {
    let bar = bars.add(ProgressBar::new(0));
    bar.set_style(ProgressStyle::with_template("{msg:>24} {bar:40} {pos}/{len}")?);
    bar.set_message("executed (retries wait)");
    let begun = Instant::now();
    loop {
        let finished = stage.api.executions(API_KEY, "SUCCEEDED").await?
            + stage.api.executions(API_KEY, "FAILED").await?;
        let all = tally.expected();
        bar.set_length(all);
        bar.set_position(finished);
        let report = Report::take(stage, tally).await?;
        if report.is_whole() || begun.elapsed() > SETTLE_MAX {
            bar.finish_and_clear();
            return Ok(report);
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn look_further(data: &Path) {
    let folder = data.display();
    println!("\nLook further:");
    println!("  target/release/millrace --data {folder} log tail");
    println!("  target/release/millrace --data {folder} log grep --type StepFailed --unseal");
    println!("  target/release/millrace --data {folder} verify");
    println!("  target/release/millrace schemas | target/tools/python/bin/python \\");
    println!("      tests/reader/read_log.py --data {folder}");
    println!(
        "  MILLRACE_EGRESS__ALLOW=127.0.0.0/8 target/release/millrace --data {folder} serve, then"
    );
    println!("  curl -H 'Authorization: Bearer {API_KEY}' \\");
    println!(
        "      http://127.0.0.1:4000/projects/{}/task-history/workflow-executions",
        project::PROJECT
    );
}
