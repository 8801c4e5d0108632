//! Who is at a shared log.

use crate::system::SystemClock;
use domain::cluster::{NodeSeen, Notice};
use domain::codec;
use ports::{Clock, Error, Log, Partition, Stored};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A node says that it is there several times in this time.
const LISTEN: Duration = Duration::from_millis(1_500);
const READ_BYTES_MAX: usize = 256 * 1024;

/// A node that is there.
pub(crate) struct Heard {
    /// What it says about itself.
    pub(crate) node: NodeSeen,
    /// How far its clock is ahead of this one, in milliseconds; what it said took a little time.
    pub(crate) ahead_ms: i64,
}

/// Hears who says that it is there, for a second and a half.
///
/// # Errors
/// The log cannot be read.
pub(crate) async fn listen(log: &dyn Log) -> Result<Vec<Heard>, Error> {
    let mut from = log.end(Partition::CLUSTER).await?;
    let (mut nodes, end) = (BTreeMap::new(), Instant::now() + LISTEN);
    while let Ok(changed) = timeout_at(end, log.changed(Partition::CLUSTER, from)).await {
        changed?;
        for stored in log.read(Partition::CLUSTER, from, READ_BYTES_MAX).await? {
            from = stored.offset + 1;
            hear(&stored, &mut nodes);
        }
    }
    Ok(nodes.into_values().collect())
}

fn hear(stored: &Stored, nodes: &mut BTreeMap<String, Heard>) {
    // A newer node may say something that this build does not know.
    let Ok(notice) = codec::decode::<Notice>(&stored.record.value) else { return };
    match notice.body {
        Notice::NodeSeen(node) => {
            let ahead_ms = notice.meta.occurred_at.0 - SystemClock.now().0;
            nodes.insert(node.node.clone(), Heard { node, ahead_ms });
        }
        Notice::NodeLeft(left) => {
            nodes.remove(&left.node);
        }
        Notice::LogCreated(_) | Notice::LevelRaised(_) | Notice::SchemasRegistered(_) => {}
    }
}
