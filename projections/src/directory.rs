//! Connected users, as their owners saved them.

use crate::owner::table;
use domain::id::{CommandId, ProjectId};
use domain::key::Key;
use domain::state::{Row, RowKey, Seen, User};
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
        match self.row(project, user, &RowKey::User(project, user.to_owned())).await? {
            None => Ok(None),
            Some(Row::User(user)) => Ok(Some(user)),
            Some(_) => Err(Error::Corrupt("a row of users is no user".into())),
        }
    }

    /// What became of a command of the user's; `None` if it was never decided, or so long ago that
    /// it is forgotten.
    ///
    /// # Errors
    /// As [`DirectoryReader::user`].
    pub async fn seen(
        &self,
        project: ProjectId,
        user: &str,
        command: CommandId,
    ) -> Result<Option<Seen>, Error> {
        match self.row(project, user, &RowKey::Seen(command)).await? {
            None => Ok(None),
            Some(Row::Seen(seen)) => Ok(Some(seen)),
            Some(_) => Err(Error::Corrupt("a row of decided commands is none".into())),
        }
    }

    /// A row of the partition that the user belongs to.
    async fn row(
        &self,
        project: ProjectId,
        user: &str,
        row: &RowKey,
    ) -> Result<Option<Row>, Error> {
        let partition = Key::User(project, user.to_owned()).partition(self.partitions);
        let (table, key) = table::place(partition, row);
        let rows = self.store.get(table, &[key]).await?;
        rows.into_iter().next().flatten().map(|bytes| table::decode(&bytes)).transpose()
    }
}
