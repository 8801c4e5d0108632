//! The system seen from outside.

pub mod bench;
pub mod crash;
pub mod demo;
pub mod fault;
pub mod github;
pub mod harness;
pub mod latency;
mod load;
pub mod project;
pub mod receiver;
pub mod sim;
