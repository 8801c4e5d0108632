//! Connected users, as their owners know them.

use async_trait::async_trait;
use domain::id::ProjectId;
use domain::state::User;
use ports::Error;

/// Reads connected users. What is read may lag behind the log by what an owner is about to save.
#[async_trait]
pub trait Directory: Send + Sync {
    /// The user; `None` if nothing was ever recorded of such a user.
    ///
    /// # Errors
    /// `Unavailable`: the store cannot be read now.
    async fn user(&self, project: ProjectId, user: &str) -> Result<Option<User>, Error>;
}
