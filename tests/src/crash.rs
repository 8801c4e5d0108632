//! `cargo x crash`: the real process is killed under load, again and again, and then counted.

mod load;

use crate::harness::{Node, root};
use crate::latency::{Latencies, shown_ms};
use crate::load::{Count, Stage, Steerer};
use anyhow::{Result, bail};
use clap::Parser;
use fastrand::Rng;
use indicatif::{ProgressBar, ProgressStyle};
use load::{Load, Notes};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;

const WORKERS: usize = 12;
/// How long a node lives before it is killed, in milliseconds after it took the first thing.
const LIFE_MS: std::ops::Range<u64> = 50..1_500;
/// Some nodes are killed while they start.
const INFANT_MS: std::ops::Range<u64> = 0..60;
/// One of so many is away, the first too, for so long that each schedule misses moments.
const AWAY_EVERY: u32 = 10;
const AWAY: Duration = Duration::from_millis(2_100);
/// Longest time from the last kill until everything has ended.
const SETTLE_MAX: Duration = Duration::from_secs(240);
/// Refusals that are shown.
const SHOWN_MAX: usize = 10;

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
        let stage = Stage::prepare(&node, &data).await?;
        let notes = Arc::new(Notes::default());
        let (moved, doors) = watch::channel(vec![node.address]);
        let mut workers = JoinSet::new();
        let rng = &mut Rng::with_seed(seed);
        for _ in 0..WORKERS {
            let load = Load {
                api: stage.api.clone(),
                doors: doors.clone(),
                tokens: stage.tokens.clone(),
                notes: Arc::clone(&notes),
                rng: rng.fork(),
            };
            workers.spawn(load.run());
        }
        Steerer::start(&stage, &doors, &notes.record, rng, &mut workers);
        let (node, restarts) = self.kill((node, &data), rng, (&moved, &notes)).await?;
        notes.record.stop();
        while workers.join_next().await.is_some() {}
        stage.settle(&stage.api.moved(node.address), &notes.record, SETTLE_MAX).await?;
        node.stop().await?;
        let count = Count::take(&stage, &notes.record, std::slice::from_ref(&data)).await?;
        let is_clean = self.print(&count, &notes);
        println!(
            "start to first acknowledgement: p50 {}, max {} ({} times)",
            shown_ms(restarts.percentile(50)),
            shown_ms(restarts.percentile(100)),
            restarts.len()
        );
        if !is_clean {
            println!("seed {seed}; the folder is kept: {}", data.display());
            return Ok(ExitCode::FAILURE);
        }
        if self.data.is_none() {
            std::fs::remove_dir_all(&own)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Prints the numbers; says whether all is well.
    fn print(&self, count: &Count, notes: &Notes) -> bool {
        println!(
            "{} kills, {} acknowledged, {} lost, {} unfinished, {} recorded twice, {} rows \
             differing from a rebuild",
            self.kills,
            count.acknowledged,
            count.lost(),
            count.unfinished(),
            count.recorded_twice(),
            count.differing
        );
        println!(
            "{} answers were cut; the log has {} commands, {} executions, {} void events; {} rows",
            notes.cut(),
            count.of_log("commands"),
            count.of_log("started"),
            count.of_log("void_events"),
            count.rows
        );
        println!(
            "{} moments of schedules, {} more missed, {} pauses, {} replays, {} pages, {} joins; {} of \
             them amiss",
            count.of_log("moments"),
            count.of_log("moments_missed"),
            count.of_log("paused"),
            count.of_log("replayed"),
            count.of_log("pages"),
            count.of_log("joins"),
            count.amiss()
        );
        let refused = notes.refused();
        for one in refused.iter().take(SHOWN_MAX) {
            println!("refused: {one}");
        }
        count.print_findings();
        count.is_clean() && refused.is_empty()
    }

    async fn kill(
        &self,
        (mut node, data): (Node, &Path),
        rng: &mut Rng,
        (moved, notes): (&watch::Sender<Vec<SocketAddr>>, &Notes),
    ) -> Result<(Node, Latencies)> {
        let bar = ProgressBar::new(u64::from(self.kills));
        bar.set_style(ProgressStyle::with_template("{msg:>24} {bar:40} {pos}/{len}")?);
        let mut restarts = Latencies::default();
        for n in 0..self.kills {
            let infant = rng.u8(..) < 40;
            let life_ms = rng.u64(if infant { INFANT_MS } else { LIFE_MS });
            tokio::time::sleep(Duration::from_millis(life_ms)).await;
            let before = notes.record.acknowledged();
            moved.send_replace(Vec::new());
            node.kill().await?;
            if n % AWAY_EVERY == 0 {
                tokio::time::sleep(AWAY).await;
            }
            let started_at = Instant::now();
            node = Node::start(data).await?;
            moved.send_replace(vec![node.address]);
            if !infant {
                if !notes.record.acknowledged_after(before, SETTLE_MAX).await {
                    let last = notes.refused().pop();
                    bail!("the node accepts nothing after a restart: {last:?}");
                }
                restarts.push(started_at.elapsed());
            }
            bar.set_message(format!("{} acknowledged", notes.record.acknowledged()));
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok((node, restarts))
    }
}
