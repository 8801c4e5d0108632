//! How long nobody decides when a node goes.

use super::figure::{Better, Figure};
use super::project::QUOTE;
use super::stage::Stage;
use super::wire::Connection;
use crate::harness::{Node, backend, spread};
use anyhow::{Result, bail};
use indicatif::ProgressBar;
use std::path::Path;
use std::time::{Duration, Instant};

/// Enough that each node decides for many.
const USERS: usize = 64;
/// What a takeover may take, in milliseconds.
const AFTER_KILL_MS: f64 = 5_000.0;
const AFTER_STOP_MS: f64 = 1_000.0;
const PATIENCE: Duration = Duration::from_secs(30);
/// The door is full, or nobody has decided in time.
const BUSY: [u16; 2] = [429, 503];

/// How a node goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Going {
    Killed,
    Stopped,
}

/// From when one of two nodes goes until the other has answered a request of every user.
pub(super) async fn measure(
    folder: &Path,
    going: Going,
    spinner: &ProgressBar,
) -> Result<Vec<Figure>> {
    backend::create(folder)?;
    spinner.set_message("connecting users");
    let stage = Stage::prepare(folder, USERS).await?;
    let other = folder.join("other");
    backend::join(&other, folder)?;
    let goes = Node::start(&other).await?;
    spread(&stage.api.client, &[stage.node.address, goes.address]).await?;
    everyone(&stage).await?;
    let begun = Instant::now();
    let gone = async {
        match going {
            Going::Killed => goes.kill().await,
            Going::Stopped => goes.stop().await,
        }
    };
    let (gone, served) = tokio::join!(gone, everyone(&stage));
    gone?;
    let ms = served?.saturating_duration_since(begun).as_secs_f64() * 1_000.0;
    stage.node.stop().await?;
    let (name, most) = match going {
        Going::Killed => ("takeover after SIGKILL", AFTER_KILL_MS),
        Going::Stopped => ("takeover after a clean stop", AFTER_STOP_MS),
    };
    let conditions = format!(
        "two nodes, {USERS} users whose partitions both hold; from the signal until the other node \
         has answered a request of every user from its workflow, one after the other"
    );
    Ok(vec![
        Figure::told(0, name, (ms, "ms"), Better::Lower).against(most, None).under(&conditions),
    ])
}

/// Asks for every user until each has the answer of a workflow; gives when the last had.
async fn everyone(stage: &Stage) -> Result<Instant> {
    let begun = Instant::now();
    for token in &stage.tokens {
        let request = stage.request(token, QUOTE);
        let mut connection = Connection::open(stage.node.address).await?;
        loop {
            match connection.exchange(&request).await? {
                200 => break,
                status if BUSY.contains(&status) && begun.elapsed() < PATIENCE => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                status => bail!("a request was answered with {status}"),
            }
        }
    }
    Ok(Instant::now())
}
