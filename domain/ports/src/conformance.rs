//! The suites that every backend passes.

pub mod blob;
pub mod log;
pub mod store;
