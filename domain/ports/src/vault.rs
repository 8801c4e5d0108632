//! Seals and opens payloads: user keys in generations, wrapped by the master key.
//!
//! A data key belongs to one key of the log (a user, an address, a project). It is appended to
//! `keys`, wrapped, and read back before the first ciphertext that needs it: the first record of
//! a (name, generation) wins, so two nodes that mint at once use the same key. Small payloads are
//! sealed in place; larger ones go to the blob store and leave a reference.

mod ring;
mod seal;
#[cfg(test)]
mod tests;

pub use ring::MasterKey;
use ring::Ring;
use seal::DataKey;

use crate::blob::{Blob, BlobId};
use crate::clock::Random;
use crate::error::Error;
use crate::log::{Headers, Log, Offset, Partition, Record, Stored};
use bytes::Bytes;
use domain::key::Key;
use domain::payload::Payload;
use std::sync::{Arc, Mutex};

/// A payload above this many bytes goes to the blob store (design §3).
pub const INLINE_BYTES_MAX: usize = 32 * 1024;

/// Whose data key proves the master key: no key of the log has such a name.
const PROOF: &str = "proof";

/// Bytes read from `keys` at a time.
const READ_BYTES_MAX: usize = 1024 * 1024;

/// What can go wrong with a sealed payload.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The user was erased, or the key was never there.
    #[error("no data key for {name} in generation {generation}")]
    KeyGone {
        /// The key's name.
        name: String,
        /// The generation that the payload names.
        generation: u32,
    },
    /// The bytes are not what was sealed.
    #[error("a sealed payload of {name} does not open: it was changed, or belongs to another key")]
    Forged {
        /// The key's name.
        name: String,
    },
    /// A large payload is not at hand: open it with [`Vault::fetch`].
    #[error("the payload lies in the blob store")]
    Apart,
    /// The log or the blob store could not do it.
    #[error(transparent)]
    Port(#[from] Error),
}

/// Seals and opens.
pub struct Vault {
    log: Arc<dyn Log>,
    blob: Arc<dyn Blob>,
    random: Arc<dyn Random>,
    ring: Mutex<Ring>,
}

impl Vault {
    /// A vault that knows no key yet; call [`Vault::refresh`] to read them.
    pub fn new(
        log: Arc<dyn Log>,
        blob: Arc<dyn Blob>,
        random: Arc<dyn Random>,
        master: MasterKey,
    ) -> Self {
        Self { log, blob, random, ring: Mutex::new(Ring::new(master)) }
    }

    /// Reads the data keys that were appended since the last time.
    pub async fn refresh(&self) -> Result<(), VaultError> {
        loop {
            let from = self.ring().next;
            let batch = self.log.read(Partition::KEYS, from, READ_BYTES_MAX).await?;
            if batch.is_empty() {
                return Ok(());
            }
            let mut ring = self.ring();
            for stored in &batch {
                ring.add(stored)?;
            }
        }
    }

    /// Makes sure that the master key is the log's: the first node leaves a data key that seals
    /// nothing, and every other must open it before it writes what nobody else could read.
    ///
    /// # Errors
    /// [`VaultError::Forged`]: it is another log's. [`VaultError::Port`]: the log cannot be used.
    pub async fn prove(&self) -> Result<(), VaultError> {
        self.ready(PROOF).await?;
        self.settle().await
    }

    /// Makes sure that payloads of the key can be sealed: reads or mints its data key, durably.
    pub async fn prepare(&self, key: &Key) -> Result<(), VaultError> {
        self.ready(&key.name()).await
    }

    async fn ready(&self, name: &str) -> Result<(), VaultError> {
        if self.ring().current(name).is_some() {
            return Ok(());
        }
        self.refresh().await?;
        let mut tries = 0;
        while self.ring().current(name).is_none() {
            if tries == PREPARE_TRIES_MAX {
                let reason = format!("the data key of {name} does not become visible");
                return Err(Error::Unavailable(reason).into());
            }
            tries += 1;
            self.mint(name).await?;
        }
        Ok(())
    }

    async fn mint(&self, name: &str) -> Result<Offset, VaultError> {
        let mut fresh = [0u8; 32];
        self.random.fill(&mut fresh);
        let mut nonce = [0u8; 12];
        self.random.fill(&mut nonce);
        let record = self.ring().wrap(name, &DataKey::new(fresh), nonce)?;
        let record = Record { headers: Headers::default(), ..record };
        let offsets = self.log.append(vec![(Partition::KEYS, record)]).await?;
        let minted = offsets.first().copied().unwrap_or(-1);
        // Not from where the ring is: another caller may have read this record already, and
        // behind it nothing may ever come.
        self.log.changed(Partition::KEYS, minted).await?;
        self.refresh().await?;
        self.settle().await?;
        Ok(minted)
    }

    /// Where two nodes minted a data key at the same time: appends again the one that counts, which
    /// compaction would forget.
    ///
    /// # Errors
    /// The log cannot be written; call it again.
    pub async fn settle(&self) -> Result<(), VaultError> {
        let nonce = || {
            let mut nonce = [0u8; 12];
            self.random.fill(&mut nonce);
            nonce
        };
        let restored = self.ring().restored(nonce)?;
        let records: Vec<_> =
            restored.into_iter().map(|record| (Partition::KEYS, record)).collect();
        if !records.is_empty() {
            self.log.append(records).await?;
        }
        Ok(())
    }

    /// Seals bytes that are small enough to stay in the record. The key must be prepared.
    ///
    /// # Errors
    /// [`VaultError::Apart`]: too large; use [`Vault::store`].
    pub fn seal(&self, key: &Key, clear: &[u8]) -> Result<Payload, VaultError> {
        if clear.len() > INLINE_BYTES_MAX {
            return Err(VaultError::Apart);
        }
        let name = key.name();
        Ok(Payload::Sealed(self.encrypt(&name, seal::INLINE, clear)?))
    }

    /// Seals bytes of any size: a large payload is stored, encrypted, before this returns. The key
    /// may have been prepared by another node.
    pub async fn store(&self, key: &Key, clear: &[u8]) -> Result<Payload, VaultError> {
        self.prepare(key).await?;
        if clear.len() <= INLINE_BYTES_MAX {
            return self.seal(key, clear);
        }
        let name = key.name();
        let cipher = self.encrypt(&name, seal::INLINE, clear)?;
        let id = self.blob.put(&seal::scope(&name), cipher).await?;
        Ok(Payload::Sealed(self.encrypt(&name, seal::APART, &id.0)?))
    }

    /// Opens a payload that lies in the record, with the data keys that are at hand.
    ///
    /// # Errors
    /// [`VaultError::Apart`]: it is a reference; use [`Vault::fetch`]. [`VaultError::KeyGone`]: the
    /// data key is not at hand; [`Vault::fetch`] looks for it.
    pub fn open(&self, key: &Key, payload: &Payload) -> Result<Bytes, VaultError> {
        match self.decrypt(key, payload)? {
            (seal::APART, _) => Err(VaultError::Apart),
            (_, clear) => Ok(clear),
        }
    }

    /// Opens a payload wherever it lies.
    pub async fn fetch(&self, key: &Key, payload: &Payload) -> Result<Bytes, VaultError> {
        let (kind, clear) = match self.decrypt(key, payload) {
            Err(VaultError::KeyGone { .. }) => {
                // Another node may have minted it since the last look.
                self.refresh().await?;
                self.decrypt(key, payload)?
            }
            found => found?,
        };
        if kind != seal::APART {
            return Ok(clear);
        }
        let name = key.name();
        let id = <[u8; 32]>::try_from(clear.as_ref());
        let id = BlobId(id.map_err(|_| VaultError::Forged { name: name.clone() })?);
        let stored = self.blob.get(&seal::scope(&name), id).await?;
        let lost = || Error::Corrupt(format!("a payload of {name} is not in the blob store"));
        let cipher = stored.ok_or_else(lost)?;
        self.decrypt(key, &Payload::Sealed(cipher)).map(|(_, clear)| clear)
    }

    fn encrypt(&self, name: &str, kind: u8, clear: &[u8]) -> Result<Bytes, VaultError> {
        let mut nonce = [0u8; 12];
        self.random.fill(&mut nonce);
        let ring = self.ring();
        let Some((generation, key)) = ring.current(name) else {
            return Err(VaultError::KeyGone { name: name.to_owned(), generation: 0 });
        };
        seal::encrypt(key, name, (kind, generation), nonce, clear)
    }

    fn decrypt(&self, key: &Key, payload: &Payload) -> Result<(u8, Bytes), VaultError> {
        let sealed = match payload {
            Payload::Open(clear) => return Ok((seal::INLINE, clear.clone())),
            Payload::Sealed(sealed) if sealed.is_empty() => {
                return Ok((seal::INLINE, Bytes::new()));
            }
            Payload::Sealed(sealed) => sealed,
        };
        let name = key.name();
        let head = seal::head(sealed).ok_or_else(|| VaultError::Forged { name: name.clone() })?;
        let ring = self.ring();
        let Some(data_key) = ring.get(&name, head.generation) else {
            return Err(VaultError::KeyGone { name, generation: head.generation });
        };
        seal::decrypt(data_key, &name, &head, sealed).map(|clear| (head.kind, clear))
    }

    fn ring(&self) -> std::sync::MutexGuard<'_, Ring> {
        // A poisoned lock means a panic between two map operations: the map itself is whole.
        self.ring.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Checks that a master key opens these records of `keys`.
///
/// # Errors
/// [`VaultError::Forged`]: it does not open one. [`VaultError::Port`]: one is no data key.
pub fn check(master: MasterKey, keys: impl Iterator<Item = Record>) -> Result<(), VaultError> {
    let mut ring = Ring::new(master);
    keys.zip(0..).try_for_each(|(record, offset)| ring.add(&Stored { offset, record }))
}

/// Appends after which a key that does not show up is given up.
const PREPARE_TRIES_MAX: u32 = 100;
