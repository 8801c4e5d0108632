//! `cargo x check` and its mutating twin `cargo x fix`.

use crate::shell::{cargo, root, run};
use crate::{tidy, tools};
use anyhow::{Result, bail};
use std::process::Command;

/// One profile and one selection of packages and features, so that everything is built once. The
/// planted bugs of the simulation are compiled in; none is planted unless the simulation does it.
pub(crate) const EVERYTHING: [&str; 4] = ["--release", "--workspace", "--features", "tests/canary"];

pub(crate) fn check() -> Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&[&["clippy"], &EVERYTHING[..], &["--all-targets", "--", "-Dwarnings"]].concat())?;
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
        .current_dir(root());
    run(&mut command)
}

/// Licences, sources and advisories.
fn licences() -> Result<()> {
    let deny = || -> Result<Command> {
        let mut command = Command::new(tools::cargo_deny()?);
        command.args(["--locked", "--config", ".deny.toml"]).current_dir(root());
        Ok(command)
    };
    run(deny()?.args(["check", "--hide-inclusion-graph", "licenses", "bans", "sources"]))?;
    // The database of advisories is a repository that not every network reaches.
    match run(deny()?.args(["fetch", "db"])) {
        Ok(()) => run(deny()?.args(["check", "--hide-inclusion-graph", "advisories"])),
        Err(error) => {
            eprintln!("NOT CHECKED: advisories, whose database cannot be fetched ({error})");
            Ok(())
        }
    }
}
