//! Large payloads, outside the log. What is stored here is already encrypted.

use crate::error::Error;
use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use std::fmt;

/// Longest scope, in characters.
pub const SCOPE_BYTES_MAX: usize = 128;

/// SHA-256 of the stored (encrypted) bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BlobId(pub [u8; 32]);

impl BlobId {
    /// The id of these (encrypted) bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut id = [0; 32];
        id.copy_from_slice(digest(&SHA256, bytes).as_ref());
        Self(id)
    }

    /// Reads what its `Display` writes: 64 hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut id = [0; 32];
        hex::decode_to_slice(text, &mut id).ok()?;
        Some(Self(id))
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Checks a scope: lower-case hex, whole bytes. It may become the name of a folder.
///
/// # Errors
/// `Corrupt`: it is something else.
pub fn check_scope(scope: &str) -> Result<(), Error> {
    let valid = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let length = scope.len();
    if length == 0 || length > SCOPE_BYTES_MAX || length % 2 == 1 || !scope.bytes().all(valid) {
        return Err(Error::Corrupt(format!("a scope is lower-case hex, not {scope:?}")));
    }
    Ok(())
}

/// Large payloads. Every backend passes `ports::conformance::blob`.
#[async_trait]
pub trait Blob: Send + Sync {
    /// Stores bytes under `scope` (a user's hash, hex) durably; storing them again is the same.
    ///
    /// # Errors
    /// `Corrupt`: the scope is not lower-case hex, or the bytes are more than a blob may have.
    async fn put(&self, scope: &str, bytes: Bytes) -> Result<BlobId, Error>;

    /// Reads bytes back.
    ///
    /// # Errors
    /// `Corrupt`: the bytes do not have that hash any more. `Ok(None)`: not there.
    async fn get(&self, scope: &str, id: BlobId) -> Result<Option<Bytes>, Error>;

    /// Forgets everything under a scope.
    async fn erase(&self, scope: &str) -> Result<(), Error>;
}
