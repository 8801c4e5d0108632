//! Kafka's own console consumer, with an Avro deserializer that others wrote.

use crate::broker::java;
use crate::maven;
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The deserializer (Apache-2.0). Clients, and what they log through, Kafka has.
const DEPENDENCIES: &str = "    \
    <dependency><groupId>io.apicurio</groupId><artifactId>apicurio-registry-serdes-avro-serde</artifactId><version>2.6.13.Final</version>
      <exclusions>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>*</artifactId></exclusion>
        <exclusion><groupId>org.slf4j</groupId><artifactId>*</artifactId></exclusion>
      </exclusions>
    </dependency>
";
const DESERIALIZER: &str = "io.apicurio.registry.serde.avro.AvroKafkaDeserializer";
/// A record begins with 0 and four bytes, as in Confluent's format.
const ID: &str = "io.apicurio.registry.serde.Legacy4ByteIdHandler";
/// How long it waits for one more record.
const PATIENCE_MS: &str = "30000";

/// Fetches the deserializer's jars into a folder of the cache, once; gives where they are.
///
/// # Errors
/// Maven is not there, or does not reach its repository.
pub fn install_deserializer(cache: &Path) -> Result<PathBuf> {
    maven::jars(cache, "deserializer", DEPENDENCIES)
}

/// What prints topics.
#[derive(Clone, Debug)]
pub struct Console {
    /// Where the broker's jars are; see [`crate::install`].
    pub kafka: PathBuf,
    /// Where the deserializer's jars are; see [`install_deserializer`].
    pub deserializer: PathBuf,
    /// Whom it asks: `host:port`, separated by commas.
    pub brokers: String,
    /// The address of the registry's own API, version 2.
    pub registry: String,
}

impl Console {
    /// The program that prints the first records of a topic, each as a line of JSON. It fails at one
    /// that it cannot decode, and says so among them; also when there are fewer, but then ends well.
    pub fn printing(&self, topic: &str, count: u64) -> Command {
        // Kafka's own script has them in this order, if CLASSPATH names the deserializer.
        let mut command = java(
            &[&self.deserializer, &self.kafka],
            "org.apache.kafka.tools.consumer.ConsoleConsumer",
        );
        command
            .args(["--bootstrap-server", &self.brokers, "--topic", topic, "--from-beginning"])
            .args(["--max-messages", &count.to_string(), "--timeout-ms", PATIENCE_MS])
            .args(["--formatter-property", &format!("value.deserializer={DESERIALIZER}")]);
        for (key, value) in
            [("url", self.registry.as_str()), ("id-handler", ID), ("use-id", "contentId")]
        {
            let property = format!("value.deserializer.apicurio.registry.{key}={value}");
            command.args(["--formatter-property", &property]);
        }
        command
    }
}
