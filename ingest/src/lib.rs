//! Everything that arrives by HTTP.
//!
//! A handler decides the shape of what was sent, appends a command, and answers: who is calling
//! and what was sent is in its signature. Nothing is decided here; what must be known before a
//! command is appended comes from the configuration ([`ports::Feed`]) and from [`Directory`].
//!
//! What the server around the router must do itself: bound the size of a request's head (16 KiB),
//! the time in which a head must arrive (10 s), the idle time of a connection, and the number of
//! connections. Bodies and waits are bounded here ([`Limits`]).

mod admin;
mod app;
mod auth;
mod body;
mod command;
mod directory;
mod door;
mod history;
mod idempotency;
mod json;
mod layer;
mod openapi;
mod path;
pub mod problem;
mod query;
mod registry;
mod reply;
mod router;
mod sdk;
mod selector;
mod task_history;
mod time;
mod webhook;

pub use app::{App, Limits};
pub use auth::KeySource;
pub use directory::Directory;
pub use history::{History, Inbox};
pub use openapi::document;
pub use router::{Access, ROUTES, Route, router};
pub use webhook::{Judge, NoVerdict, Question};
