//! Everything that consumes the log: the owner, queues, history.

pub mod directory;
pub mod drive;
pub mod history;
pub mod inbox;
pub mod owner;
pub mod perform;
mod queue;
pub mod runner;
mod timer;
mod world;

pub use owner::{Owner, Seat, Turn};
pub use queue::Work;
pub use world::World;
