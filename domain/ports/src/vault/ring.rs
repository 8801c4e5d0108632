//! The data keys at hand, folded from `keys`.
//!
//! A record's key is `<name>#<generation>`, its value the data key sealed under the master key;
//! an empty value forgets it.

use super::VaultError;
use super::seal::{self, DataKey};
use crate::error::Error;
use crate::log::{Headers, Offset, Record, Stored};
use bytes::Bytes;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// The key that wraps all others. It never reaches the log.
pub struct MasterKey(DataKey);

impl MasterKey {
    /// A master key of 32 bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(DataKey::new(bytes))
    }
}

/// The name under which data keys are wrapped.
const MASTER: &str = "master";

/// The data keys at hand.
pub(super) struct Ring {
    master: MasterKey,
    keys: BTreeMap<String, BTreeMap<u32, DataKey>>,
    /// Records that another one follows under the same key, with another data key. Compaction keeps
    /// the latest, and what counts is the first.
    contested: BTreeSet<String>,
    /// The first record of `keys` that was not read.
    pub(super) next: Offset,
}

impl Ring {
    pub(super) fn new(master: MasterKey) -> Self {
        Self { master, keys: BTreeMap::new(), contested: BTreeSet::new(), next: 0 }
    }

    pub(super) fn add(&mut self, stored: &Stored) -> Result<(), VaultError> {
        if stored.offset < self.next {
            return Ok(());
        }
        let malformed = || Error::Corrupt(format!("no data key at offset {}", stored.offset));
        let text = std::str::from_utf8(&stored.record.key).map_err(|_| malformed())?;
        let (name, generation) = text.rsplit_once('#').ok_or_else(malformed)?;
        let generation: u32 = generation.parse().map_err(|_| malformed())?;
        if stored.record.value.is_empty() {
            if let Some(generations) = self.keys.get_mut(name) {
                generations.remove(&generation);
            }
            self.contested.remove(text);
        } else {
            let key = self.unwrap(text, &stored.record.value);
            // The first record of a generation wins; a later one was minted at the same time, perhaps
            // by a node that had another master key and could not stay.
            match self.keys.entry(name.to_owned()).or_default().entry(generation) {
                Entry::Vacant(place) => {
                    place.insert(key?);
                }
                Entry::Occupied(first) if key.is_ok_and(|key| first.get().bytes == key.bytes) => {
                    self.contested.remove(text);
                }
                Entry::Occupied(_) => {
                    self.contested.insert(text.to_owned());
                }
            }
        }
        self.next = stored.offset + 1;
        Ok(())
    }

    fn unwrap(&self, text: &str, wrapped: &[u8]) -> Result<DataKey, VaultError> {
        let wrong_master = || VaultError::Forged { name: MASTER.to_owned() };
        let head = seal::head(wrapped).ok_or_else(wrong_master)?;
        let clear = seal::decrypt(&self.master.0, &format!("{MASTER}/{text}"), &head, wrapped)
            .map_err(|_| wrong_master())?;
        let bytes = <[u8; 32]>::try_from(clear.as_ref()).map_err(|_| wrong_master())?;
        Ok(DataKey::new(bytes))
    }

    /// The record that makes a fresh data key known.
    pub(super) fn wrap(
        &self,
        name: &str,
        fresh: &DataKey,
        nonce: [u8; 12],
    ) -> Result<Record, VaultError> {
        let newest = self.keys.get(name).and_then(|keys| keys.keys().next_back());
        let text = format!("{name}#{}", newest.map_or(1, |generation| generation + 1));
        self.record(text, fresh, nonce)
    }

    /// Records after which the data keys that count are also the latest.
    pub(super) fn restored(
        &self,
        mut nonce: impl FnMut() -> [u8; 12],
    ) -> Result<Vec<Record>, VaultError> {
        let contested = self.contested.iter().filter_map(|text| {
            let (name, generation) = text.rsplit_once('#')?;
            let first = self.get(name, generation.parse().ok()?)?;
            Some(self.record(text.clone(), first, nonce()))
        });
        contested.collect()
    }

    fn record(&self, text: String, key: &DataKey, nonce: [u8; 12]) -> Result<Record, VaultError> {
        let kind = (seal::INLINE, 0);
        let context = format!("{MASTER}/{text}");
        let wrapped = seal::encrypt(&self.master.0, &context, kind, nonce, &*key.bytes)?;
        Ok(Record { headers: Headers::default(), key: Bytes::from(text), value: wrapped })
    }

    /// The newest data key of a name.
    pub(super) fn current(&self, name: &str) -> Option<(u32, &DataKey)> {
        self.keys.get(name)?.iter().next_back().map(|(generation, key)| (*generation, key))
    }

    pub(super) fn get(&self, name: &str, generation: u32) -> Option<&DataKey> {
        self.keys.get(name)?.get(&generation)
    }
}
