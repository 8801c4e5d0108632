//! A clock that moves when it is told to.

use crate::clock::Clock;
use domain::time::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};

/// Time in a simulation. Share it with `Arc`: who holds it can move it.
#[derive(Debug, Default)]
pub struct ModelClock(AtomicI64);

impl ModelClock {
    /// A clock that stands at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.0))
    }

    /// Sets the clock, also back, as a machine's clock may be.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.0, Ordering::SeqCst);
    }

    /// Moves the clock by so many milliseconds, back if negative, and tells where it then stands.
    pub fn step_ms(&self, millis: i64) -> Timestamp {
        Timestamp(self.0.fetch_add(millis, Ordering::SeqCst).wrapping_add(millis))
    }
}

impl Clock for ModelClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn it_stands_still_until_it_is_moved_and_may_step_back() {
        let clock = Arc::new(ModelClock::at(Timestamp(1_000)));
        let seen: Arc<dyn Clock> = clock.clone();
        assert_eq!(seen.now(), Timestamp(1_000));
        assert_eq!(clock.step_ms(500), Timestamp(1_500));
        assert_eq!(clock.step_ms(-2_000), Timestamp(-500));
        assert_eq!(seen.now(), Timestamp(-500));
        clock.set(Timestamp(7));
        assert_eq!(seen.now(), Timestamp(7));
    }
}
