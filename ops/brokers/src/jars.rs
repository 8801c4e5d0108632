//! The broker's programs.

use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The broker (Apache-2.0), what it logs through, and its command-line tools.
const POM: &str = r#"<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>millrace</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>4.3.1</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.4</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>4.3.1</version>
      <exclusions>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-runtime</artifactId></exclusion>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-json</artifactId></exclusion>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-api</artifactId></exclusion>
      </exclusions>
    </dependency>
  </dependencies>
</project>
"#;
const COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies";

/// Fetches the broker's jars into a folder of the cache, once; gives where they are.
///
/// # Errors
/// Maven is not there, or does not reach its repository.
pub fn install(cache: &Path) -> Result<PathBuf> {
    let folder = cache.join("kafka");
    let (jars, whole) = (folder.join("jars"), folder.join("whole"));
    if whole.is_file() {
        return Ok(jars);
    }
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("pom.xml"), POM)?;
    let needs = "Kafka comes from Maven Central and needs mvn and java 17 or later";
    let fetched = Command::new("mvn")
        .args(["--quiet", "--batch-mode", COPY, "-DincludeScope=runtime"])
        .arg(format!("-DoutputDirectory={}", jars.display()))
        .current_dir(&folder)
        .status()
        .context(needs)?;
    ensure!(fetched.success(), "mvn ended with {fetched}: {needs}");
    // What was interrupted is begun again.
    std::fs::write(whole, "")?;
    Ok(jars)
}
