//! What Millrace needs of the world.
//!
//! Traits only, each with an in-memory model that is at once the specification and what the
//! simulation runs on, and a conformance suite that every backend passes. Nothing here knows a
//! runtime: the models never pend, so one poll finishes every future of theirs.

pub mod blob;
pub mod clock;
pub mod error;
pub mod log;
pub mod outbound;
pub mod store;

pub use blob::{Blob, BlobId};
pub use clock::{Clock, Random};
pub use error::Error;
pub use log::{Headers, Log, Offset, Partition, Record, Stored, Stream};
pub use outbound::{Job, Outbound, Outcome};
pub use store::{Store, Table, Write};
