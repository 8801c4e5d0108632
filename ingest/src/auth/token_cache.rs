//! Tokens that were verified, remembered until they expire.

use super::token::EXPIRY_LEEWAY_S;
use crate::problem::{Outcome, TOKEN_EXPIRED};
use domain::time::Timestamp;
use lru::LruCache;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

/// Locks that the tokens are spread over.
const SHARDS: usize = 16;

/// Verified tokens by SHA-256 of the whole token. Only good ones get in, so that a flood of bad
/// ones displaces nothing.
pub(crate) struct TokenCache {
    shards: Vec<Mutex<LruCache<[u8; 32], Entry>>>,
}

struct Entry {
    /// The keys that it was verified with; with others it must be verified anew.
    serial: u64,
    expires_at_s: i64,
    user: Arc<str>,
}

impl TokenCache {
    pub(crate) fn new(tokens_max: usize) -> Self {
        let each = NonZeroUsize::new(tokens_max / SHARDS).unwrap_or(NonZeroUsize::MIN);
        let shard = || Mutex::new(LruCache::new(each));
        Self { shards: std::iter::repeat_with(shard).take(SHARDS).collect() }
    }

    /// What is known of the token; `None` if it must be verified.
    pub(super) fn get(
        &self,
        hash: &[u8; 32],
        serial: u64,
        now: Timestamp,
    ) -> Option<Outcome<Arc<str>>> {
        let mut shard = self.shard(hash)?.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = shard.get(hash).filter(|entry| entry.serial == serial)?;
        if entry.expires_at_s.saturating_add(EXPIRY_LEEWAY_S) <= now.0.div_euclid(1_000) {
            shard.pop(hash);
            return Some(Err(TOKEN_EXPIRED.plain()));
        }
        Some(Ok(Arc::clone(&entry.user)))
    }

    pub(super) fn put(&self, hash: [u8; 32], serial: u64, expires_at_s: i64, user: Arc<str>) {
        if let Some(shard) = self.shard(&hash) {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.put(hash, Entry { serial, expires_at_s, user });
        }
    }

    fn shard(&self, hash: &[u8; 32]) -> Option<&Mutex<LruCache<[u8; 32], Entry>>> {
        self.shards.get(usize::from(hash[0]) % SHARDS)
    }
}
