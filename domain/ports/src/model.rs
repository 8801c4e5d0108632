//! The ports in memory: at once their specification and what the simulation runs on.

pub mod log;
