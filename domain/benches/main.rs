//! What the pure part costs: deciding, folding, and records on their way to bytes and back.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on stops")]

mod codec;
mod decide;
mod fold;
mod story;

use criterion::{criterion_group, criterion_main};

criterion_group!(benches, decide::decide, fold::fold, codec::records);
criterion_main!(benches);
