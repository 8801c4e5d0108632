//! Row 12: memory of a node that does nothing.

use super::figure::{Better, Figure};
use super::process::resident_mib;
use crate::harness::{Api, Node};
use crate::project::{self, Plan};
use anyhow::{Context, Result};
use std::path::Path;
use std::time::Duration;

/// When memory is looked at.
const AFTER: Duration = Duration::from_secs(5);
/// Webhooks that have a workflow each.
const KINDS: [&str; 12] = [
    "push",
    "issues",
    "issue_comment",
    "pull_request",
    "pull_request_review",
    "release",
    "star",
    "fork",
    "create",
    "delete",
    "workflow_run",
    "check_run",
];

pub(super) async fn measure(folder: &Path) -> Result<Vec<Figure>> {
    let node = Node::start(folder).await?;
    let kinds = KINDS.map(str::to_owned);
    let (warehouse, tracker) = ("http://127.0.0.1:1", "http://127.0.0.1:2");
    let plan = Plan { warehouse, tracker, kinds: &kinds, pause_s: 0 };
    Api::apply(&node, folder, &project::file(&plan)).await?;
    node.stop().await?;
    let node = Node::start(folder).await?;
    // The moment is part of what is measured.
    tokio::time::sleep(AFTER).await;
    let resident = resident_mib(node.pid().context("the node has ended")?)?;
    node.stop().await?;
    let conditions = format!(
        "VmRSS {} s after the start on a folder with the demo project ({} workflows)",
        AFTER.as_secs(),
        KINDS.len() + 2
    );
    Ok(vec![
        Figure::told(12, "idle memory of the node", (resident, "MiB"), Better::Lower)
            .against(100.0, Some(40.0))
            .under(&conditions),
    ])
}
