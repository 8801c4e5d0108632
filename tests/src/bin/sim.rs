//! Runs the simulation over many seeds.

use clap::Parser;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;
use tests::sim::{Plan, Summary, run};

/// Seeds between two lines of progress.
const PROGRESS_EVERY: u64 = 50;

/// Runs seeded worlds over the in-memory models and checks what must hold in each.
#[derive(Parser)]
#[command(name = "sim")]
struct Options {
    /// How many seeds to run.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// Run this seed alone.
    #[arg(long)]
    seed: Option<u64>,
    /// Steps of each world before its faults end.
    #[arg(long, default_value_t = 600)]
    steps: usize,
    /// Plant every known bug, one after the other; fails if one survives.
    #[arg(long)]
    canaries: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    #[cfg(feature = "canary")]
    planted::plant();
    if options.canaries {
        return canaries(&options);
    }
    match options.seed {
        Some(seed) => many(&options, seed, seed + 1),
        None => many(&options, 0, options.seeds),
    }
}

/// Runs seeds on every core; stops at the first failure.
fn many(options: &Options, first: u64, end: u64) -> ExitCode {
    let begin = Instant::now();
    let (next, done, failed) = (AtomicU64::new(first), AtomicU64::new(0), AtomicBool::new(false));
    let totals: [AtomicU64; 9] = Default::default();
    let core_count = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        while !failed.load(Ordering::SeqCst) {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if seed >= end {
                return;
            }
            match run(Plan { seed, step_count: options.steps }) {
                Ok(summary) => {
                    let Summary { acknowledged, finished, claims, attempts, lost, pauses, .. } =
                        summary;
                    let Summary { moments, let_go, apart, .. } = summary;
                    let parts = [
                        acknowledged,
                        finished,
                        claims,
                        attempts,
                        lost,
                        pauses,
                        moments,
                        let_go,
                        apart,
                    ];
                    for (total, part) in totals.iter().zip(parts) {
                        total.fetch_add(part as u64, Ordering::SeqCst);
                    }
                    let done = done.fetch_add(1, Ordering::SeqCst) + 1;
                    if done % PROGRESS_EVERY == 0 || done == end - first {
                        let [
                            commands,
                            runs,
                            claims,
                            attempts,
                            lost,
                            pauses,
                            moments,
                            let_go,
                            apart,
                        ] = totals.each_ref().map(|total| total.load(Ordering::SeqCst));
                        println!(
                            "{done} seeds hold ({apart} with each key on another node): {commands} commands acknowledged, {runs} executions \
                             ended, {claims} claims, {attempts} attempts, {lost} given up, {pauses} pauses, \
                             {moments} moments of schedules, {let_go} let go by, {:.1} s",
                            begin.elapsed().as_secs_f32()
                        );
                    }
                }
                Err(breach) => {
                    failed.store(true, Ordering::SeqCst);
                    eprintln!("seed {seed}: {breach}");
                    eprintln!("again: cargo x sim --seed {seed} --steps {}", options.steps);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        (0..core_count).for_each(|_| drop(scope.spawn(work)));
    });
    if failed.load(Ordering::SeqCst) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

#[cfg(not(feature = "canary"))]
fn canaries(_: &Options) -> ExitCode {
    eprintln!("no bug is compiled in: run `cargo x sim --canaries`");
    ExitCode::FAILURE
}

/// Runs this program once for each bug: a bug stays planted for the life of a process.
#[cfg(feature = "canary")]
fn canaries(options: &Options) -> ExitCode {
    let mut survivors = 0;
    for canary in domain::canary::Canary::ALL {
        let name = canary.name();
        match planted::found(name, options) {
            Ok(Some(how)) => println!("{name}: found ({how})"),
            Ok(None) => {
                survivors += 1;
                eprintln!("{name}: not found in {} seeds", options.seeds);
            }
            Err(error) => {
                survivors += 1;
                eprintln!("{name}: {error}");
            }
        }
    }
    if survivors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(feature = "canary")]
mod planted {
    use super::Options;
    use domain::canary::{Canary, plant as plant_one};
    use std::process::Command;

    const VARIABLE: &str = "MILLRACE_CANARY";

    /// Plants the bug that the environment names.
    pub(super) fn plant() {
        let Ok(wanted) = std::env::var(VARIABLE) else { return };
        match Canary::ALL.into_iter().find(|canary| canary.name() == wanted) {
            Some(canary) => plant_one(canary),
            None => eprintln!("{VARIABLE}: no bug is called {wanted}"),
        }
    }

    /// The first line of what gave the bug away; `None`: nothing did.
    pub(super) fn found(name: &str, options: &Options) -> std::io::Result<Option<String>> {
        let output = Command::new(std::env::current_exe()?)
            .env(VARIABLE, name)
            .args(["--seeds", &options.seeds.to_string(), "--steps", &options.steps.to_string()])
            .output()?;
        if output.status.success() {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&output.stderr);
        Ok(text.lines().find(|line| line.starts_with("seed ")).map(str::to_owned))
    }
}
