//! The ports in memory: at once their specification and what the simulation runs on.

pub mod blob;
pub mod clock;
pub mod log;
pub mod random;
pub mod store;

pub use blob::ModelBlob;
pub use clock::ModelClock;
pub use random::SeededRandom;
pub use store::ModelStore;
