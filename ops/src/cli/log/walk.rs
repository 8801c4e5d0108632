//! Every record of a log, in the order of time, read a little at a time.

use anyhow::Result;
use domain::codec;
use domain::meta::Meta;
use ports::{Log, Offset, Partition, Stored};
use std::collections::VecDeque;

/// Bytes read of a partition in one go.
const READ_BYTES_MAX: usize = 256 * 1024;

/// A walk over every partition at once.
pub(super) struct Walk<'a> {
    log: &'a dyn Log,
    cursors: Vec<Cursor>,
}

/// How far the walk is in one partition.
struct Cursor {
    partition: Partition,
    from: Offset,
    at_hand: VecDeque<(Stored, Meta)>,
    has_ended: bool,
}

impl<'a> Walk<'a> {
    /// A walk from the beginning.
    pub(super) fn new(log: &'a dyn Log) -> Self {
        let numbers = 0..log.partitions();
        let pairs = numbers.flat_map(|n| [Partition::commands(n), Partition::events(n)]);
        let partitions = pairs.chain([Partition::CONFIG]);
        let cursor = |partition| {
            let at_hand = VecDeque::new();
            Cursor { partition, from: 0, at_hand, has_ended: false }
        };
        Self { log, cursors: partitions.map(cursor).collect() }
    }

    /// The next record. Those of one partition come in its order.
    pub(super) async fn next(&mut self) -> Result<Option<(Partition, Stored, Meta)>> {
        for cursor in &mut self.cursors {
            cursor.fill(self.log).await?;
        }
        let time = |cursor: &&mut Cursor| {
            cursor.at_hand.front().map(|(_, meta)| (meta.occurred_at, meta.event_id))
        };
        let waiting = self.cursors.iter_mut().filter(|cursor| !cursor.at_hand.is_empty());
        let Some(cursor) = waiting.min_by_key(time) else { return Ok(None) };
        let next = cursor.at_hand.pop_front();
        Ok(next.map(|(stored, meta)| (cursor.partition, stored, meta)))
    }
}

impl Cursor {
    /// Reads on, if nothing is at hand. What cannot be read is told, and passed over.
    async fn fill(&mut self, log: &dyn Log) -> Result<()> {
        if self.from == 0 {
            self.from = log.start(self.partition).await?;
        }
        while self.at_hand.is_empty() && !self.has_ended {
            let batch = log.read(self.partition, self.from, READ_BYTES_MAX).await?;
            self.has_ended = batch.is_empty();
            for stored in batch {
                self.from = stored.offset + 1;
                if stored.record.is_gap() {
                    continue;
                }
                match codec::decode_meta(&stored.record.value) {
                    Ok((_, meta)) => self.at_hand.push_back((stored, meta)),
                    Err(error) => eprintln!(
                        "millrace: {:?} at {} cannot be read: {error}",
                        self.partition, stored.offset
                    ),
                }
            }
        }
        Ok(())
    }
}
