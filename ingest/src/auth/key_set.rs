//! The public keys that a project's user tokens may be signed with.

use super::published::Document;
use domain::config::{IdentityProvider, ProjectSettings};
use domain::id::ProjectId;
use jsonwebtoken::DecodingKey;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Keys tried for one token.
pub(super) const KEYS_MAX: usize = 16;
/// Projects whose keys are kept at hand.
const SETS_MAX: usize = 10_000;

/// Where a key comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Origin {
    /// From the project's settings.
    Project,
    /// From an identity provider's key set.
    Published,
}

/// A public key.
pub(super) struct SigningKey {
    pub(super) kid: Option<String>,
    pub(super) decoding: DecodingKey,
    pub(super) origin: Origin,
}

/// The keys of a project as they are now.
pub(crate) struct KeySet {
    /// Different for every other set of keys of any project.
    pub(super) serial: u64,
    pems: Vec<String>,
    /// What tokens must say is a part of it: it may change while the keys stay.
    provider: Option<IdentityProvider>,
    version: u64,
    keys: Vec<SigningKey>,
    published: Option<Arc<Document>>,
}

impl KeySet {
    /// The keys that a token with this `kid` may be signed with: those of that name, else those
    /// without a name; all, if the token names none.
    pub(super) fn candidates(&self, kid: Option<&str>) -> impl Iterator<Item = &SigningKey> {
        let published = self.published.iter().flat_map(|document| &document.keys);
        let named = published.clone().any(|key| kid.is_some() && key.kid.as_deref() == kid);
        self.keys
            .iter()
            .chain(published)
            .filter(move |key| match (kid, named) {
                (None, _) => true,
                (Some(kid), true) => key.kid.as_deref() == Some(kid),
                (Some(_), false) => key.kid.is_none(),
            })
            .take(KEYS_MAX)
    }
}

/// The key sets of all projects, rebuilt when a project's keys change.
#[derive(Default)]
pub(crate) struct KeySets {
    sets: RwLock<HashMap<ProjectId, Arc<KeySet>>>,
    serial: AtomicU64,
}

impl KeySets {
    /// The project's keys. A replaced key is gone from the next call on.
    pub(super) fn get(
        &self,
        settings: &ProjectSettings,
        (provider, published): (Option<&IdentityProvider>, Option<&Arc<Document>>),
    ) -> Arc<KeySet> {
        let version = published.map_or(0, |document| document.version);
        let sets = self.sets.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(set) = sets.get(&settings.id)
            && set.version == version
            && set.pems == settings.signing_keys
            && set.provider.as_ref() == provider
        {
            return Arc::clone(set);
        }
        drop(sets);
        self.build(settings, (provider, published), version)
    }

    fn build(
        &self,
        settings: &ProjectSettings,
        (provider, published): (Option<&IdentityProvider>, Option<&Arc<Document>>),
        version: u64,
    ) -> Arc<KeySet> {
        let keys = settings.signing_keys.iter().take(KEYS_MAX).filter_map(|pem| {
            let decoding = DecodingKey::from_rsa_pem(pem.as_bytes());
            if decoding.is_err() {
                tracing::warn!(project = %settings.id, "a signing key is no RSA public key in PEM");
            }
            Some(SigningKey { kid: None, decoding: decoding.ok()?, origin: Origin::Project })
        });
        let set = Arc::new(KeySet {
            serial: self.serial.fetch_add(1, Ordering::Relaxed),
            pems: settings.signing_keys.clone(),
            provider: provider.cloned(),
            version,
            keys: keys.collect(),
            published: published.cloned(),
        });
        let mut sets = self.sets.write().unwrap_or_else(PoisonError::into_inner);
        if sets.len() >= SETS_MAX {
            sets.clear();
        }
        sets.insert(settings.id, Arc::clone(&set));
        set
    }
}
