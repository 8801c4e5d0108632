//! `cargo x fault`

use anyhow::Result;
use clap::Parser;
use std::process::ExitCode;
use tests::fault::Faults;

#[tokio::main]
async fn main() -> Result<ExitCode> {
    Faults::parse().run().await
}
