//! What is metered (behaviours.md 27 and 31).

use crate::time::Month;
use serde::{Deserialize, Serialize};

/// What a project used in a month.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Usage {
    /// The month.
    pub month: Month,
    /// Metered tasks: successful requests, integration requests and functions, pages and items each.
    pub tasks: u64,
    /// Users with a connected account at any time in it.
    pub connected_users: u64,
    /// Users with a connected account at its end, or now.
    pub connected_at_end: u64,
}

/// What a user used in a month.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UserUsage {
    /// `sub` of the user.
    pub user: String,
    /// Metered tasks.
    pub tasks: u64,
}
