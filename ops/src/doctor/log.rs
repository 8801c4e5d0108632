//! The log.

use super::Findings;
use crate::config::{Backend, Config, Kafka};
use crate::{kafka, registry};
use domain::codec;
use log_embedded::Snapshot;
use log_kafka::{Identity, KafkaLog};
use ports::Log;
use std::sync::Arc;

/// Looks at the log; gives it, if it can be read.
pub(super) async fn examine(config: &Config, findings: &mut Findings) -> Option<Arc<dyn Log>> {
    let log = match config.log.backend {
        Backend::Embedded => embedded(config, findings),
        Backend::Kafka => on_kafka(config, findings).await,
    }?;
    let (id, partitions) = (log.identity(), log.partitions());
    findings.ok("log", format!("{id} with {partitions} partitions"));
    if partitions != config.log.partitions {
        findings.ok("log", format!("log.partitions = {} does not count", config.log.partitions));
    }
    Some(log)
}

fn embedded(config: &Config, findings: &mut Findings) -> Option<Arc<dyn Log>> {
    let path = config.data.join("log");
    if !path.is_dir() {
        let what = format!("there is none in {}; the first start makes it", config.data.display());
        findings.ok("log", what);
        return None;
    }
    match Snapshot::take(path) {
        Ok(log) => Some(Arc::new(log)),
        Err(error) => {
            findings.bad("log", error.to_string(), "mend the disk, or restore a backup");
            None
        }
    }
}

async fn on_kafka(config: &Config, findings: &mut Findings) -> Option<Arc<dyn Log>> {
    let options = match kafka::options(&config.kafka) {
        Ok(options) => options,
        Err(error) => {
            findings.bad("kafka", format!("{error:#}"), "see [kafka] in ops/default.toml");
            return None;
        }
    };
    let plan = match log_kafka::plan(&options, kafka::wanted(config)).await {
        Ok(plan) => plan,
        Err(error) => {
            findings.bad("kafka", error.to_string(), "no node starts before");
            return None;
        }
    };
    for line in plan.refusals() {
        let (what, mend) = line.rsplit_once(": ").unwrap_or((line, "see `millrace migrate`"));
        findings.bad("topics", what, mend);
    }
    for line in plan.warnings() {
        let (what, mend) = line.rsplit_once(": ").unwrap_or((line, "see `millrace migrate`"));
        findings.warn("topics", what, mend);
    }
    if plan.refusals().is_empty() {
        match plan.steps().len() {
            0 => findings.ok("topics", "all are there, and keep what they are given"),
            count => {
                let what = format!("there are {count} things to do before a node starts");
                findings.bad("topics", what, "run `millrace migrate`");
                return None;
            }
        }
    }
    match KafkaLog::open(options).await {
        Ok(log) => {
            if let Some(identity) = plan.identity() {
                level(identity.level, findings);
                schemas(&config.kafka, identity, findings).await;
            }
            Some(Arc::new(log))
        }
        Err(error) => {
            findings.bad("log", error.to_string(), "no node starts before");
            None
        }
    }
}

/// Whether who reads the topics finds the schemas of the records.
async fn schemas(kafka: &Kafka, log: &Identity, findings: &mut Findings) {
    let Some(registered) = &log.registered else {
        return match kafka.registry.as_str() {
            "" => findings.ok("registry", "any node answers as one, at /registry"),
            url => findings.warn(
                "registry",
                format!("{url} does not count: records begin with Millrace's own ids"),
                "empty kafka.registry, or copy the log to another kafka.prefix",
            ),
        };
    };
    let url = &registered.registry;
    match registry::check(kafka, registered).await {
        Ok(count) => {
            findings.ok("registry", format!("{url} has all {count} schemas that this build knows"))
        }
        Err(error) => findings.bad(
            "registry",
            format!("records begin with the ids of {url}: {error:#}"),
            "put the registry back that the log was made with, and name it in kafka.registry",
        ),
    }
}

fn level(level: u32, findings: &mut Findings) {
    let ours = codec::schema_max();
    if level < ours {
        let what = format!("records up to schema {level} are written, this build knows {ours}");
        findings.warn("level", what, "when every node is updated, run `millrace migrate`");
    } else {
        findings.ok("level", format!("records up to schema {level} are written"));
    }
}
