//! What nodes say of themselves at `/metrics`.

use super::{Answer, Client};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::timeout;

/// Longest time until nodes have spread the partitions among themselves.
const SPREAD_MAX: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(100);

/// Everything that a node says, in the text format of Prometheus.
///
/// # Errors
/// It does not answer.
pub async fn meters(client: &Client, at: SocketAddr) -> Result<String> {
    let request = Request::get(format!("http://{at}/metrics")).body(Full::new(Bytes::new()))?;
    match client.send(request).await? {
        Answer { status: 200, body, .. } => Ok(String::from_utf8_lossy(&body).into_owned()),
        answer => bail!("/metrics: {}", answer.shown()),
    }
}

/// Waits until each of these nodes, which are all that there are, decides for its share of the
/// partitions.
///
/// # Errors
/// One does not for long.
pub async fn spread(client: &Client, nodes: &[SocketAddr]) -> Result<()> {
    let even = async {
        loop {
            let mut held = Vec::with_capacity(nodes.len());
            for node in nodes {
                held.push(partitions_held(&meters(client, *node).await?)?);
            }
            let (least, most) = (held.iter().min(), held.iter().max());
            if let (Some(&least), Some(&most)) = (least, most)
                && least > 0
                && most - least <= 1
            {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    timeout(SPREAD_MAX, even).await.context("the nodes do not share the partitions")?
}

fn partitions_held(meters: &str) -> Result<u32> {
    let mut values =
        meters.lines().filter_map(|line| line.strip_prefix("millrace_partitions_held "));
    Ok(values.next().context("the node does not say what it holds")?.parse()?)
}
