//! Rows that can be rebuilt from the log.

use crate::error::Error;
use async_trait::async_trait;
use bytes::Bytes;

/// A named set of rows, ordered by key. Names are `[a-z_.0-9]+`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Table(pub &'static str);

/// One change to one row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Write {
    /// Sets a row.
    Put {
        /// The table.
        table: Table,
        /// The row's key.
        key: Bytes,
        /// The row.
        value: Bytes,
    },
    /// Removes a row; removing an absent one is fine.
    Remove {
        /// The table.
        table: Table,
        /// The row's key.
        key: Bytes,
    },
}

/// Which rows to scan: keys in `[from, until)`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Range {
    /// First key, inclusive.
    pub from: Bytes,
    /// End, exclusive; empty: to the end of the table.
    pub until: Bytes,
    /// At most so many rows.
    pub limit: usize,
    /// From the end backwards.
    pub backwards: bool,
}

/// The rows. Every backend passes `ports::conformance::store`.
///
/// A crash may lose the last commits, always a suffix of them and each as a whole; whoever keeps
/// rows keeps the offset they were folded to in the same commit.
#[async_trait]
pub trait Store: Send + Sync {
    /// Reads rows, in the order asked.
    async fn get(&self, table: Table, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, Error>;

    /// Reads a range of rows, in key order (or backwards).
    async fn scan(&self, table: Table, range: Range) -> Result<Vec<(Bytes, Bytes)>, Error>;

    /// Changes rows, all or none; visible to every later read of this process.
    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error>;

    /// Makes everything committed before durable.
    async fn sync(&self) -> Result<(), Error>;

    /// Forgets every row of a table.
    async fn clear(&self, table: Table) -> Result<(), Error>;
}
