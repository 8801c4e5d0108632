//! The build before the newest schema, for tests of nodes of two builds at one log.

use crate::shell::{root, run};
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::{Command, Stdio};

/// What changes with every new schema, and with nothing else: what a build reads is made of these.
const SCHEMAS: [&str; 3] = ["schemas/commands", "schemas/events", "schemas/cluster"];
/// What two nodes need to be at one log.
const KAFKA: &str = "ops/log/kafka/Cargo.toml";

/// Builds it into `target/previous/millrace`, unless it is there; says whether there is one to be
/// tested.
pub(crate) fn build() -> Result<bool> {
    if git(&["rev-parse", "--is-shallow-repository"])? == "true" {
        eprintln!("NOT TESTED: nodes of two builds, for this clone has no history");
        return Ok(false);
    }
    let newest = git(&[&["log", "-1", "--format=%H", "--"][..], &SCHEMAS].concat())?;
    let commit = git(&["rev-parse", &format!("{newest}^")])?;
    if git(&["cat-file", "-e", &format!("{commit}:{KAFKA}")]).is_err() {
        eprintln!("NOT TESTED: nodes of two builds, for the one before has no log on Kafka");
        return Ok(false);
    }
    let folder = root().join("target/previous");
    let (binary, of) = (folder.join("millrace"), folder.join("commit"));
    let known = std::fs::read_to_string(&of).unwrap_or_default();
    if known == commit && binary.is_file() {
        return Ok(true);
    }
    let source = folder.join("source");
    unpack(&commit, &source)?;
    // Of its own: cargo tells crates of two sources apart by their place below the workspace only.
    let target = folder.join("target");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--package", "millrace", "--bin", "millrace"]);
    run(cargo.arg("--target-dir").arg(&target).current_dir(&source))?;
    std::fs::copy(target.join("release/millrace"), binary)?;
    std::fs::write(of, commit)?;
    Ok(true)
}

/// Puts the files of a commit into an empty folder.
fn unpack(commit: &str, folder: &Path) -> Result<()> {
    if folder.is_dir() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    let mut archive = Command::new("git")
        .args(["archive", commit])
        .stdout(Stdio::piped())
        .current_dir(root())
        .spawn()
        .context("cannot run git")?;
    let files = archive.stdout.take().context("git gives no files")?;
    // As new as they are here: cargo goes by that.
    run(Command::new("tar").arg("-xm").stdin(files).current_dir(folder))?;
    if !archive.wait()?.success() {
        bail!("git archive {commit} failed");
    }
    Ok(())
}

fn git(arguments: &[&str]) -> Result<String> {
    let output = Command::new("git").args(arguments).current_dir(root()).output();
    let output = output.context("cannot run git")?;
    if !output.status.success() {
        bail!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
