//! The tasks of this repository: `cargo x <task>`.

mod check;
mod previous;
mod servers;
mod shell;
mod tidy;
mod tools;

use anyhow::Result;
use check::EVERYTHING;
use clap::{Parser, Subcommand};
use shell::cargo;
use std::ffi::OsStr;
use std::process::{Command, ExitCode};
use std::time::Duration;

/// Longer than any step of the tests takes.
const STEP_MAX: Duration = Duration::from_secs(20 * 60);

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
    /// Bundle the libraries of functions anew; nothing changes unless their versions did.
    Libraries,
    /// Measure (options: --json PATH).
    Bench(Passed),
    /// Kill the real process at random and count (options: --kills N).
    Crash(Passed),
    /// Bring real faults about under load and count (options: --only NAME, --json PATH).
    Fault(Passed),
    /// Run the simulation (options: --seeds N).
    Sim(Passed),
    /// Start, stop or show the real servers that tests run against.
    #[command(subcommand)]
    Servers(servers::Servers),
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
        Task::Libraries => tools::libraries(),
        Task::Bench(passed) => bench(&passed.options),
        Task::Crash(passed) => program("crash", &passed.options),
        Task::Fault(passed) => program("fault", &passed.options),
        Task::Sim(passed) => program("sim", &passed.options),
        Task::Servers(what) => servers::run(&what),
    }
}

/// Runs a program of the crate `tests` beside the release binary, with what it needs installed.
fn program<S: AsRef<OsStr>>(name: &str, options: &[S]) -> Result<()> {
    match name {
        // Only the simulation can plant bugs.
        "sim" => cargo(&[&["build"], &EVERYTHING[..], &["--bins"]].concat())?,
        _ => cargo(&["build", "--release", "--workspace", "--bins"])?,
    }
    let on_kafka = options.iter().any(|option| option.as_ref() == "kafka");
    if on_kafka { servers::with(|| built(name, options)) } else { built(name, options) }
}

/// Runs a program that is built.
fn built<S: AsRef<OsStr>>(name: &str, options: &[S]) -> Result<()> {
    match name {
        "demo" => {
            tools::octokit_examples()?;
            tools::fastavro()?;
        }
        "crash" => tools::fastavro()?,
        "fault" => {
            tools::fastavro()?;
            tools::kafka()?;
        }
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
    let measure = || shell::run(Command::new(program).args(options).current_dir(shell::root()));
    if options.iter().any(|option| option == "kafka") { servers::with(measure) } else { measure() }
}

fn test(quick: bool) -> Result<()> {
    shell::limit_each(STEP_MAX);
    check::check()?;
    tools::paragon_connect()?;
    tools::signers()?;
    tools::oauth()?;
    tools::fastavro()?;
    tools::deserializer()?;
    let skipped: &[&str] = if previous::build()? { &[] } else { &["--", "--skip", "upgrade::"] };
    cargo(&[&["build"], &EVERYTHING[..], &["--bins", "--tests"]].concat())?;
    servers::with_registry(|| {
        cargo(&[&["test"], &EVERYTHING[..], skipped].concat())?;
        if quick { Ok(()) } else { on_kafka() }
    })?;
    if quick {
        return Ok(());
    }
    built("sim", &["--seeds", "1000"])?;
    built("sim", &["--canaries"])?;
    built("crash", &["--kills", "20"])?;
    built("demo", &["--once"])
}

/// The tests from outside once more, with every node's log on Kafka; but for those of what only a
/// folder has.
fn on_kafka() -> Result<()> {
    // They wait for the broker more than they work.
    let skipped = ["golden::", "disk::", "cluster::", "upgrade::", "registry::"]
        .map(|name| ["--skip", name])
        .concat();
    let wanted = [&skipped[..], &["--test-threads", "4"]].concat();
    let mut tests = Command::new("cargo");
    tests.arg("test").args(EVERYTHING).args(["--test", "e2e", "--"]).args(wanted);
    shell::run(tests.env("TESTS_ON", "kafka").current_dir(shell::root()))?;
    tools::octokit_examples()?;
    let mut crash = Command::new(shell::root().join("target/release/crash"));
    crash.args(["--kills", "5"]).env("TESTS_ON", "kafka");
    shell::run(crash.current_dir(shell::root()))?;
    built("demo", &["--once", "--backend", "kafka"])
}
