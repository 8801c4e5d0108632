//! `cargo x bench`: the numbers that Millrace must reach, measured on the real process.
//!
//! Each row starts a release build of the node on a folder of its own, with its settings as
//! shipped: history, sealing and fsync on, and a workflow enabled for every event that is sent.
//! The load comes from this process over TCP, so it shares the cores with the node.

mod answer;
mod arrival;
mod backlog;
mod batch;
mod fan_out;
mod figure;
mod functions;
mod idle;
mod kafka;
mod lateness;
mod load;
mod parked;
mod process;
mod project;
mod pump;
mod raw;
mod replay;
mod schedules;
mod single;
mod stage;
mod steps;
mod takeover;
mod target;
mod timers;
mod webhook;
mod wire;

use crate::harness::{backend, root};
use anyhow::{Context, Result, bail};
use clap::Parser;
use figure::Figure;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use takeover::Going;

/// The rows, as they are numbered where the numbers to reach are written down.
const ROWS: [u8; 13] = [1, 2, 3, 4, 6, 7, 8, 11, 12, 13, 14, 15, 16];

/// Where the log is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Backend {
    Embedded,
    Kafka,
}

/// Measures the node from outside and compares with what it must reach.
#[derive(Parser, Debug)]
#[command(name = "cargo x bench", bin_name = "cargo x bench")]
pub struct Bench {
    /// Where to write what was measured, as a JSON array.
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
    /// The rows to measure: of 1, 2, 3, 4, 6, 7, 8, 11, 12, 13, 14, 15, 16.
    #[arg(long, value_delimiter = ',', default_values_t = ROWS)]
    rows: Vec<u8>,
    /// How long each load runs, in seconds.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Executions that are parked for rows 7 and 8.
    #[arg(long, default_value_t = 1_000_000)]
    live: usize,
    /// Executions whose events row 6 folds.
    #[arg(long, default_value_t = 150_000)]
    replayed: usize,
    /// Measure each row on Kafka too, beside what the broker does by itself, and the takeovers.
    #[arg(long, value_enum, default_value_t = Backend::Embedded)]
    backend: Backend,
    /// Where the nodes' folders are made; by default target/bench.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Leave the nodes' folders, to look at them.
    #[arg(long)]
    keep: bool,
}

impl Bench {
    /// Measures every row that is asked for.
    ///
    /// # Errors
    /// A row is unknown, or the figures cannot be written. A row that cannot be measured is an
    /// entry without a value.
    pub async fn run(self) -> Result<ExitCode> {
        if let Some(unknown) = self.rows.iter().find(|row| !ROWS.contains(row)) {
            bail!("there is no row {unknown}; there are {ROWS:?}");
        }
        let mut figures = Vec::new();
        // Rows 7 and 8 are taken from the same node.
        for row in ROWS.into_iter().filter(|row| *row != 8) {
            let wanted = self.rows.contains(&row) || (row == 7 && self.rows.contains(&8));
            if wanted {
                let embedded = self.row(row, None).await;
                if self.backend == Backend::Kafka {
                    figures.extend(self.row(row, Some(&embedded)).await);
                }
                figures.extend(embedded);
            }
        }
        if self.backend == Backend::Kafka {
            for going in [Going::Killed, Going::Stopped] {
                figures.extend(self.takeover(going).await);
            }
        }
        if let Some(path) = &self.json {
            let text = serde_json::to_string_pretty(&figures)?;
            std::fs::write(path, text + "\n")
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(figure::conclude(&figures))
    }

    /// Measures a row, and prints it; on Kafka, if there is an embedded one to hold it against.
    async fn row(&self, row: u8, embedded: Option<&[Figure]>) -> Vec<Figure> {
        eprintln!("row {row} … ({})", process::load_average());
        printed(row, self.measure(row, embedded).await)
    }

    async fn measure(&self, row: u8, embedded: Option<&[Figure]>) -> Result<Vec<Figure>> {
        let folder = self.folder(&format!("row-{row}"))?;
        if embedded.is_some() {
            backend::create(&folder)?;
        }
        let spinner = spinner(row);
        let took = Duration::from_secs(self.seconds);
        let measured = match row {
            1 => single::measure(&folder, took, &spinner).await,
            2 => batch::measure(&folder, took, &spinner).await,
            3 => steps::measure(&folder, took, &spinner).await,
            4 => answer::measure(&folder, took, &spinner).await,
            6 => replay::measure(&folder, self.replayed, &spinner).await,
            7 => parked::measure(&folder, self.live, &spinner).await,
            11 => webhook::measure(&folder, took, &spinner).await,
            12 => idle::measure(&folder).await,
            13 => fan_out::measure(&folder, &spinner).await,
            14 => timers::measure(&folder, &spinner).await,
            15 => schedules::measure(&folder, &spinner).await,
            16 => functions::measure(&spinner).await,
            other => bail!("there is no row {other}"),
        };
        spinner.finish_and_clear();
        let figures = match embedded {
            Some(embedded) => kafka::judged((row, &folder), (embedded, measured?), took).await?,
            None => measured?,
        };
        self.clear(&folder)?;
        Ok(figures)
    }

    async fn takeover(&self, going: Going) -> Vec<Figure> {
        let measure = async {
            let folder = self.folder("takeover")?;
            let measured = takeover::measure(&folder, going, &spinner(0)).await?;
            self.clear(&folder)?;
            Ok(measured)
        };
        printed(0, measure.await)
    }

    fn clear(&self, folder: &Path) -> Result<()> {
        if !self.keep {
            std::fs::remove_dir_all(folder)?;
        }
        Ok(())
    }

    /// An empty folder.
    fn folder(&self, name: &str) -> Result<PathBuf> {
        let all = self.data.clone().unwrap_or_else(|| root().join("target/bench"));
        let folder = all.join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

/// What was measured, or why nothing was.
fn printed(row: u8, measured: Result<Vec<Figure>>) -> Vec<Figure> {
    let figures = measured.unwrap_or_else(|error| vec![Figure::failed(row, &error)]);
    figures.iter().for_each(Figure::print);
    figures
}

fn spinner(row: u8) -> ProgressBar {
    let spinner = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{prefix} {spinner} {elapsed} {msg}") {
        spinner.set_style(style);
    }
    spinner.set_prefix(format!("row {row}"));
    // No steady tick: it would take time from what is measured.
    spinner
}
