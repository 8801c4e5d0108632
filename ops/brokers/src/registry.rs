//! A real schema registry with the API of Confluent's: Apicurio Registry, its data in memory.

use crate::maven;
use anyhow::{Context, Result, ensure};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program (Apache-2.0).
const ARTIFACT: &str = "io.apicurio:apicurio-registry-app:3.3.3:tar.gz:all";
const JAR: &str = "quarkus-run.jar";
/// The oldest Java that runs it.
const JAVA_MIN: u32 = 21;
/// Where Debian puts each Java.
const JAVAS: &str = "/usr/lib/jvm";

/// A registry that is laid out.
#[derive(Clone, Debug)]
pub struct Registry {
    /// What it prints goes there, and its command line names it.
    pub folder: PathBuf,
    /// Where the program is.
    pub app: PathBuf,
    /// Where it answers.
    pub port: u16,
    /// Where it answers those who look after it.
    pub management: u16,
}

impl Registry {
    /// The address of its Confluent API.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/apis/ccompat/v7", self.port)
    }

    /// What it prints.
    pub fn output(&self) -> PathBuf {
        self.folder.join("out")
    }

    /// The command that runs it.
    ///
    /// # Errors
    /// There is no Java that is new enough.
    pub fn running(&self) -> Result<Command> {
        let mut command = Command::new(java()?);
        command
            .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
            .arg(format!("-Dmillrace.folder={}", self.folder.display()))
            .args(["-Dquarkus.http.host=127.0.0.1", "-Dquarkus.management.host=127.0.0.1"])
            .arg(format!("-Dquarkus.http.port={}", self.port))
            .arg(format!("-Dquarkus.management.port={}", self.management))
            .args(["-jar", JAR])
            .current_dir(&self.app);
        Ok(command)
    }

    /// Whether it answers.
    pub fn is_up(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }
}

/// Fetches the program into a folder of the cache, once; gives where it is.
///
/// # Errors
/// Maven is not there, or does not reach its repository.
pub fn install_registry(cache: &Path) -> Result<PathBuf> {
    let folder = cache.join("registry");
    let app = folder.join("app");
    maven::once(&folder, || unpack(&folder, &app))?;
    Ok(app)
}

fn unpack(folder: &Path, app: &Path) -> Result<()> {
    std::fs::create_dir_all(app)?;
    maven::artifact(ARTIFACT, folder)?;
    let archive = std::fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "gz"));
    let archive = archive.context("mvn brought no archive")?;
    let unpacked = Command::new("tar").arg("-xzf").arg(&archive).current_dir(app).status();
    let unpacked = unpacked.context("the registry needs tar")?;
    ensure!(unpacked.success(), "{} cannot be unpacked", archive.display());
    std::fs::remove_file(archive).context("cannot remove the archive")
}

/// A Java that is new enough: that of the environment, or one of those that are installed.
// A program of the developer's own machine; no setting of Millrace.
#[allow(clippy::disallowed_methods)]
fn java() -> Result<PathBuf> {
    let named = std::env::var_os("JAVA_HOME").map(PathBuf::from);
    let installed = std::fs::read_dir(JAVAS).into_iter().flatten();
    let installed = installed.filter_map(|entry| Some(entry.ok()?.path()));
    let home = named.into_iter().chain(installed).find(|home| version(home) >= Some(JAVA_MIN));
    let home = home.with_context(|| {
        format!("the registry needs Java {JAVA_MIN} or newer, in {JAVAS} or named by JAVA_HOME")
    })?;
    Ok(home.join("bin/java"))
}

/// The version of a Java, as its own file says.
fn version(home: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(home.join("release")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("JAVA_VERSION="))?;
    line.trim_matches('"').split('.').next()?.parse().ok()
}
