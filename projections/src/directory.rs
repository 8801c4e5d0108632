//! Connected users, as their owners saved them.

use crate::owner::table;
use domain::id::ProjectId;
use domain::key::Key;
use domain::state::{Row, RowKey, User};
use ports::{Error, Store};
use std::sync::Arc;

/// Reads connected users.
pub struct DirectoryReader {
    store: Arc<dyn Store>,
    partitions: u16,
}

impl DirectoryReader {
    /// A reader of a node's own rows.
    pub fn new(store: Arc<dyn Store>, partitions: u16) -> Self {
        Self { store, partitions }
    }

    /// The user; `None` if nothing was ever recorded of such a user.
    ///
    /// # Errors
    /// `Unavailable`: the rows cannot be read now.
    pub async fn user(&self, project: ProjectId, user: &str) -> Result<Option<User>, Error> {
        let partition = Key::User(project, user.to_owned()).partition(self.partitions);
        let (table, key) = table::place(partition, &RowKey::User(project, user.to_owned()));
        let rows = self.store.get(table, &[key]).await?;
        let Some(bytes) = rows.into_iter().next().flatten() else { return Ok(None) };
        match table::decode(&bytes)? {
            Row::User(user) => Ok(Some(user)),
            _ => Err(Error::Corrupt("a row of users is no user".into())),
        }
    }
}
