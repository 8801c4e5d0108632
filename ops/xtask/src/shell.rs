//! Other programs.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

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
    let status = command.status().with_context(|| format!("cannot run {shown}"))?;
    eprintln!("= {:.0} s: {shown}", begun.elapsed().as_secs_f32());
    if !status.success() {
        bail!("{shown} ended with {status}");
    }
    Ok(())
}
