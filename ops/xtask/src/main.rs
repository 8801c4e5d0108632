//! The tasks of this repository: `cargo x <task>`.

mod check;
mod shell;
mod tidy;
mod tools;

use anyhow::Result;
use check::EVERYTHING;
use clap::{Parser, Subcommand};
use shell::cargo;
use std::ffi::OsStr;
use std::process::{Command, ExitCode};

/// The tasks of this repository.
#[derive(Parser)]
#[command(name = "cargo x", bin_name = "cargo x")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run Millrace with a demo project and real traffic.
    Demo(Passed),
    /// Run every test, after the checks; installs what the tests need.
    Test {
        /// Leave out what takes more than a minute.
        #[arg(long)]
        quick: bool,
    },
    /// Format, lints, licences, docs and the rules that no linter knows. Changes nothing.
    Check,
    /// Only the rules that no linter knows; part of check.
    Tidy,
    /// Mend what a machine can mend.
    Fix,
    /// Measure (options: --json PATH).
    Bench(Passed),
    /// Kill the real process at random and count (options: --kills N).
    Crash(Passed),
    /// Run the simulation (options: --seeds N).
    Sim(Passed),
}

/// Options that go to the task's own program.
#[derive(clap::Args)]
struct Passed {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo x: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Demo(passed) => program("demo", &passed.options),
        Task::Test { quick } => test(quick),
        Task::Check => check::check(),
        Task::Tidy => check::tidy(),
        Task::Fix => check::fix(),
        Task::Bench(passed) => bench(&passed.options),
        Task::Crash(passed) => program("crash", &passed.options),
        Task::Sim(passed) => program("sim", &passed.options),
    }
}

/// Runs a program of the crate `tests` beside the release binary, with what it needs installed.
fn program<S: AsRef<OsStr>>(name: &str, options: &[S]) -> Result<()> {
    match name {
        // Only the simulation can plant bugs.
        "sim" => cargo(&[&["build"], &EVERYTHING[..], &["--bins"]].concat())?,
        _ => cargo(&["build", "--release", "--workspace", "--bins"])?,
    }
    built(name, options)
}

/// Runs a program that is built.
fn built<S: AsRef<OsStr>>(name: &str, options: &[S]) -> Result<()> {
    match name {
        "demo" => {
            tools::octokit_examples()?;
            tools::fastavro()?;
        }
        "crash" => tools::fastavro()?,
        _ => {}
    }
    let program = shell::root().join("target/release").join(name);
    shell::run(Command::new(program).args(options).current_dir(shell::root()))
}

/// Runs the bench beside a binary as it is shipped.
fn bench(options: &[String]) -> Result<()> {
    let wanted =
        ["--package", "millrace", "--package", "tests", "--bin", "millrace", "--bin", "bench"];
    cargo(&[&["build", "--profile", "dist"], &wanted[..]].concat())?;
    let program = shell::root().join("target/dist/bench");
    shell::run(Command::new(program).args(options).current_dir(shell::root()))
}

fn test(quick: bool) -> Result<()> {
    check::check()?;
    tools::paragon_connect()?;
    cargo(&[&["build"], &EVERYTHING[..], &["--bins", "--tests"]].concat())?;
    cargo(&[&["test"], &EVERYTHING[..]].concat())?;
    if quick {
        return Ok(());
    }
    built("sim", &["--seeds", "1000"])?;
    built("sim", &["--canaries"])?;
    built("crash", &["--kills", "20"])?;
    built("demo", &["--once"])
}
