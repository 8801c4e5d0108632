//! Large payloads, outside the log. What is stored here is already encrypted.

use crate::error::Error;
use async_trait::async_trait;
use bytes::Bytes;

/// SHA-256 of the stored (encrypted) bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BlobId(pub [u8; 32]);

/// Large payloads. Every backend passes `ports::conformance::blob`.
#[async_trait]
pub trait Blob: Send + Sync {
    /// Stores bytes under `scope` (a user's hash, hex) durably; storing them again is the same.
    async fn put(&self, scope: &str, bytes: Bytes) -> Result<BlobId, Error>;

    /// Reads bytes back.
    ///
    /// # Errors
    /// `Corrupt`: the bytes do not have that hash any more. `Ok(None)`: not there.
    async fn get(&self, scope: &str, id: BlobId) -> Result<Option<Bytes>, Error>;

    /// Forgets everything under a scope.
    async fn erase(&self, scope: &str) -> Result<(), Error>;
}
