//! `cargo x check` and its mutating twin `cargo x fix`.

use crate::shell::{cargo, run};
use crate::tidy;
use anyhow::{Result, bail};
use std::process::Command;

/// Everything is built in one profile, so that C code and dependencies are built once.
const CLIPPY: [&str; 6] =
    ["clippy", "--release", "--workspace", "--all-targets", "--", "-Dwarnings"];

pub(crate) fn check() -> Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&CLIPPY)?;
    tidy()?;
    docs()?;
    licences()
}

pub(crate) fn tidy() -> Result<()> {
    let findings = tidy::findings()?;
    if !findings.is_empty() {
        bail!("tidy:\n  {}", findings.join("\n  "));
    }
    Ok(())
}

pub(crate) fn fix() -> Result<()> {
    cargo(&["fmt", "--all"])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--fix", "--allow-dirty", "--allow-staged"])
}

fn docs() -> Result<()> {
    let mut command = Command::new("cargo");
    command
        .args(["doc", "--release", "--workspace", "--no-deps", "--quiet"])
        .env("RUSTDOCFLAGS", "-Dwarnings")
        .current_dir(crate::shell::root());
    run(&mut command)
}

/// Licences, sources and advisories, by cargo-deny where it is installed.
fn licences() -> Result<()> {
    let installed = Command::new("cargo").args(["deny", "--version"]).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        eprintln!("cargo-deny is not installed (cargo install cargo-deny); tidy checked licences");
        return Ok(());
    }
    cargo(&["deny", "--offline", "check", "--config", ".deny.toml", "licenses", "bans", "sources"])
}
