//! Connected users, as their owners know them.

use async_trait::async_trait;
use domain::id::{CommandId, ProjectId};
use domain::state::{Seen, User};
use ports::Error;

/// Reads connected users. What is read may lag behind the log by what an owner is about to save.
#[async_trait]
pub trait Directory: Send + Sync {
    /// The user; `None` if nothing was ever recorded of such a user.
    ///
    /// # Errors
    /// `Unavailable`: the store cannot be read now.
    async fn user(&self, project: ProjectId, user: &str) -> Result<Option<User>, Error>;

    /// What became of a command of the user's; `None` if it was never decided, or so long ago that
    /// its key is forgotten. It is saved together with what the command changed of the user.
    ///
    /// # Errors
    /// As [`Directory::user`].
    async fn seen(
        &self,
        project: ProjectId,
        user: &str,
        command: CommandId,
    ) -> Result<Option<Seen>, Error>;
}
