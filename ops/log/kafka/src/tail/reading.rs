//! The thread that reads what others append.

use super::lane::{Lane, Pace};
use super::{Shared, stored};
use ports::{Error, Partition};
use rdkafka::Message;
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How long the thread waits for a record before it looks whether it should stop.
const POLL: Duration = Duration::from_millis(100);
/// Records taken in before those who wait are woken.
const POLLED_MAX: usize = 1_000;
/// How often it is asked which partitions need not be read.
const LOOK: Duration = Duration::from_millis(200);
/// With fewer records of this process in that time, reading them costs little.
const OWN_MIN: u64 = 40;

/// Reads until the log is closed.
pub(super) fn run(shared: &Shared) {
    let mut touched: Vec<Arc<Lane>> = Vec::new();
    let mut looked_at = Instant::now();
    while !shared.stopped.load(Ordering::Acquire) {
        let mut timeout = POLL;
        for _ in 0..POLLED_MAX {
            let Some(polled) = shared.consumer.poll(timeout) else { break };
            timeout = Duration::ZERO;
            match polled {
                Ok(message) => shared.take(&message, &mut touched),
                Err(error) => shared.note(&error, &mut touched),
            }
        }
        touched.drain(..).for_each(|lane| lane.wake());
        if looked_at.elapsed() > LOOK {
            looked_at = Instant::now();
            shared.leave_own();
        }
    }
}

impl Pace {
    /// Whether reading would only bring what this process has appended.
    fn is_own(self) -> bool {
        self.theirs == 0 && self.ours >= OWN_MIN
    }
}

impl Shared {
    /// Reads no more what only this process appends to.
    fn leave_own(&self) {
        for (partition, lane) in self.lanes.those(|lane| !lane.is_watched()) {
            if !lane.pace(Instant::now()).is_own() {
                continue;
            }
            match self.leave(partition, &lane) {
                Ok(()) => tracing::debug!(?partition, "is watched"),
                Err(error) => tracing::warn!(?partition, %error, "cannot be left"),
            }
        }
    }

    fn leave(&self, partition: Partition, lane: &Lane) -> Result<(), Error> {
        let list = self.place(partition, lane.next())?;
        let left = self.consumer.incremental_unassign(&list);
        left.map_err(|error| Error::Unavailable(error.to_string()))?;
        // What others append from now on, the watch finds.
        lane.watch(true);
        Ok(())
    }

    fn take(&self, message: &BorrowedMessage<'_>, touched: &mut Vec<Arc<Lane>>) {
        let partition = self.topics.partition(message.topic(), message.partition());
        let Some(lane) = partition.and_then(|partition| self.lanes.known(partition)) else {
            return;
        };
        if message.offset() < lane.next() {
            return; // appended here, or read a second time
        }
        match stored(message, self.is_registered) {
            Ok(stored) => lane.push(stored),
            Err(error) => lane.break_off(error.to_string()),
        }
        if !touched.iter().any(|one| Arc::ptr_eq(one, &lane)) {
            touched.push(lane);
        }
    }

    /// Errors pass by themselves, but for an offset that is not there any more.
    fn note(&self, error: &KafkaError, touched: &mut Vec<Arc<Lane>>) {
        let code = error.rdkafka_error_code();
        if !matches!(
            code,
            Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange)
        ) {
            tracing::debug!(%error, "reading from Kafka");
            return;
        }
        // The client does not say which partition it was; each is asked for its next record.
        for (partition, lane) in self.lanes.those(|_| true) {
            let Ok((topic, number)) = self.topics.place(partition) else { continue };
            let Ok((first, end)) = self.asker.fetch_watermarks(topic, number, POLL) else {
                continue;
            };
            let next = lane.next();
            if next < first || next > end {
                lane.break_off(format!("{topic} {number} is at {first} to {end}, not at {next}"));
                touched.push(lane);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_process_alone_appends_much_to_is_not_read() {
        let is_own = |ours, theirs| Pace { ours, theirs }.is_own();
        assert!(is_own(OWN_MIN, 0));
        assert!(!is_own(OWN_MIN, 1), "somebody else appends");
        assert!(!is_own(OWN_MIN - 1, 0), "it costs little");
    }
}
