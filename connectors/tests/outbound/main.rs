//! The way out against real sockets and hostile functions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs, unreachable_pub)]

mod client;
mod functions;
mod hostile;
mod job;
mod libraries;
mod oauth;
mod paging;
mod realms;
mod runner;
mod server;
mod ssrf;
mod tls;
