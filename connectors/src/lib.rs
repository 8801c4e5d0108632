//! The way out: HTTP through the egress guard, and the function sandbox.
//!
//! `guard` opens every socket, `http` sends what `request` makes of a step, `oauth` with a token
//! that it gets, `sandbox` runs functions, and `Runner` is the port that the owner's queues hand their effects to.

pub mod guard;
pub mod http;
mod mask;
pub mod oauth;
pub mod request;
mod runner;
pub mod sandbox;

pub use runner::Runner;
