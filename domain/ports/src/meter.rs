//! What a node says of its own work.

use crate::Error;
use domain::event::Event;

/// Hears what a node does, for whoever runs it. Nothing depends on it: it may forget everything,
/// and a simulation has none.
pub trait Meter: Send + Sync {
    /// An event stands and is let out; each is told once by the process that decided it.
    fn stood(&self, event: &Event);

    /// So many more steps are being performed, or fewer.
    fn performing(&self, change: i64);

    /// So many steps of a partition wait for their turn.
    fn waiting(&self, partition: u16, count: u64);

    /// The partition's owner works, and holds the partition or follows who does; or it could not go
    /// on.
    fn owner(&self, partition: u16, holds: Result<bool, &Error>);

    /// A webhook was refused with this code and is not kept: too many were, this minute.
    fn unkept(&self, code: &'static str);
}

/// Hears nothing.
impl Meter for () {
    fn stood(&self, _: &Event) {}
    fn performing(&self, _: i64) {}
    fn waiting(&self, _: u16, _: u64) {}
    fn owner(&self, _: u16, _: Result<bool, &Error>) {}
    fn unkept(&self, _: &'static str) {}
}
