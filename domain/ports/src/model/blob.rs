//! Blobs in memory.

use crate::blob::{Blob, BlobId, check_scope};
use crate::error::Error;
use async_trait::async_trait;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Blobs of a simulation. Never pends.
#[derive(Debug, Default)]
pub struct ModelBlob(Mutex<BTreeMap<(String, BlobId), Bytes>>);

impl ModelBlob {
    /// Without blobs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes a stored byte behind the port's back, as a bad disk does.
    pub fn damage(&self, scope: &str, id: BlobId) {
        if let Some(bytes) = self.blobs().get_mut(&(scope.to_owned(), id)) {
            let mut changed = bytes.to_vec();
            match changed.first_mut() {
                Some(byte) => *byte ^= 1,
                None => changed.push(0),
            }
            *bytes = Bytes::from(changed);
        }
    }

    fn blobs(&self) -> MutexGuard<'_, BTreeMap<(String, BlobId), Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Blob for ModelBlob {
    async fn put(&self, scope: &str, bytes: Bytes) -> Result<BlobId, Error> {
        check_scope(scope)?;
        let id = BlobId::of(&bytes);
        self.blobs().insert((scope.to_owned(), id), bytes);
        Ok(id)
    }

    async fn get(&self, scope: &str, id: BlobId) -> Result<Option<Bytes>, Error> {
        check_scope(scope)?;
        let Some(bytes) = self.blobs().get(&(scope.to_owned(), id)).cloned() else {
            return Ok(None);
        };
        if BlobId::of(&bytes) != id {
            return Err(Error::Corrupt(format!("blob {id} of {scope} has other bytes")));
        }
        Ok(Some(bytes))
    }

    async fn erase(&self, scope: &str) -> Result<(), Error> {
        check_scope(scope)?;
        self.blobs().retain(|(of, _), _| of != scope);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;
    use futures_util::FutureExt as _;
    use std::sync::Arc;

    struct Model;

    #[async_trait]
    impl conformance::blob::Subject for Model {
        async fn open(&self) -> Arc<dyn Blob> {
            Arc::new(ModelBlob::new())
        }

        async fn reopen(&self, blobs: Arc<dyn Blob>) -> Arc<dyn Blob> {
            blobs
        }
    }

    #[test]
    fn the_model_passes_the_suite_and_never_pends() {
        assert_eq!(conformance::blob::suite(&Model).now_or_never(), Some(()));
    }

    #[test]
    fn a_damaged_blob_is_corrupt() {
        let blobs = ModelBlob::new();
        let id = blobs.put("ab", Bytes::from_static(b"sealed")).now_or_never().unwrap().unwrap();
        blobs.damage("ab", id);
        let read = blobs.get("ab", id).now_or_never().unwrap();
        assert!(matches!(read, Err(Error::Corrupt(_))), "{read:?}");
    }
}
