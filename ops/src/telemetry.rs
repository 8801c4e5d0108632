//! Structured logs, to standard error.

use crate::config::Telemetry;
use anyhow::{Context, Result, bail};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging. Only the first call of a process counts.
pub(crate) fn start(settings: &Telemetry) -> Result<()> {
    let filter = EnvFilter::try_new(&settings.level)
        .with_context(|| format!("telemetry.level is not a filter: {}", settings.level))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A second start in one process (tests) keeps the first.
    let _ = match settings.format.as_str() {
        "text" => builder.try_init(),
        "json" => builder.json().try_init(),
        other => bail!("telemetry.format is text or json, not {other}"),
    };
    Ok(())
}
