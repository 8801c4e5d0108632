//! What keeps an owner from building on what is void.
//!
//! An owner reads commands, and decides, before they are durable. When they are lost, decisions of
//! it may be on their way that were made of them, or of earlier decisions that were lost. Those
//! must not stand. So after a loss, `events` of that number (and `config`) refuse appends until
//! the owner knows: all its failed appends were answered and, if only commands were lost that it
//! had read, a read has said `Conflict` or one append was refused.

use super::Order;
use std::sync::Arc;

#[derive(Default)]
pub(super) struct Fence {
    /// Failed appends whose callers do not know yet.
    untold: u32,
    /// Commands were lost that had been read, and the reader does not know yet.
    seen: bool,
}

/// Whether a slot is written by an owner alone, or, as `config`, by one among others.
pub(super) const fn guards(slot: usize) -> bool {
    slot == 0 || pairs(slot)
}

/// Whether a slot holds events.
pub(super) const fn pairs(slot: usize) -> bool {
    slot > 2 && slot % 2 == 1
}

/// Whether a slot holds the commands that the next one answers.
pub(super) const fn feeds(slot: usize) -> bool {
    slot >= 2 && slot.is_multiple_of(2)
}

impl Fence {
    pub(super) fn raise(&mut self) {
        self.untold += 1;
    }

    pub(super) fn mark_seen(&mut self) {
        self.seen = true;
    }

    /// One more failed append was answered.
    pub(super) fn lower(&mut self) {
        self.untold = self.untold.saturating_sub(1);
        if self.untold == 0 {
            self.seen = false;
        }
    }

    /// The reader of the commands knows.
    pub(super) fn lift(&mut self) {
        self.seen = false;
    }

    /// Whether an append must be refused; being refused is how its caller gets to know.
    pub(super) fn refuses(&mut self) -> bool {
        let refuses = self.untold > 0 || self.seen;
        if self.untold == 0 {
            self.seen = false;
        }
        refuses
    }
}

/// The answer to an append that is void. When it goes, its caller knows, or has gone before.
pub(crate) struct Voided {
    order: Arc<Order>,
    slots: Vec<usize>,
    why: Arc<str>,
}

impl Voided {
    pub(super) fn new(order: Arc<Order>, slots: Vec<usize>, why: &str) -> Self {
        Self { order, slots, why: why.into() }
    }

    pub(crate) fn why(&self) -> &str {
        &self.why
    }
}

impl Drop for Voided {
    fn drop(&mut self) {
        self.order.told(&self.slots);
    }
}
