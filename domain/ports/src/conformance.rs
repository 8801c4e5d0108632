//! The suites that every backend passes.

pub mod log;
