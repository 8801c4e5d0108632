//! The thread that sees whether others append to a partition that is not read.

use super::Shared;
use super::lane::Lane;
use super::lanes::Placed;
use ports::{Error, Offset, Partition};
use rdkafka::consumer::Consumer;
use rdkafka::topic_partition_list::TopicPartitionList;
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How often it is asked where partitions end, and how long an append of this process may take to be
/// known to it. A record of somebody else is late by no more than two of these, once.
const LOOK: Duration = Duration::from_millis(50);
/// Looks without a record of this process, until a partition is read again.
const QUIET_MAX: u32 = 4;
const ASK: Duration = Duration::from_secs(1);

/// Watches until the log is closed.
pub(super) fn run(shared: &Shared) {
    let mut seen = HashMap::new();
    while !shared.stopped.load(Ordering::Acquire) {
        std::thread::sleep(LOOK);
        let watched = shared.lanes.those(Lane::is_watched);
        if watched.is_empty() {
            seen.clear();
            continue;
        }
        match shared.ends(&watched) {
            Ok(ends) => shared.compare(&watched, &ends, &mut seen),
            Err(error) => {
                // What cannot be asked for is read: a reader finds another leader by itself.
                tracing::debug!(%error, "partitions of Kafka cannot be watched");
                watched.iter().for_each(|(partition, lane)| shared.resume(*partition, lane));
                seen.clear();
            }
        }
    }
}

/// A partition at the last look.
#[derive(Clone, Copy, Default)]
struct Seen {
    end: Offset,
    /// Looks since this process appended.
    quiet: u32,
}

impl Seen {
    /// What the next look finds; `false`: somebody else may have appended, or may be next.
    fn goes_on(&mut self, end: Offset, (next, ours): (Offset, u64)) -> bool {
        // What was there at the last look is known by now, if it is this process's.
        let is_own = next >= self.end;
        self.end = end;
        self.quiet = if ours > 0 { 0 } else { self.quiet + 1 };
        is_own && self.quiet < QUIET_MAX
    }
}

impl Shared {
    /// Where partitions end, in one question.
    fn ends(&self, watched: &[Placed]) -> Result<HashMap<Partition, Offset>, Error> {
        let failed = |error: rdkafka::error::KafkaError| Error::Unavailable(error.to_string());
        let mut asked = TopicPartitionList::new();
        for (partition, _) in watched {
            let (topic, number) = self.topics.place(*partition)?;
            asked.add_partition_offset(topic, number, rdkafka::Offset::End).map_err(failed)?;
        }
        let told = self.asker.offsets_for_times(asked, ASK).map_err(failed)?;
        let ends = told.elements().into_iter().filter_map(|one| {
            let partition = self.topics.partition(one.topic(), one.partition())?;
            Some((partition, one.offset().to_raw().filter(|end| *end >= 0)?))
        });
        Ok(ends.collect())
    }

    fn compare(
        &self,
        watched: &[Placed],
        ends: &HashMap<Partition, Offset>,
        seen: &mut HashMap<Partition, Seen>,
    ) {
        for (partition, lane) in watched {
            let before = seen.entry(*partition).or_default();
            // Without an answer for it, it is read.
            let known = (lane.next(), lane.ours());
            if ends.get(partition).is_some_and(|end| before.goes_on(*end, known)) {
                continue;
            }
            self.resume(*partition, lane);
            seen.remove(partition);
        }
    }

    fn resume(&self, partition: Partition, lane: &Lane) {
        match self.read_again(partition, lane) {
            Ok(()) => tracing::debug!(?partition, "is read"),
            Err(error) => tracing::warn!(?partition, %error, "cannot be read"),
        }
    }

    fn read_again(&self, partition: Partition, lane: &Lane) -> Result<(), Error> {
        let list = self.place(partition, lane.next())?;
        let assigned = self.consumer.incremental_assign(&list);
        assigned.map_err(|error| Error::Unavailable(error.to_string()))?;
        lane.watch(false);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_watched_while_all_of_it_is_known() {
        let mut seen = Seen::default();
        assert!(seen.goes_on(10, (8, 3)), "two may still be told");
        assert!(seen.goes_on(15, (12, 4)));
        assert!(!seen.goes_on(20, (14, 4)), "one of 15 is nobody's here");
    }

    #[test]
    fn a_partition_to_which_nothing_comes_is_read_again() {
        let mut seen = Seen::default();
        assert!((1..QUIET_MAX).all(|_| seen.goes_on(5, (5, 0))));
        assert!(!seen.goes_on(5, (5, 0)));
    }
}
