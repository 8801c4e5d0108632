//! What every blob store does, whatever it is made of.

use crate::blob::{Blob, BlobId};
use crate::error::Error;
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;
use std::sync::Arc;

/// A kind of blob store, as its suite needs it.
#[async_trait]
pub trait Subject: Send + Sync {
    /// Gives a blob store. It need not be empty, but no one else uses scopes `5171…` in it.
    async fn open(&self) -> Arc<dyn Blob>;

    /// Lets go of a blob store that no one uses any more, and opens the same one again.
    async fn reopen(&self, blobs: Arc<dyn Blob>) -> Arc<dyn Blob>;
}

/// Runs every case.
///
/// # Panics
/// When the blob store breaks a promise of the port.
pub async fn suite(subject: &dyn Subject) {
    let blobs = subject.open().await;
    bytes_come_back_under_their_hash(&*blobs, "517101").await;
    scopes_do_not_see_each_other(&*blobs, ["517102", "517103"]).await;
    storing_again_is_the_same(&*blobs, "517104").await;
    an_erased_scope_is_empty_and_may_be_used_again(&*blobs, ["517105", "51710500"]).await;
    names_that_are_no_scope_are_refused(&*blobs).await;
    what_was_put_survives_reopening(subject, blobs, "517106").await;
}

fn body(seed: u8, length: usize) -> Bytes {
    (0..length)
        .map(|i| seed ^ i.wrapping_mul(97).to_le_bytes()[0] ^ (i >> 8).to_le_bytes()[0])
        .collect()
}

async fn put(blobs: &dyn Blob, scope: &str, bytes: Bytes) -> BlobId {
    match blobs.put(scope, bytes).await {
        Ok(id) => id,
        Err(error) => unreachable!("put in {scope}: {error}"),
    }
}

async fn get(blobs: &dyn Blob, scope: &str, id: BlobId) -> Option<Bytes> {
    match blobs.get(scope, id).await {
        Ok(found) => found,
        Err(error) => unreachable!("get of {id} in {scope}: {error}"),
    }
}

async fn erase(blobs: &dyn Blob, scope: &str) {
    if let Err(error) = blobs.erase(scope).await {
        unreachable!("erase of {scope}: {error}");
    }
}

async fn bytes_come_back_under_their_hash(blobs: &dyn Blob, scope: &str) {
    for length in [0, 1, 4_095, 32 << 10, 3 << 20] {
        let bytes = body(1, length);
        let id = put(blobs, scope, bytes.clone()).await;
        assert_eq!(id, BlobId::of(&bytes), "{length} bytes");
        assert!(get(blobs, scope, id).await.as_ref() == Some(&bytes), "{length} bytes");
    }
    assert_eq!(get(blobs, scope, BlobId([0; 32])).await, None);
}

async fn scopes_do_not_see_each_other(blobs: &dyn Blob, scopes: [&str; 2]) {
    let id = put(blobs, scopes[0], body(2, 100)).await;
    assert_eq!(get(blobs, scopes[1], id).await, None);
    assert_eq!(put(blobs, scopes[1], body(2, 100)).await, id);
    erase(blobs, scopes[0]).await;
    assert_eq!(get(blobs, scopes[0], id).await, None);
    assert_eq!(get(blobs, scopes[1], id).await, Some(body(2, 100)));
}

async fn storing_again_is_the_same(blobs: &dyn Blob, scope: &str) {
    let puts = (0..8).map(|_| put(blobs, scope, body(3, 50_000)));
    let ids = join_all(puts).await;
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(put(blobs, scope, body(3, 50_000)).await, ids[0]);
    assert!(get(blobs, scope, ids[0]).await == Some(body(3, 50_000)));
}

async fn an_erased_scope_is_empty_and_may_be_used_again(blobs: &dyn Blob, scopes: [&str; 2]) {
    let ids = join_all((0..20).map(|seed| put(blobs, scopes[0], body(seed, 200)))).await;
    let longer = put(blobs, scopes[1], body(0, 200)).await;
    erase(blobs, scopes[0]).await;
    erase(blobs, scopes[0]).await;
    for id in &ids {
        assert_eq!(get(blobs, scopes[0], *id).await, None);
    }
    assert_eq!(put(blobs, scopes[0], body(5, 200)).await, ids[5]);
    assert_eq!(get(blobs, scopes[0], ids[5]).await, Some(body(5, 200)));
    assert_eq!(get(blobs, scopes[0], ids[6]).await, None);
    assert!(get(blobs, scopes[1], longer).await.is_some(), "a longer name is another scope");
}

async fn names_that_are_no_scope_are_refused(blobs: &dyn Blob) {
    let long = "ab".repeat(100);
    for scope in ["", "..", "../517101", "5171/01", "5171AB", "517", "zz", "ab\0a", &long] {
        let outcome = blobs.put(scope, body(4, 10)).await;
        assert!(matches!(outcome, Err(Error::Corrupt(_))), "{scope:?}: {outcome:?}");
        let outcome = blobs.get(scope, BlobId([0; 32])).await;
        assert!(matches!(outcome, Err(Error::Corrupt(_))), "{scope:?}: {outcome:?}");
        let outcome = blobs.erase(scope).await;
        assert!(matches!(outcome, Err(Error::Corrupt(_))), "{scope:?}: {outcome:?}");
    }
}

async fn what_was_put_survives_reopening(subject: &dyn Subject, blobs: Arc<dyn Blob>, scope: &str) {
    let kept = put(&*blobs, scope, body(6, 70_000)).await;
    let erased = put(&*blobs, "517107", body(7, 70_000)).await;
    erase(&*blobs, "517107").await;
    let blobs = subject.reopen(blobs).await;
    assert!(get(&*blobs, scope, kept).await == Some(body(6, 70_000)));
    assert_eq!(get(&*blobs, "517107", erased).await, None);
}
