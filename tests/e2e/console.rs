//! The topics of a log as Kafka's own console consumer prints them, with a deserializer that others
//! wrote.

use brokers::Console;
use futures_util::future::join_all;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;
use tests::harness::backend::Topics;
use tests::harness::tools;
use tokio::process::Command;
use tokio::time::timeout;

/// A tool that is missing is a failure: the format would go unchecked.
const MISSING: &str = "the deserializer is not installed; `cargo x test` does that";
/// Longer than it takes to print a topic.
const PATIENCE: Duration = Duration::from_secs(120);
/// What is Avro of the log: `keys` is not.
const TOPICS: [&str; 4] = ["config", "commands", "events", "cluster"];

/// The records of each topic.
type Printed = BTreeMap<&'static str, Vec<Value>>;

/// The API of the same registry that the deserializer speaks.
fn console(topics: &Topics, registry: &str) -> Console {
    let deserializer = tools().join("deserializer/jars");
    assert!(deserializer.is_dir(), "{MISSING}");
    Console {
        kafka: tools().join("kafka/jars"),
        deserializer,
        brokers: topics.brokers.clone(),
        registry: registry.replace("/apis/ccompat/v7", "/apis/registry/v2"),
    }
}

/// So many records of a topic. What is printed is nothing but JSON, one a line.
async fn print(console: &Console, topic: &str, count: u64) -> Vec<Value> {
    let mut command = Command::from(console.printing(topic, count));
    command.kill_on_drop(true).stdin(Stdio::null());
    let printed = timeout(PATIENCE, command.output()).await.expect(topic).unwrap();
    let out = String::from_utf8(printed.stdout).unwrap();
    let said = String::from_utf8_lossy(&printed.stderr);
    assert!(printed.status.success(), "{topic}: {out}{said}");
    let json = |line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{topic}: {out}"));
    out.lines().map(json).collect()
}

/// Every record of every topic is printed in clear: what each topic has. `counted` says how many.
pub(crate) async fn printed(topics: &Topics, registry: &str, counted: &Value) -> Printed {
    let console = console(topics, registry);
    let printing = TOPICS.map(async |name| {
        let count = counted[name].as_u64().expect(name);
        let records = print(&console, &format!("{}.{name}", topics.prefix), count).await;
        assert_eq!(records.len() as u64, count, "{name}");
        for record in &records {
            let occurred_at = record["meta"]["occurred_at"].as_i64();
            assert!(occurred_at.is_some_and(|ms| ms > 0), "{name}: {record}");
        }
        (name, records)
    });
    join_all(printing).await.into_iter().collect()
}
