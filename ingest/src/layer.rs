//! What happens to every request and answer.

mod cors;
mod origin;
mod panic;
mod trace;

pub(crate) use cors::cors;
pub(crate) use origin::origin;
pub(crate) use panic::panic;
pub(crate) use trace::{current, runs_before, trace};
