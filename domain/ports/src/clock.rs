//! Time and entropy, as the simulation must be able to hand them out.

use domain::time::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The moment, by this machine's clock. It may step in either direction.
    fn now(&self) -> Timestamp;
}

/// Gives bytes that no one can guess.
pub trait Random: Send + Sync {
    /// Fills the slice.
    fn fill(&self, bytes: &mut [u8]);
}
