//! The machine's clock and entropy.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use domain::time::Timestamp;
use ports::{Clock, Random};
use std::time::{SystemTime, UNIX_EPOCH};

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The machine's entropy.
#[derive(Default)]
pub struct SystemEntropy(SystemRandom);

impl SystemEntropy {
    /// The machine's entropy.
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Random for SystemEntropy {
    // Keys and nonces from bad entropy would be worse than a process that stops.
    #[allow(clippy::expect_used)]
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes).expect("the machine gives entropy");
    }
}
