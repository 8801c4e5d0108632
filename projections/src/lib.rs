//! Everything that consumes the log: the owner, queues, history.

pub mod drive;
pub mod owner;
pub mod perform;
mod queue;
pub mod runner;
mod timer;
mod world;

pub use owner::{Owner, Seat, Turn};
pub use queue::Work;
pub use world::World;
