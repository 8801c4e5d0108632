//! The rows that one batch of events works on.

use bytes::Bytes;
use ports::{Error, Store, Table, Write};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

type Place = (Table, Bytes);

/// The rows that one batch of events works on.
#[derive(Default)]
pub struct Loaded {
    rows: BTreeMap<Place, Bytes>,
    dirty: BTreeSet<Place>,
}

impl Loaded {
    /// Reads the rows from the store.
    pub(super) async fn load(store: &dyn Store, wanted: Vec<Place>) -> Result<Self, Error> {
        let mut by_table = BTreeMap::<Table, BTreeSet<Bytes>>::new();
        for (table, key) in wanted {
            by_table.entry(table).or_default().insert(key);
        }
        let mut loaded = Self::default();
        for (table, keys) in by_table {
            let keys: Vec<Bytes> = keys.into_iter().collect();
            let found = store.get(table, &keys).await?;
            for (key, value) in keys.into_iter().zip(found) {
                if let Some(value) = value {
                    loaded.rows.insert((table, key), value);
                }
            }
        }
        Ok(loaded)
    }

    /// A row, if there is one.
    ///
    /// # Errors
    /// `Corrupt`: it does not decode.
    pub fn get<R: DeserializeOwned>(&self, table: Table, key: &Bytes) -> Result<Option<R>, Error> {
        let Some(bytes) = self.rows.get(&(table, key.clone())) else { return Ok(None) };
        postcard::from_bytes(bytes)
            .map(Some)
            .map_err(|error| Error::Corrupt(format!("a row of {} : {error}", table.0)))
    }

    /// Sets a row.
    ///
    /// # Errors
    /// `Corrupt`: it does not encode.
    pub fn put<R: Serialize>(&mut self, table: Table, key: Bytes, row: &R) -> Result<(), Error> {
        let bytes = postcard::to_allocvec(row)
            .map_err(|error| Error::Corrupt(format!("a row of {} : {error}", table.0)))?;
        let place = (table, key);
        self.dirty.insert(place.clone());
        self.rows.insert(place, Bytes::from(bytes));
        Ok(())
    }

    /// Removes a row.
    pub fn remove(&mut self, table: Table, key: Bytes) {
        let place = (table, key);
        self.rows.remove(&place);
        self.dirty.insert(place);
    }

    pub(super) fn into_writes(mut self) -> Vec<Write> {
        let mut writes = Vec::with_capacity(self.dirty.len() + 1);
        for place in std::mem::take(&mut self.dirty) {
            match self.rows.remove(&place) {
                Some(value) => writes.push(Write::Put { table: place.0, key: place.1, value }),
                None => writes.push(Write::Remove { table: place.0, key: place.1 }),
            }
        }
        writes
    }
}
