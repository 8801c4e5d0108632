//! The system seen from outside.

pub mod bench;
pub mod crash;
pub mod demo;
pub mod github;
pub mod harness;
pub mod latency;
pub mod project;
pub mod receiver;
pub mod sim;
