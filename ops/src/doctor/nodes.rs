//! The nodes at the log, and the clocks.

use super::Findings;
use crate::system::SystemClock;
use domain::cluster::{NodeSeen, Notice};
use domain::codec;
use ports::{Clock, Error, Log, Partition, Stored};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A node says that it is there several times in this time.
const LISTEN: Duration = Duration::from_millis(1_500);
/// Clocks that are further apart than this are told, in milliseconds.
const APART_MS: i64 = 1_000;
/// Clocks that are further apart than this do harm, in milliseconds.
const APART_MS_MAX: i64 = 60_000;
const READ_BYTES_MAX: usize = 256 * 1024;

const CLOCK: &str = "set the clocks of all machines by NTP: delays and tokens go by them";

/// A node, and how far its clock is ahead of this one, in milliseconds.
type Heard = (NodeSeen, i64);

pub(super) async fn examine(log: &dyn Log, findings: &mut Findings) {
    match newest(log).await {
        Ok(None) => findings.ok("clock", "there are no events yet to compare with"),
        Ok(Some(at)) => {
            let ahead = at - SystemClock.now().0;
            compare(ahead, "the newest event is", findings);
        }
        Err(error) => findings.bad("clock", error.to_string(), "see the log"),
    }
    // Of a log in a folder there is no stream in which nodes meet.
    let Ok(from) = log.end(Partition::CLUSTER).await else { return };
    if log.start(Partition::CLUSTER).await.is_ok_and(|start| start == from) {
        return;
    }
    match listen(log, from).await {
        Ok(nodes) if nodes.is_empty() => findings.ok("nodes", "none runs at this log"),
        Ok(nodes) => {
            for (node, ahead) in nodes.values() {
                let whose = format!("the clock of {} is", node.node);
                compare(*ahead, &whose, findings);
            }
            let nodes: Vec<NodeSeen> = nodes.into_values().map(|(node, _)| node).collect();
            builds(&nodes, findings);
        }
        Err(error) => findings.bad("nodes", error.to_string(), "see the log"),
    }
}

fn compare(ahead_ms: i64, whose: &str, findings: &mut Findings) {
    let what = format!("{whose} {ahead_ms} ms ahead of this machine's clock");
    // What is older was written before; only the future is wrong.
    if ahead_ms >= APART_MS_MAX {
        findings.bad("clock", what, CLOCK);
    } else if ahead_ms >= APART_MS {
        findings.warn("clock", what, CLOCK);
    } else {
        findings.ok("clock", format!("{whose} not ahead of this machine's clock"));
    }
}

fn builds(nodes: &[NodeSeen], findings: &mut Findings) {
    let ours = codec::schema_max();
    for node in nodes {
        let NodeSeen { node: name, address, ready, version, schema_max } = node;
        let state = if *ready { "ready" } else { "catching up" };
        let what = format!("{name} at {address} runs {version}, and is {state}");
        if u32::try_from(*schema_max).is_ok_and(|theirs| theirs < ours) {
            let mend = "update it: what newer nodes write it cannot read";
            findings.bad("nodes", format!("{what}; it is older than this build"), mend);
        } else {
            findings.ok("nodes", what);
        }
    }
    let first = nodes.first().map(|node| &node.version);
    if nodes.iter().any(|node| Some(&node.version) != first) {
        findings.warn("nodes", "they run different builds", "finish the update");
    }
}

/// When the newest event happened, in milliseconds since 1970.
async fn newest(log: &dyn Log) -> Result<Option<i64>, Error> {
    let mut newest = None;
    for number in 0..log.partitions() {
        let partition = Partition::events(number);
        let last = log.end(partition).await? - 1;
        if last < 0 {
            continue;
        }
        for stored in log.read(partition, last, 1).await? {
            let meta = codec::decode_meta(&stored.record.value);
            newest = newest.max(meta.ok().map(|(_, meta)| meta.occurred_at.0));
        }
    }
    Ok(newest)
}

/// Hears who says that it is there.
async fn listen(log: &dyn Log, mut from: i64) -> Result<BTreeMap<String, Heard>, Error> {
    let (mut nodes, end) = (BTreeMap::new(), Instant::now() + LISTEN);
    while let Ok(changed) = timeout_at(end, log.changed(Partition::CLUSTER, from)).await {
        changed?;
        for stored in log.read(Partition::CLUSTER, from, READ_BYTES_MAX).await? {
            from = stored.offset + 1;
            hear(&stored, &mut nodes);
        }
    }
    Ok(nodes)
}

fn hear(stored: &Stored, nodes: &mut BTreeMap<String, Heard>) {
    // A newer node may say something that this build does not know.
    let Ok(notice) = codec::decode::<Notice>(&stored.record.value) else { return };
    match notice.body {
        Notice::NodeSeen(seen) => {
            let ahead = notice.meta.occurred_at.0 - SystemClock.now().0;
            nodes.insert(seen.node.clone(), (seen, ahead));
        }
        Notice::NodeLeft(left) => {
            nodes.remove(&left.node);
        }
        Notice::LogCreated(_) => {}
    }
}
