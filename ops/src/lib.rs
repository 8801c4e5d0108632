//! The binary: settings, wiring, command line. The only crate that sees all the others.

pub mod cli;
pub mod config;
pub mod keys;
mod meters;
pub mod node;
mod readers;
mod server;
mod status;
pub mod system;
mod telemetry;
mod watch;
pub mod wire;
mod work;
