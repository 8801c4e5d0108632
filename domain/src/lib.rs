//! What Millrace decides.
//!
//! Everything here is a pure function of its arguments: no clock, no randomness, no IO, no async.
//! `command` and `event` are the two families of records, `codec` turns them into the bytes of
//! `schemas/`, `state` is what an owner knows, `decide` turns (state, command, now) into events,
//! `effect` reads from events what the world should do, `workflow` is the engine's meaning.

pub mod answer;
#[cfg(feature = "canary")]
pub mod canary;
pub mod cluster;
pub mod codec;
pub mod command;
pub mod config;
pub mod decide;
pub mod definition;
pub mod effect;
pub mod event;
pub mod exchange;
pub mod id;
pub mod key;
pub mod meta;
pub mod metadata;
pub mod paging;
pub mod payload;
pub mod run;
pub mod state;
pub mod time;
pub mod view;
pub mod webhook;
pub mod workflow;
