//! What Maven Central has, in folders of the cache.

use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

const PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1";

/// Fills a folder once.
pub(crate) fn once(folder: &Path, fill: impl FnOnce() -> Result<()>) -> Result<()> {
    let whole = folder.join("whole");
    if whole.is_file() {
        return Ok(());
    }
    std::fs::create_dir_all(folder)?;
    fill()?;
    // What was interrupted is begun again.
    Ok(std::fs::write(whole, "")?)
}

/// Fetches dependencies, with what they need, into a folder of the cache, once; gives where the
/// jars are.
pub(crate) fn jars(cache: &Path, name: &str, dependencies: &str) -> Result<PathBuf> {
    let folder = cache.join(name);
    let jars = folder.join("jars");
    once(&folder, || {
        std::fs::write(folder.join("pom.xml"), pom(name, dependencies))?;
        copy("copy-dependencies", "-DincludeScope=runtime", &jars, &folder)
    })?;
    Ok(jars)
}

/// Fetches one artifact into a folder.
pub(crate) fn artifact(name: &str, folder: &Path) -> Result<()> {
    copy("copy", &format!("-Dartifact={name}"), folder, folder)
}

fn pom(name: &str, dependencies: &str) -> String {
    format!(
        r#"<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>millrace</groupId><artifactId>{name}</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
{dependencies}  </dependencies>
</project>
"#
    )
}

fn copy(goal: &str, what: &str, into: &Path, project: &Path) -> Result<()> {
    let needs = || {
        format!("{} comes from Maven Central and needs mvn and Java 17 or later", into.display())
    };
    let fetched = Command::new("mvn")
        .args(["--quiet", "--batch-mode"])
        .arg(format!("{PLUGIN}:{goal}"))
        .arg(what)
        .arg(format!("-DoutputDirectory={}", into.display()))
        .current_dir(project)
        .status()
        .with_context(needs)?;
    ensure!(fetched.success(), "mvn ended with {fetched}: {}", needs());
    Ok(())
}
