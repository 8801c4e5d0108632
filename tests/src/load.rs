//! A mixed load, and the account of it: app events, some of them in batches, requests that wait for
//! their answer, and webhooks, for a few users.

mod count;
mod parcel;
mod record;
mod stage;

pub(crate) use count::Count;
pub(crate) use parcel::Parcel;
pub(crate) use record::Record;
pub(crate) use stage::Stage;

/// The kind of webhook that is sent.
const KIND: &str = "push";
/// Enough that every node has some of them, whatever partitions it holds.
const USERS: usize = 24;

/// What a user is called, and the account that webhooks name.
fn user(n: usize) -> String {
    format!("user-{n}")
}
