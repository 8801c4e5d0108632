//! Which attempts of steps this process performs right now.

use domain::id::{EventId, ExecutionId};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An attempt: the run, and the record that made the attempt due.
pub type Attempt = (ExecutionId, EventId);

/// The attempts that this process performs. Clones share them.
#[derive(Clone, Default, Debug)]
pub struct UnderWay(Arc<Mutex<BTreeSet<Attempt>>>);

impl UnderWay {
    /// Notes an attempt for as long as what is given, or a clone of it, lives.
    pub(crate) fn begin(&self, attempt: Attempt) -> Arc<Begun> {
        self.attempts().insert(attempt);
        Arc::new(Begun { attempt, all: self.clone() })
    }

    /// Whether the attempt is performed here.
    pub fn has(&self, attempt: &Attempt) -> bool {
        self.attempts().contains(attempt)
    }

    /// The number of attempts.
    pub fn len(&self) -> usize {
        self.attempts().len()
    }

    /// Whether nothing is performed.
    pub fn is_empty(&self) -> bool {
        self.attempts().is_empty()
    }

    fn attempts(&self) -> MutexGuard<'_, BTreeSet<Attempt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attempt that is performed; it is no more when this is dropped.
#[derive(Debug)]
pub struct Begun {
    attempt: Attempt,
    all: UnderWay,
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.all.attempts().remove(&self.attempt);
    }
}
