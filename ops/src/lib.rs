//! The binary: settings, wiring, command line. The only crate that sees all the others.

pub mod cli;
mod cluster;
pub mod config;
mod doctor;
mod judge;
pub mod kafka;
pub mod keys;
mod meters;
mod moving;
pub mod node;
mod readers;
mod registry;
mod server;
mod status;
pub mod system;
mod telemetry;
mod watch;
pub mod wire;
mod work;
