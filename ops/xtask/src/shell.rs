//! Other programs.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long each program may take; without it, for ever.
static LIMIT: OnceLock<Duration> = OnceLock::new();
const LOOK: Duration = Duration::from_millis(50);

/// From now on no program may take longer: what hangs is told, and not waited for.
pub(crate) fn limit_each(limit: Duration) {
    LIMIT.get_or_init(|| limit);
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Where tools and downloads are kept between runs.
pub(crate) fn cache() -> PathBuf {
    root().join("target").join("tools")
}

/// Runs cargo in the root of the repository.
pub(crate) fn cargo(arguments: &[&str]) -> Result<()> {
    run(Command::new("cargo").args(arguments).current_dir(root()))
}

/// Runs a program, says how long it took, and fails if it does.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = format!("{command:?}").replace('"', "");
    eprintln!("+ {shown}");
    let begun = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot run {shown}"))?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if let Some(limit) = LIMIT.get()
            && begun.elapsed() > *limit
        {
            child.kill()?;
            child.wait()?;
            bail!("{shown} did not end within {} minutes", limit.as_secs() / 60);
        }
        std::thread::sleep(LOOK);
    };
    eprintln!("= {:.0} s: {shown}", begun.elapsed().as_secs_f32());
    if !status.success() {
        bail!("{shown} ended with {status}");
    }
    Ok(())
}
