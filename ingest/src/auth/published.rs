//! Key sets that identity providers publish (JWKS), fetched when they are needed.

use super::key_set::{KEYS_MAX, Origin, SigningKey};
use crate::app::App;
use async_trait::async_trait;
use domain::time::Timestamp;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use ports::Error;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A provider is asked again after so long at the earliest, whatever tokens come.
const RETRY_MS: i64 = 10_000;
/// While a provider does not answer, its last keys are good for so long.
const STALE_MS_MAX: i64 = 3_600_000;
const URLS_MAX: usize = 1_000;
const DOCUMENT_LEN_MAX: usize = 256 * 1024;

/// Fetches published key sets.
#[async_trait]
pub trait KeySource: Send + Sync {
    /// The key set at the URL, as JSON (RFC 7517). It is the implementation's business to guard
    /// against addresses that are not public, and to bound size and time.
    ///
    /// # Errors
    /// `Unavailable`: it cannot be fetched now.
    async fn fetch(&self, url: &str) -> Result<String, Error>;
}

/// A key set as it was fetched.
pub(crate) struct Document {
    /// Different for every other document.
    pub(super) version: u64,
    pub(super) keys: Vec<SigningKey>,
    text: String,
    fetched_at: Timestamp,
}

/// The key sets at hand.
#[derive(Default)]
pub(crate) struct Published {
    slots: Mutex<HashMap<String, Arc<Slot>>>,
    version: AtomicU64,
}

#[derive(Default)]
struct Slot {
    state: Mutex<State>,
    /// Held while the provider is asked, so that it is asked once.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    document: Option<Arc<Document>>,
    asked_at: Option<Timestamp>,
}

impl Published {
    /// The keys published at the URL; `None` if there are none to be had.
    pub(super) async fn get(&self, app: &App, url: &str, now: Timestamp) -> Option<Arc<Document>> {
        let slot = self.slot(url);
        if let Some(document) = held(&slot.state).document.clone()
            && now.since_ms(document.fetched_at) < app.limits.key_set_fresh_ms
        {
            return Some(document);
        }
        self.ask(app, url, &slot, now).await
    }

    /// The keys as they are now, unless the provider was asked a moment ago.
    pub(super) async fn renew(
        &self,
        app: &App,
        url: &str,
        now: Timestamp,
    ) -> Option<Arc<Document>> {
        self.ask(app, url, &self.slot(url), now).await
    }

    async fn ask(
        &self,
        app: &App,
        url: &str,
        slot: &Slot,
        now: Timestamp,
    ) -> Option<Arc<Document>> {
        let _asking = slot.asking.lock().await;
        {
            let mut state = held(&slot.state);
            if state.asked_at.is_some_and(|at| now.since_ms(at) < RETRY_MS) {
                return usable(&state, now);
            }
            state.asked_at = Some(now);
        }
        let fetched = app.key_source.fetch(url).await;
        let mut state = held(&slot.state);
        match fetched.ok().and_then(|text| self.read(text, state.document.as_deref(), now)) {
            Some(document) => state.document = Some(Arc::new(document)),
            None => tracing::warn!(url, "a published key set cannot be fetched or read"),
        }
        usable(&state, now)
    }

    fn read(&self, text: String, known: Option<&Document>, now: Timestamp) -> Option<Document> {
        if text.len() > DOCUMENT_LEN_MAX {
            return None;
        }
        let set: JwkSet = serde_json::from_str(&text).ok()?;
        let keys = set.keys.iter().filter_map(signing_key).take(KEYS_MAX).collect();
        // An unchanged document keeps its version, and with it the tokens verified by it.
        let version = match known.filter(|known| known.text == text) {
            Some(known) => known.version,
            None => self.version.fetch_add(1, Ordering::Relaxed) + 1,
        };
        Some(Document { version, keys, text, fetched_at: now })
    }

    fn slot(&self, url: &str) -> Arc<Slot> {
        let mut slots = held(&self.slots);
        if let Some(slot) = slots.get(url) {
            return Arc::clone(slot);
        }
        if slots.len() >= URLS_MAX {
            slots.clear();
        }
        Arc::clone(slots.entry(url.to_owned()).or_default())
    }
}

fn usable(state: &State, now: Timestamp) -> Option<Arc<Document>> {
    state.document.clone().filter(|document| now.since_ms(document.fetched_at) < STALE_MS_MAX)
}

fn signing_key(jwk: &Jwk) -> Option<SigningKey> {
    let common = &jwk.common;
    let for_us = common.key_algorithm.is_none_or(|algorithm| algorithm == KeyAlgorithm::RS256)
        && common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature)
        && matches!(jwk.algorithm, AlgorithmParameters::RSA(_));
    if !for_us {
        return None;
    }
    let decoding = DecodingKey::from_jwk(jwk).ok()?;
    Some(SigningKey { kid: common.key_id.clone(), decoding, origin: Origin::Published })
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while a lock is held; a poisoned one is still whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
