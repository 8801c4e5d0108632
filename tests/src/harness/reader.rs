//! The log as a stranger reads it.

use super::{Node, backend, root, tools};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};
use tokio::process::Command;

fn python() -> PathBuf {
    tools().join("python/bin/python")
}

/// Reads the log of a stopped node with `tests/reader/read_log.py`; gives its counts.
///
/// # Errors
/// Its tools are not installed, the log is damaged, or a record does not decode.
pub async fn read_log(data: &Path) -> Result<Value> {
    let schemas = data.join("schemas.jsonl");
    std::fs::write(&schemas, Node::run(data, &["schemas"]).await?)?;
    let mut reader = Command::new(python());
    reader.arg(root().join("tests/reader/read_log.py"));
    match backend::topics(data)? {
        Some(topics) => reader.args(["--brokers", &topics.brokers, "--prefix", &topics.prefix]),
        None => reader.arg("--data").arg(data),
    };
    let output = reader
        .arg("--schemas")
        .arg(&schemas)
        .output()
        .await
        .context("cannot run the reader; `cargo x crash` installs what it needs")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout);
        bail!("the reader: {said}{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::ensure;

    #[tokio::test]
    async fn the_reader_sees_what_it_claims_to() -> Result<()> {
        let folder = root().join("tests/reader");
        let mut tests = Command::new(python());
        let output = tests.args(["-B", "-m", "unittest"]).current_dir(folder).output().await;
        let output =
            output.context("cannot run the reader; `cargo x crash` installs what it needs")?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }
}
