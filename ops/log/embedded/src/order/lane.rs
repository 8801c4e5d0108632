//! One partition in memory.

use super::Tail;
use super::fence::Fence;
use super::reader::Reader;
use ports::Error;
use ports::log::{Offset, Stored};
use std::collections::VecDeque;

/// Voids that are remembered for readers; older ones are forgotten.
const VOIDS_MAX: usize = 1024;

pub(super) struct Lane {
    /// The next offset to give out.
    next: Offset,
    /// Behind the last record that is ordered and not void.
    ordered: Offset,
    /// Behind the last durable record.
    pub(super) durable: Offset,
    /// The newest records; everything from `tail_from` on is here.
    tail: VecDeque<Stored>,
    tail_from: Offset,
    /// Lost ranges, oldest first: who asks for an offset in `(start, end]` has read of it.
    voids: VecDeque<(Offset, Offset)>,
    pub(super) reader: Reader,
    /// Only of partitions that an owner writes.
    pub(super) fence: Fence,
}

impl Lane {
    pub(super) fn new(next: Offset) -> Self {
        Self {
            next,
            ordered: next,
            durable: next,
            tail: VecDeque::new(),
            tail_from: next,
            voids: VecDeque::new(),
            reader: Reader::default(),
            fence: Fence::default(),
        }
    }

    /// Begins at an offset. False: there are records already.
    pub(super) fn begin(&mut self, offset: Offset) -> bool {
        let is_empty = self.next == 0;
        if is_empty {
            *self = Self::new(offset);
        }
        is_empty
    }

    pub(super) fn give(&mut self) -> Offset {
        let offset = self.next;
        self.next += 1;
        self.ordered = self.next;
        offset
    }

    pub(super) fn push(&mut self, stored: Stored) {
        self.tail.push_back(stored);
    }

    pub(super) fn pop_oldest(&mut self) -> Option<Stored> {
        let oldest = self.tail.pop_front();
        if let Some(oldest) = &oldest {
            self.tail_from = oldest.offset + 1;
        }
        oldest
    }

    pub(super) fn pop_newest(&mut self) -> Option<Stored> {
        self.tail.pop_back()
    }

    /// Voids what is not durable. True if a reader had seen some of it.
    pub(super) fn void(&mut self) -> bool {
        if self.ordered == self.durable {
            return false;
        }
        // One offset more is skipped: who asks for it has seen nothing of what was lost.
        let (start, end) = (self.durable, self.ordered);
        self.next = end + 1;
        self.ordered = start;
        if self.voids.back().is_some_and(|(known, _)| *known == start) {
            self.voids.pop_back();
        }
        self.voids.push_back((start, end));
        if self.voids.len() > VOIDS_MAX {
            self.voids.pop_front();
        }
        self.reader.has_seen(start)
    }

    fn is_void(&self, from: Offset) -> bool {
        self.voids.iter().rev().any(|(start, end)| *start < from && from <= *end)
    }

    /// Whether this offset can be asked for.
    pub(super) fn check(&self, from: Offset) -> Result<(), Error> {
        if self.is_void(from) {
            return Err(Error::Conflict(format!("records before {from} were lost: reload")));
        }
        if from > self.next {
            return Err(Error::Corrupt(format!("{from} lies past the end {}", self.next)));
        }
        Ok(())
    }

    /// Whether a read from here has anything to say.
    pub(super) fn may_answer(&self, from: Offset) -> bool {
        self.ordered > from || self.check(from).is_err()
    }

    pub(super) fn read(&mut self, from: Offset, bytes_max: usize) -> Tail {
        if from < self.tail_from {
            return Tail::Older;
        }
        let first = self.tail.partition_point(|stored| stored.offset < from);
        let mut bytes = 0;
        let fits = |stored: &&Stored| {
            let fits = bytes == 0 || bytes < bytes_max;
            bytes += super::queue::frame_bytes(&stored.record);
            fits
        };
        let found: Vec<_> = self.tail.range(first..).take_while(fits).cloned().collect();
        match found.last() {
            Some(last) => self.reader.hand(last.offset + 1),
            None => self.reader.rest(),
        }
        Tail::Records(found)
    }
}
