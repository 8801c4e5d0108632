//! One partition of the in-memory log.

use super::dice::Dice;
use crate::log::{Offset, Record, Stored};
use std::collections::VecDeque;

/// What a record counts for in a read beside its key and value, in bytes.
const HEADERS_BYTES: usize = 32;

#[derive(Default)]
pub(super) struct Lane {
    /// Everything whose order is fixed.
    stored: Vec<Stored>,
    /// How many of `stored` readers see.
    visible: usize,
    /// How many of `stored` survive `lose_unsynced`.
    synced: usize,
    /// The offset after the last one given out.
    next: Offset,
    /// Runs whose sender got no answer: each may still land, or not.
    adrift: Vec<Adrift>,
}

/// A run in flight.
struct Adrift {
    /// Steps of time that it does not move for.
    rest_steps: u64,
    run: VecDeque<Record>,
}

impl Lane {
    /// Fixes the order of a record, after skipping `gap` offsets.
    pub(super) fn land(&mut self, record: Record, gap: u64) -> Offset {
        let offset = self.next + i64::try_from(gap).unwrap_or(0);
        self.stored.push(Stored { offset, record });
        self.next = offset + 1;
        offset
    }

    /// Leaves a run in flight.
    pub(super) fn cast_off(&mut self, run: Vec<Record>, rest_steps: u64) {
        self.adrift.push(Adrift { rest_steps, run: run.into() });
    }

    pub(super) fn in_flight(&self) -> bool {
        !self.adrift.is_empty()
    }

    /// Lets each run in flight land as a whole or in part, be dropped, or wait on.
    pub(super) fn settle(&mut self, dice: &mut Dice) {
        for Adrift { rest_steps, mut run } in std::mem::take(&mut self.adrift) {
            if rest_steps > 0 {
                self.adrift.push(Adrift { rest_steps: rest_steps - 1, run });
                continue;
            }
            let landing = match dice.below(6) {
                0 => continue,
                1 => run.len(),
                2 | 3 => dice.index(run.len() + 1),
                _ => 0,
            };
            for record in run.drain(..landing) {
                self.land(record, 0);
            }
            if !run.is_empty() {
                self.adrift.push(Adrift { rest_steps, run });
            }
        }
    }

    /// Makes some of what has landed visible, in order.
    pub(super) fn show_some(&mut self, dice: &mut Dice) {
        let hidden = self.stored.len() - self.visible;
        self.visible += dice.index(hidden + 1);
    }

    pub(super) fn show_all(&mut self) {
        self.visible = self.stored.len();
    }

    pub(super) fn sync(&mut self) {
        self.synced = self.stored.len();
    }

    pub(super) fn lose_unsynced(&mut self) {
        self.stored.truncate(self.synced);
        self.visible = self.visible.min(self.synced);
        self.next = self.stored.last().map_or(0, |stored| stored.offset + 1);
        self.adrift.clear();
    }

    /// The offset after the last visible record.
    pub(super) fn end(&self) -> Offset {
        self.visible.checked_sub(1).map_or(0, |last| self.stored[last].offset + 1)
    }

    /// Reads on from an offset; the error is the offset that lies after everything.
    pub(super) fn read(&self, from: Offset, bytes_max: usize) -> Result<Vec<Stored>, Offset> {
        if from > self.next {
            return Err(self.next);
        }
        let visible = &self.stored[..self.visible];
        let first = visible.partition_point(|stored| stored.offset < from);
        let mut bytes = 0;
        let fits = |stored: &&Stored| {
            let fits = bytes == 0 || bytes < bytes_max;
            bytes += stored.record.key.len() + stored.record.value.len() + HEADERS_BYTES;
            fits
        };
        Ok(visible[first..].iter().take_while(fits).cloned().collect())
    }
}
