//! Rows that can be rebuilt from the log.

use crate::error::Error;
use async_trait::async_trait;
use bytes::Bytes;

/// Longest key of a row, in bytes.
pub const KEY_BYTES_MAX: usize = 4 << 10;

/// Longest row, in bytes.
pub const VALUE_BYTES_MAX: usize = 16 << 20;

/// Longest name of a table, in bytes.
pub const TABLE_BYTES_MAX: usize = 64;

/// A named set of rows, ordered by key. Names are `[a-z_.0-9]+`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Table(pub &'static str);

impl Table {
    /// Checks the name.
    ///
    /// # Errors
    /// `Corrupt`: no table can have it.
    pub fn check(self) -> Result<(), Error> {
        let valid = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.');
        if self.0.is_empty() || self.0.len() > TABLE_BYTES_MAX || !self.0.bytes().all(valid) {
            return Err(Error::Corrupt(format!("{:?} is no name of a table", self.0)));
        }
        Ok(())
    }
}

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

impl Write {
    /// The table that it changes.
    pub fn table(&self) -> Table {
        match self {
            Self::Put { table, .. } | Self::Remove { table, .. } => *table,
        }
    }

    /// The row that it changes.
    pub fn key(&self) -> &Bytes {
        match self {
            Self::Put { key, .. } | Self::Remove { key, .. } => key,
        }
    }

    /// Checks names and sizes; a backend does so before it writes anything.
    ///
    /// # Errors
    /// `Corrupt`: the key is empty, the key or the row is too long, or no table has that name.
    pub fn check(&self) -> Result<(), Error> {
        self.table().check()?;
        let table = self.table().0;
        let (key_bytes, value_bytes) = match self {
            Self::Put { key, value, .. } => (key.len(), value.len()),
            Self::Remove { key, .. } => (key.len(), 0),
        };
        if key_bytes == 0 || key_bytes > KEY_BYTES_MAX {
            return Err(Error::Corrupt(format!("{table}: a key of {key_bytes} bytes")));
        }
        if value_bytes > VALUE_BYTES_MAX {
            return Err(Error::Corrupt(format!("{table}: a row of {value_bytes} bytes")));
        }
        Ok(())
    }
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

    /// Changes rows, all or none; visible to every later read of this process. Of several changes
    /// to one row the last one holds.
    ///
    /// # Errors
    /// `Unavailable`: done or not, no one knows: read the offset kept with the rows before going on.
    /// `Corrupt`: a name or a size is out of bounds, nothing is done; or the store is broken.
    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error>;

    /// Makes everything committed before durable.
    async fn sync(&self) -> Result<(), Error>;

    /// Forgets every row of a table.
    async fn clear(&self, table: Table) -> Result<(), Error>;
}
