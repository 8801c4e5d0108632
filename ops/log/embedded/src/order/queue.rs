//! What is ordered and waits for the writer.

use super::fence::Voided;
use crate::frame::{HEADER_BYTES, padded};
use ports::log::{Offset, Partition, Record, Stored};
use std::collections::VecDeque;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// A record in order.
pub(crate) struct Item {
    pub(crate) slot: usize,
    pub(crate) partition: Partition,
    pub(crate) stored: Stored,
}

/// Who waits for an append.
pub(crate) struct Ticket {
    pub(crate) offsets: Vec<Offset>,
    pub(crate) sender: oneshot::Sender<Result<Vec<Offset>, Voided>>,
    pub(crate) _room: Room,
}

/// The room that an append takes in the queue until it is answered.
pub(crate) struct Room {
    pub(crate) _records: OwnedSemaphorePermit,
    pub(crate) _bytes: OwnedSemaphorePermit,
}

/// The records of one append, or a part of them. The last part has the ticket.
pub(crate) struct Batch {
    pub(crate) items: Vec<Item>,
    pub(crate) ticket: Option<Ticket>,
    bytes: usize,
}

/// What one sync is to make durable.
#[derive(Default)]
pub(crate) struct Group {
    pub(crate) batches: Vec<Batch>,
    /// What its frames take in the file.
    pub(crate) bytes: usize,
}

#[derive(Default)]
pub(super) struct Queue {
    batches: VecDeque<Batch>,
}

/// What a record takes in the file.
pub(crate) fn frame_bytes(record: &Record) -> usize {
    padded(HEADER_BYTES + record.key.len() + record.value.len())
}

impl Batch {
    pub(super) fn new(items: Vec<Item>, ticket: Ticket) -> Self {
        let bytes = items.iter().map(|item| frame_bytes(&item.stored.record)).sum();
        Self { items, ticket: Some(ticket), bytes }
    }

    /// Splits off as many records from the front as fit, at least one.
    fn split(&mut self, bytes_max: usize) -> Self {
        let mut bytes = 0;
        let mut count = 0;
        for item in &self.items {
            let more = frame_bytes(&item.stored.record);
            if count > 0 && bytes + more > bytes_max {
                break;
            }
            bytes += more;
            count += 1;
        }
        let rest = self.items.split_off(count);
        let items = std::mem::replace(&mut self.items, rest);
        self.bytes -= bytes;
        Self { items, ticket: None, bytes }
    }
}

impl Group {
    pub(crate) fn items(&self) -> impl Iterator<Item = &Item> {
        self.batches.iter().flat_map(|batch| &batch.items)
    }

    pub(crate) fn tickets(self) -> Vec<Ticket> {
        self.batches.into_iter().filter_map(|batch| batch.ticket).collect()
    }

    fn push(&mut self, batch: Batch) {
        self.bytes += batch.bytes;
        self.batches.push(batch);
    }
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    pub(super) fn push(&mut self, batch: Batch) {
        self.batches.push_back(batch);
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = Batch> {
        self.batches.drain(..)
    }

    /// Moves whole batches to the group while they fit; a batch that is larger than any group
    /// goes in parts.
    pub(super) fn take(&mut self, group: &mut Group, bytes_max: usize) {
        while let Some(first) = self.batches.front_mut() {
            if group.bytes + first.bytes <= bytes_max {
                group.batches.reserve(1);
            } else if group.batches.is_empty() {
                let part = first.split(bytes_max);
                group.push(part);
                if first.items.is_empty()
                    && let Some(whole) = self.batches.pop_front()
                    && let Some(last) = group.batches.last_mut()
                {
                    last.ticket = whole.ticket;
                }
                return;
            } else {
                return;
            }
            if let Some(batch) = self.batches.pop_front() {
                group.push(batch);
            }
        }
    }
}
