//! The nodes at the log, and the clocks.

use super::Findings;
use crate::cluster::listen;
use crate::system::SystemClock;
use domain::cluster::NodeSeen;
use domain::codec;
use ports::{Clock, Error, Log, Partition};

/// Clocks that are further apart than this are told, in milliseconds.
const APART_MS: i64 = 1_000;
/// Clocks that are further apart than this do harm, in milliseconds.
const APART_MS_MAX: i64 = 60_000;
const CLOCK: &str = "set the clocks of all machines by NTP: delays and tokens go by them";

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
    let Ok(end) = log.end(Partition::CLUSTER).await else { return };
    if log.start(Partition::CLUSTER).await.is_ok_and(|start| start == end) {
        return;
    }
    match listen(log).await {
        Ok(nodes) if nodes.is_empty() => findings.ok("nodes", "none runs at this log"),
        Ok(nodes) => {
            for heard in &nodes {
                let whose = format!("the clock of {} is", heard.node.node);
                compare(heard.ahead_ms, &whose, findings);
            }
            let nodes: Vec<NodeSeen> = nodes.into_iter().map(|heard| heard.node).collect();
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
