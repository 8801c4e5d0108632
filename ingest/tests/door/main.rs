//! The door from outside: every address over the in-memory models, with an owner that decides.
// The lint knows test functions, not what they call: all of this is test code.
#![allow(clippy::unwrap_used, clippy::panic)]

mod account;
mod admin;
mod auth;
mod backlog;
mod batch;
mod cors;
mod directory;
mod event;
mod history;
mod hostile;
mod idempotency;
mod me;
mod owner;
mod parked;
mod project;
mod published;
mod replay;
mod settings;
mod token;
mod trace;
mod trigger;
mod webhook;
mod world;
