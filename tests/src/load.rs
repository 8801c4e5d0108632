//! A mixed load, and the account of it: app events, some of them in batches, requests that wait for
//! their answer, webhooks, pages and fan outs, for a few users; schedules run beside it, and people
//! pause executions and run them again.

mod count;
mod parcel;
mod record;
mod settle;
mod stage;
mod steer;
mod wishes;
mod workflows;

pub(crate) use count::Count;
pub(crate) use parcel::Parcel;
pub(crate) use record::Record;
pub(crate) use stage::Stage;
pub(crate) use steer::Steerer;
pub(crate) use wishes::Wishes;

/// The kind of webhook that is sent.
const KIND: &str = "push";
/// Enough that every node has some of them, whatever partitions it holds.
const USERS: usize = 24;
/// So many of them have schedules.
const TICKING: usize = 6;

/// What a user is called, and the account that webhooks name.
fn user(n: usize) -> String {
    format!("user-{n}")
}
