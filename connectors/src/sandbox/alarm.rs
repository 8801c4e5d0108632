//! The end of a call's time.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Rings when a call's time is over, or when nobody waits for it any more. The engine asks it every
/// few thousand operations.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    deadline: Cell<Option<Instant>>,
    abandoned: RefCell<Option<Arc<AtomicBool>>>,
}

impl Alarm {
    /// Starts the time of a call.
    pub(super) fn set(&self, deadline: Instant, abandoned: &Arc<AtomicBool>) {
        self.deadline.set(Some(deadline));
        *self.abandoned.borrow_mut() = Some(Arc::clone(abandoned));
    }

    /// Ends it.
    pub(super) fn clear(&self) {
        self.deadline.set(None);
        *self.abandoned.borrow_mut() = None;
    }

    /// Whether the call must end now.
    pub(super) fn rings(&self) -> bool {
        let is_abandoned =
            || self.abandoned.borrow().as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed));
        self.deadline.get().is_some_and(|deadline| Instant::now() >= deadline) || is_abandoned()
    }
}
