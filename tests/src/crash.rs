//! `cargo x crash`: the real process is killed under load, again and again, and then counted.

mod count;
mod load;

use crate::harness::{Api, Node, root};
use crate::latency::{Latencies, shown_ms};
use crate::project::{self, API_KEY, Plan};
use crate::receiver::{Receiver, Temper};
use anyhow::{Result, bail};
use clap::Parser;
use count::Count;
use fastrand::Rng;
use indicatif::{ProgressBar, ProgressStyle};
use load::{Load, Record};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The kind of webhook that the load sends.
const KIND: &str = "push";
const USERS: [&str; 6] = ["acme", "birch", "cedar", "dunlin", "elder", "fern"];
const WORKERS: usize = 12;
/// How long a node lives before it is killed, in milliseconds after it took the first thing.
const LIFE_MS: std::ops::Range<u64> = 50..1_500;
/// Some nodes are killed while they start.
const INFANT_MS: std::ops::Range<u64> = 0..60;
const LOOK: Duration = Duration::from_millis(200);
/// Longest time from the last kill until everything has ended.
const SETTLE_MAX: Duration = Duration::from_secs(240);

/// Kills the real process at random moments under load, and counts what is missing.
#[derive(Parser, Debug)]
#[command(name = "cargo x crash", bin_name = "cargo x crash")]
pub struct Crash {
    /// How often the process is killed.
    #[arg(long, default_value_t = 20)]
    kills: u32,
    /// Where the random moments come from; by default another seed each time.
    #[arg(long)]
    seed: Option<u64>,
    /// An empty folder; by default `target/crash-<seed>`, removed if all is well.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

/// The receivers, and where the node is to be found.
struct Stage {
    data: PathBuf,
    api: Api,
    warehouse: Receiver,
    tracker: Receiver,
}

impl Crash {
    /// Runs the test.
    ///
    /// # Errors
    /// The node does not come up again, or ends without being killed.
    pub async fn run(self) -> Result<ExitCode> {
        let seed = self.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
        println!("seed {seed}");
        let own = root().join(format!("target/crash-{seed}"));
        let data = self.data.clone().unwrap_or_else(|| own.clone());
        if data.exists() && std::fs::read_dir(&data)?.next().is_some() {
            bail!("{} is not empty", data.display());
        }
        let node = Node::start(&data).await?;
        let (stage, tokens) = prepare(&node, &data).await?;
        let record = Arc::new(Record::default());
        let (moved, place) = watch::channel(Some(node.address));
        let mut workers = JoinSet::new();
        let rng = &mut Rng::with_seed(seed);
        for _ in 0..WORKERS {
            let load = Load {
                api: stage.api.clone(),
                place: place.clone(),
                tokens: tokens.clone(),
                record: Arc::clone(&record),
                rng: rng.fork(),
            };
            workers.spawn(load.run());
        }
        let (node, restarts) = self.kill(node, rng, &stage, (&moved, &record)).await?;
        record.stop();
        while workers.join_next().await.is_some() {}
        settle(&stage.api.moved(node.address), &stage, &record).await?;
        node.stop().await?;
        let count = Count::take(&stage, &record).await?;
        count.print(self.kills);
        println!(
            "kill to first acknowledgement: p50 {}, max {} ({} times)",
            shown_ms(restarts.percentile(50)),
            shown_ms(restarts.percentile(100)),
            restarts.len()
        );
        if !count.is_clean() {
            println!("seed {seed}; the folder is kept: {}", data.display());
            return Ok(ExitCode::FAILURE);
        }
        if self.data.is_none() {
            std::fs::remove_dir_all(&own)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn kill(
        &self,
        mut node: Node,
        rng: &mut Rng,
        stage: &Stage,
        (moved, record): (&watch::Sender<Option<std::net::SocketAddr>>, &Record),
    ) -> Result<(Node, Latencies)> {
        let bar = ProgressBar::new(u64::from(self.kills));
        bar.set_style(ProgressStyle::with_template("{msg:>24} {bar:40} {pos}/{len}")?);
        let mut restarts = Latencies::default();
        for _ in 0..self.kills {
            let infant = rng.u8(..) < 40;
            let life_ms = rng.u64(if infant { INFANT_MS } else { LIFE_MS });
            tokio::time::sleep(Duration::from_millis(life_ms)).await;
            let before = record.acknowledged();
            moved.send_replace(None);
            node.kill().await?;
            let killed_at = Instant::now();
            node = Node::start(&stage.data).await?;
            moved.send_replace(Some(node.address));
            if !infant {
                record.acknowledged_after(before, SETTLE_MAX).await?;
                restarts.push(killed_at.elapsed());
            }
            bar.set_message(format!("{} acknowledged", record.acknowledged()));
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok((node, restarts))
    }
}

async fn prepare(node: &Node, data: &Path) -> Result<(Stage, Vec<String>)> {
    let warehouse = Receiver::start(Temper::Moody { every: 150, failures_max: 100 }).await?;
    let tracker = Receiver::start(Temper::Slow { wait_ms: 20 }).await?;
    let plan = Plan {
        warehouse: &warehouse.url(""),
        tracker: &tracker.url(""),
        kinds: &[KIND.to_owned()],
        pause_s: 2,
    };
    let (api, signer) = Api::apply(node, data, &project::file(&plan)).await?;
    let mut tokens = Vec::new();
    for user in USERS {
        let token = signer.token(user)?;
        api.connect(&token, "github", user).await?;
        api.connect(&token, "custom.tracker", user).await?;
        tokens.push(token);
    }
    Ok((Stage { data: data.to_owned(), api, warehouse, tracker }, tokens))
}

/// Waits until nothing is on its way any more; what then is missing, the count shows.
async fn settle(api: &Api, stage: &Stage, record: &Record) -> Result<()> {
    let bar = ProgressBar::new_spinner();
    let begun = Instant::now();
    while begun.elapsed() < SETTLE_MAX {
        let open = api.executions(API_KEY, "EXECUTING").await?
            + api.executions(API_KEY, "DELAYED").await?;
        let missing = count::missing(stage, record).len();
        if open == 0 && missing == 0 {
            break;
        }
        bar.set_message(format!("{open} executions open, {missing} deliveries awaited"));
        bar.tick();
        tokio::time::sleep(LOOK).await;
    }
    bar.finish_and_clear();
    Ok(())
}
