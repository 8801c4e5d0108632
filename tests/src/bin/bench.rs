//! `cargo x bench`

use anyhow::Result;
use clap::Parser;
use std::process::ExitCode;
use tests::bench::Bench;

// One thread: the load shares two cores with the node that it measures.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    Bench::parse().run().await
}
