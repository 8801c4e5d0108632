//! Moving a log: to another backend, into a backup, and out of one.
//!
//! Records refer to offsets of others: an event to its command and to the configuration, a Tell to
//! the decision that wanted it. So every record keeps its offset; where the source has none, a gap
//! keeps its place (`ops/docs/decisions/0010-a-moved-log-keeps-its-offsets.md`). The one exception
//! is `keys`, to whose offsets nothing refers.
//!
//! - `cut` says up to where a log is taken, so that no effect is without its cause.
//! - `draft` is a log that is being filled, and is none before it is whole.
//! - `carry` brings the records over, and goes on with what an earlier try has left.
//! - `ring` does so with the data keys.
//! - `tally` counts and sums up what a partition holds, to compare.
//! - `backup` is a log in a folder, to be kept, with its blobs and a manifest.

mod backup;
mod carry;
mod cut;
mod draft;
mod manifest;
mod ring;
mod source;
mod tally;
#[cfg(test)]
mod tests;

pub(crate) use backup::{Backup, Making, blobs};
pub(crate) use carry::{carry, records};
pub(crate) use cut::Cut;
pub(crate) use draft::Draft;
pub(crate) use manifest::Manifest;
pub(crate) use ring::Ring;
pub(crate) use source::source;
