//! Against a real broker: `cargo x servers up` starts it, `cargo x test` does so by itself.

mod cold;
mod conformance;
mod draft;
mod migrate;
mod refusals;
mod security;

use crate::{KafkaLog, Options, Wanted, plan};
use domain::time::Timestamp;
use std::collections::HashMap;
use std::path::Path;
use uuid::Uuid;

/// What the broker is like, as `cargo x servers` wrote it down.
fn server() -> HashMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target/servers/kafka");
    let text = std::fs::read_to_string(path).expect("a broker: `cargo x servers up` starts one");
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// A log of its own for each test.
fn options() -> Options {
    let prefix = format!("test-{}", Uuid::new_v4().simple());
    Options { dev: true, ..Options::new(server()["brokers"].clone(), prefix) }
}

const WANTED: Wanted =
    Wanted { partitions: 8, replication: 1, in_sync_min: 1, commands_retention_ms: 86_400_000 };

async fn migrated(options: &Options) {
    let plan = plan(options, WANTED).await.expect("a plan");
    plan.carry_out(None, Timestamp(1_700_000_000_000)).await.expect("topics");
}

async fn opened(options: &Options) -> KafkaLog {
    KafkaLog::open(options.clone()).await.expect("it opens")
}
