//! The broker's programs.

use crate::maven;
use anyhow::Result;
use std::path::{Path, PathBuf};

/// The broker (Apache-2.0), what it logs through, and its command-line tools.
const DEPENDENCIES: &str = "    \
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>4.3.1</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.4</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>4.3.1</version>
      <exclusions>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-runtime</artifactId></exclusion>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-json</artifactId></exclusion>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-api</artifactId></exclusion>
      </exclusions>
    </dependency>
";

/// Fetches the broker's jars into a folder of the cache, once; gives where they are.
///
/// # Errors
/// Maven is not there, or does not reach its repository.
pub fn install(cache: &Path) -> Result<PathBuf> {
    maven::jars(cache, "kafka", DEPENDENCIES)
}
