//! The rows that one batch of events works on.

use bytes::Bytes;
use ports::{Error, Store, Table, Write};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

type Place = (Table, Bytes);

/// The rest of a fold.
type Rest = Box<dyn FnOnce(&mut Loaded) -> Result<(), Error> + Send>;

/// The rows that one batch of events works on.
#[derive(Default)]
pub struct Loaded {
    tables: BTreeMap<Table, BTreeMap<Bytes, Row>>,
    rest: Vec<(Vec<Place>, Rest)>,
}

struct Row {
    /// `None`: there is none.
    value: Option<Bytes>,
    is_changed: bool,
}

impl Loaded {
    /// Reads rows from the store; those that are here already stay as they are.
    pub(super) async fn load(
        &mut self,
        store: &dyn Store,
        wanted: Vec<Place>,
    ) -> Result<(), Error> {
        let mut by_table = BTreeMap::<Table, BTreeSet<Bytes>>::new();
        for (table, key) in wanted {
            by_table.entry(table).or_default().insert(key);
        }
        for (table, mut keys) in by_table {
            let rows = self.tables.entry(table).or_default();
            keys.retain(|key| !rows.contains_key(key));
            let keys: Vec<Bytes> = keys.into_iter().collect();
            let found = store.get(table, &keys).await?;
            for (key, value) in keys.into_iter().zip(found) {
                rows.insert(key, Row { value, is_changed: false });
            }
        }
        Ok(())
    }

    /// A row, if there is one.
    ///
    /// # Errors
    /// `Corrupt`: it does not decode.
    pub fn get<R: DeserializeOwned>(&self, table: Table, key: &Bytes) -> Result<Option<R>, Error> {
        let row = self.tables.get(&table).and_then(|rows| rows.get(key));
        let Some(bytes) = row.and_then(|row| row.value.as_ref()) else { return Ok(None) };
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
        self.change(table, key, Some(Bytes::from(bytes)));
        Ok(())
    }

    /// Removes a row.
    pub fn remove(&mut self, table: Table, key: Bytes) {
        self.change(table, key, None);
    }

    /// Leaves the rest of the fold until these rows are there as well, which only other rows tell
    /// of.
    pub fn then(
        &mut self,
        wanted: Vec<(Table, Bytes)>,
        rest: impl FnOnce(&mut Loaded) -> Result<(), Error> + Send + 'static,
    ) {
        self.rest.push((wanted, Box::new(rest)));
    }

    /// Does what is left of the fold.
    pub(super) async fn finish(&mut self, store: &dyn Store) -> Result<(), Error> {
        while !self.rest.is_empty() {
            for (wanted, rest) in std::mem::take(&mut self.rest) {
                self.load(store, wanted).await?;
                rest(self)?;
            }
        }
        Ok(())
    }

    fn change(&mut self, table: Table, key: Bytes, value: Option<Bytes>) {
        self.tables.entry(table).or_default().insert(key, Row { value, is_changed: true });
    }

    pub(super) fn into_writes(self) -> Vec<Write> {
        let mut writes = Vec::new();
        for (table, rows) in self.tables {
            for (key, row) in rows.into_iter().filter(|(_, row)| row.is_changed) {
                writes.push(match row.value {
                    Some(value) => Write::Put { table, key, value },
                    None => Write::Remove { table, key },
                });
            }
        }
        writes
    }
}
