//! The settings of a log on Kafka, as its crate takes them.

use crate::config::{Config, Kafka};
use anyhow::{Result, bail};
use log_kafka::{Mechanism, Options, Sasl, Tls, Wanted};
use std::path::PathBuf;

/// How to reach the cluster.
///
/// # Errors
/// A setting is missing, or is none of those that there are.
pub fn options(kafka: &Kafka) -> Result<Options> {
    if kafka.brokers.is_empty() {
        bail!("kafka.brokers is empty: name the brokers to ask first, as host:port");
    }
    // The address is written into the log, and told to whoever asks this node for a schema.
    if kafka.registry.contains('@') {
        bail!(
            "kafka.registry holds a user: name who may register in kafka.registry_user and \
             kafka.registry_password"
        );
    }
    let file = |name: &String| Some(PathBuf::from(name)).filter(|path| path.as_os_str() != "");
    let tls = kafka.tls.then(|| Tls {
        authority_file: file(&kafka.tls_authority_file),
        certificate_file: file(&kafka.tls_certificate_file),
        key_file: file(&kafka.tls_key_file),
    });
    let mut options = Options::new(&kafka.brokers, &kafka.prefix);
    options.dev = kafka.dev;
    options.tls = tls;
    options.sasl = sasl(kafka)?;
    Ok(options)
}

fn sasl(kafka: &Kafka) -> Result<Option<Sasl>> {
    let mechanism = match kafka.sasl_mechanism.to_uppercase().as_str() {
        "" => return Ok(None),
        "PLAIN" => Mechanism::Plain,
        "SCRAM-SHA-256" => Mechanism::ScramSha256,
        "SCRAM-SHA-512" => Mechanism::ScramSha512,
        other => {
            bail!("kafka.sasl_mechanism is {other}: use PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
        }
    };
    let password = kafka.sasl_password.clone().into();
    Ok(Some(Sasl { mechanism, user: kafka.sasl_user.clone(), password }))
}

/// What a new log is to be.
pub fn wanted(config: &Config) -> Wanted {
    Wanted {
        partitions: config.log.partitions,
        replication: config.kafka.replication,
        in_sync_min: config.kafka.in_sync_min,
        commands_retention_ms: config.kafka.commands_retention_hours.saturating_mul(3_600_000),
    }
}
