//! What the tests and the demo need beside cargo: installed into `target/tools`, pinned.

use crate::shell::{cache, run};
use anyhow::{Context, Result};
use std::process::Command;

const OCTOKIT_EXAMPLES: &str = "@octokit/webhooks-examples@7.6.1";
const FASTAVRO: &str = "fastavro==1.13.1";

/// GitHub's recorded webhook payloads (MIT).
pub(crate) fn octokit_examples() -> Result<()> {
    let folder = cache().join("npm");
    if folder.join("node_modules/@octokit/webhooks-examples").is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(&folder)?;
    run(Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--no-save", "--prefix", "."])
        .arg(OCTOKIT_EXAMPLES)
        .current_dir(&folder))
    .context("the demo needs npm, to install GitHub's recorded payloads")
}

/// An Avro reader that no one here wrote.
pub(crate) fn fastavro() -> Result<()> {
    let folder = cache().join("python");
    if folder.join("bin/python").is_file() {
        return Ok(());
    }
    std::fs::create_dir_all(cache())?;
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder))
        .context("the crash test needs python3 with venv, for an independent reader of the log")?;
    run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", FASTAVRO]))
}
