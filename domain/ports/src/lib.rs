//! What Millrace needs of the world.
//!
//! Traits only, each with an in-memory model that is at once the specification and what the
//! simulation runs on, and a conformance suite that every backend passes. Nothing here knows a
//! runtime: the models never pend, so one poll finishes every future of theirs.

pub mod answers;
pub mod backlog;
pub mod blob;
pub mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod error;
pub mod feed;
pub mod level;
pub mod log;
pub mod meter;
pub mod model;
pub mod outbound;
pub mod store;
pub mod vault;

pub use answers::{Answers, Asked};
pub use backlog::Backlog;
pub use blob::{Blob, BlobId};
pub use clock::{Clock, Random};
pub use error::Error;
pub use feed::Feed;
pub use level::Level;
pub use log::{Headers, Log, Offset, Partition, Record, Stored, Stream};
pub use meter::Meter;
pub use outbound::{Failure, Job, Outbound, Outcome};
pub use store::{Range, Store, Table, Write};
pub use vault::{MasterKey, Vault, VaultError};
