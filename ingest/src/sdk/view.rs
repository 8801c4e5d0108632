//! What existing clients read: every field they touch without a guard is here.

mod credential;
mod integration;
mod user;

pub(super) use credential::credential;
pub(super) use integration::{brief, integration};
pub(super) use user::{project, user};

use domain::time::Timestamp;

/// Configuration carries no dates of its own: clients get the same moment always.
const UNDATED: Timestamp = Timestamp(0);
