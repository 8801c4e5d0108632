//! What may be written to a log that nodes of several builds read.
//!
//! Ids of schemas rise. The log says which is the highest that may be written, its level, and a
//! build that reads less does not come to it. An operator raises the level when every node runs a
//! newer build (`millrace migrate`); until then all of them can be rolled back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The highest schema id that may be written. Clones share it.
#[derive(Clone, Debug)]
pub struct Level(Arc<AtomicU32>);

impl Level {
    /// Everything that this build knows: no other build is at the log.
    pub fn newest() -> Self {
        Self(Arc::new(AtomicU32::new(u32::MAX)))
    }

    /// Nothing newer than what every build knows.
    pub fn oldest() -> Self {
        Self::at(0)
    }

    /// As the log has it.
    pub fn at(schema: u32) -> Self {
        Self(Arc::new(AtomicU32::new(schema)))
    }

    /// Schemas up to this one may be written from now on. It never falls.
    pub fn raise(&self, schema: u32) {
        self.0.fetch_max(schema, Ordering::AcqRel);
    }

    /// The highest schema that may be written.
    pub fn schema_max(&self) -> u32 {
        self.0.load(Ordering::Acquire)
    }

    /// Whether records of the schema may be written.
    pub fn allows(&self, schema: u32) -> bool {
        schema <= self.schema_max()
    }
}
