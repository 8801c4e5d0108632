//! The system seen from outside: the real program, over HTTP and its command line. Every test has
//! a folder and a port of its own.
// The lint knows test functions, not what they call: all of this is test code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bodies;
mod cli;
mod cluster;
mod console;
mod control;
mod described;
mod description;
mod disk;
mod doctor;
mod egress;
mod examples;
mod executions;
mod fairness;
mod fan_out;
mod files;
mod functions;
mod golden;
mod history;
mod hostile;
mod key_set;
mod moving;
mod oauth;
mod own_schemes;
mod pages;
mod parked;
mod project;
mod raw;
mod registry;
mod repeats;
mod replays;
mod retry;
mod samples;
mod schedule;
mod sdk;
mod server;
mod settings;
mod signers;
mod techniques;
mod tokens;
mod trace;
mod under_way;
mod upgrade;
mod usage;
mod versions;
mod webhooks;
mod world;
