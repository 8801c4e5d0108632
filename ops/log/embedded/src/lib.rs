//! The log on one machine: segment files in one directory, one group commit for all partitions.
//!
//! All partitions share one sequence of segment files, so one sync commits whatever is waiting,
//! and whatever prefix of the files survives a crash is a prefix of every partition.
//!
//! - `order` fixes the order of records in memory and keeps the newest for readers.
//! - `writer` puts what is ordered into the files, a group at a time, and syncs it.
//! - `keeper` prepares segments ahead of the writer and writes the indexes of full ones.
//! - `archive` reads what is no longer in memory.
//! - `recovery` finds out, at opening, what the files hold.
//! - `snapshot` reads beside the process that holds the folder.
//! - `pack` makes a log that is kept as small as it can be.

mod archive;
mod disk;
mod error;
mod folder;
mod frame;
mod index;
mod keeper;
mod layout;
mod log;
mod options;
mod order;
mod pack;
mod recovery;
mod scan;
mod segment;
mod snapshot;
#[cfg(test)]
mod tests;
mod writer;

pub use error::OpenError;
pub use log::EmbeddedLog;
pub use options::Options;
pub use pack::pack;
pub use recovery::Recovered;
pub use snapshot::Snapshot;
