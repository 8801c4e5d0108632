//! Stories of a user's executions: given what happened, when a command comes, then these events.

// A test fails by panicking, also in the functions around it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cancel;
mod control;
mod enabled;
mod fan_out;
mod late;
mod lost;
mod mapping;
mod pages;
mod paused;
mod permission;
mod replay;
mod replay_execution;
mod retry;
mod schedule;
mod settings;
mod story;
mod test_run;
mod twice;
mod versions;
