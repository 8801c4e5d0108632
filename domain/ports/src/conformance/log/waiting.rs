//! Readers that have caught up are woken.

use super::{append, changed, end, pass, read, records};
use crate::log::{Log, Partition};
use futures_util::future::{join, join_all};

const ROUNDS: usize = 200;

pub(super) async fn changed_wakes(log: &dyn Log, partition: Partition) {
    let from = end(log, partition).await;
    let waiting = join_all((0..3).map(|_| async {
        while read(log, partition, from, 1).await.is_empty() {
            changed(log, partition, from).await;
            pass().await;
        }
    }));
    let appending = async {
        pass().await;
        append(log, records(partition, "wake", 1)).await
    };
    let (_, offsets) = join(waiting, appending).await;
    changed(log, partition, from).await;
    assert!(offsets[0] >= from, "the record that woke them");
}

/// Two who each wait for the other: one lost wake-up stops both.
pub(super) async fn no_wake_up_is_lost(log: &dyn Log, partition: Partition) {
    let from = end(log, partition).await;
    let side = |name: &'static str, first: usize| async move {
        let mut next = from;
        for round in 0..ROUNDS {
            if round % 2 == first {
                append(log, records(partition, name, 1)).await;
            }
            // One at a time: an exclusive log may already show the other side's answer.
            next = loop {
                if let Some(found) = read(log, partition, next, 1).await.first() {
                    break found.offset + 1;
                }
                changed(log, partition, next).await;
                pass().await;
            };
        }
    };
    join(side("ping", 0), side("pong", 1)).await;
}
