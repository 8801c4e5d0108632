//! What existing clients read: every field they touch without a guard is here.

mod credential;
mod input;
mod integration;
mod user;

pub(crate) use credential::{Credential, Opened};
pub(crate) use integration::{Integration, Metadata};
pub(crate) use user::{Project, User};

use crate::time::Iso;
use domain::time::Timestamp;

/// Configuration carries no dates of its own: clients get the same moment always.
const UNDATED: Iso = Iso(Timestamp(0));
