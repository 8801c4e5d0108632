//! Everything that consumes the log: the owner, queues, history, and who is at the log.

pub mod directory;
pub mod drive;
pub mod handover;
pub mod history;
pub mod inbox;
pub mod owner;
pub mod perform;
mod queue;
pub mod replay;
pub mod roster;
pub mod runner;
mod timer;
pub mod under_way;
mod world;

pub use owner::{Owner, Seat, Turn};
pub use queue::Work;
pub use world::World;
