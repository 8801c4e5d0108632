//! `cargo x check` and its mutating twin `cargo x fix`.

use crate::shell::{cargo, root, run};
use crate::{tidy, tools};
use anyhow::{Context, Result, bail};
use std::process::Command;

/// One profile and one selection of packages and features, so that everything is built once. The
/// planted bugs of the simulation are compiled in; none is planted unless the simulation does it.
pub(crate) const EVERYTHING: [&str; 4] = ["--release", "--workspace", "--features", "tests/canary"];

pub(crate) fn check() -> Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&[&["clippy"], &EVERYTHING[..], &["--all-targets", "--", "-Dwarnings"]].concat())?;
    tidy()?;
    published()?;
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
    cargo(&["clippy", "--workspace", "--all-targets", "--fix", "--allow-dirty", "--allow-staged"])?;
    let arguments = [&["test"], &EVERYTHING[..], &["--lib", "--quiet", "--"], &PUBLISHED];
    let mut command = Command::new("cargo");
    command.args(arguments.concat()).env("UPDATE", "1").current_dir(root());
    run(&mut command)
}

/// The tests that compare what is published with what the code says.
const PUBLISHED: [&str; 2] =
    ["the_file_describes_what_is_served", "the_published_schema_is_the_one_of_the_parser"];
/// Where they are.
const PUBLISHED_IN: [&str; 2] = ["ingest/src/openapi.rs", "domain/src/definition/tests/schema.rs"];

/// `ingest/openapi.json` and `schemas/project.schema.json` are what the code says.
fn published() -> Result<()> {
    for (test, file) in PUBLISHED.iter().zip(PUBLISHED_IN) {
        // A test of another name would not be run, and nothing compared.
        if !std::fs::read_to_string(root().join(file))?.contains(&format!("fn {test}()")) {
            bail!(
                "{file} has no test {test} any more: name the one that took its place in check.rs"
            );
        }
    }
    let arguments = [&["test"], &EVERYTHING[..], &["--lib", "--quiet", "--"], &PUBLISHED];
    cargo(&arguments.concat()).context("a published file is old: `cargo x fix` writes it anew")
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
