//! `cargo x demo`

use anyhow::Result;
use clap::Parser;
use std::process::ExitCode;
use tests::demo::Demo;

#[tokio::main]
async fn main() -> Result<ExitCode> {
    Demo::parse().run().await
}
