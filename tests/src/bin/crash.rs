//! `cargo x crash`

use anyhow::Result;
use clap::Parser;
use std::process::ExitCode;
use tests::crash::Crash;

#[tokio::main]
async fn main() -> Result<ExitCode> {
    Crash::parse().run().await
}
