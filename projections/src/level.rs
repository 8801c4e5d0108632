//! What may be written, while nodes of several versions are at one log.
//!
//! Schemas get rising ids, and every node says which is the highest that it can read. A record of a
//! newer schema is written only when all nodes that live can read it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The highest schema id that may be written. Clones share it.
#[derive(Clone, Debug)]
pub struct Level(Arc<AtomicU32>);

impl Level {
    /// Everything that this build knows: no other can be at the log.
    pub fn newest() -> Self {
        Self(Arc::new(AtomicU32::new(u32::MAX)))
    }

    /// Nothing newer than what every build knows, until others were heard.
    pub fn oldest() -> Self {
        Self(Arc::new(AtomicU32::new(0)))
    }

    /// From now on, schemas up to this one may be written.
    pub(crate) fn set(&self, schema: u32) {
        self.0.store(schema, Ordering::Release);
    }

    /// Whether records of the schema may be written.
    pub(crate) fn allows(&self, schema: u32) -> bool {
        schema <= self.0.load(Ordering::Acquire)
    }
}
