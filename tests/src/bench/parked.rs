//! Rows 7 and 8: many executions that wait for a moment.

use super::backlog::settled;
use super::figure::{Better, Figure};
use super::load::{Load, Until};
use super::process::resident_mib;
use super::project::PARKED;
use super::stage::{PAYLOAD_BYTES, Stage};
use super::wire::Connection;
use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use std::path::Path;
use std::time::{Duration, Instant};

const USERS: usize = 1_000;
const CLIENTS: usize = 4;
/// Events in a request that builds the state.
const BATCH_EVENTS: usize = 500;
/// How long after a start, or after the last execution was parked, memory is looked at.
const SETTLE: Duration = Duration::from_secs(5);

pub(super) async fn measure(
    folder: &Path,
    live: usize,
    spinner: &ProgressBar,
) -> Result<Vec<Figure>> {
    spinner.set_message("connecting users");
    // What connecting the users left behind must not hide what parked executions take.
    let stage = Stage::prepare(folder, USERS).await?.restarted().await?;
    tokio::time::sleep(SETTLE).await;
    let idle = resident_mib(stage.pid()?)?;
    let (parked, took) = park(&stage, live, spinner).await?;
    tokio::time::sleep(SETTLE).await;
    let full = resident_mib(stage.pid()?)?;

    let requests = stage.singles();
    let request = requests.first().context("there is no request")?;
    let begun = Instant::now();
    let stage = stage.killed().await?;
    let listening = begun.elapsed();
    let status = Connection::open(stage.node.address).await?.exchange(request).await?;
    let accepting = begun.elapsed();
    if status != 201 {
        bail!("the first event after the restart: {status}");
    }
    spinner.set_message("waiting for memory to settle");
    tokio::time::sleep(SETTLE).await;
    let again = resident_mib(stage.pid()?)?;
    stage.node.stop().await?;

    let millions = parked as f64 / 1e6;
    let how = format!(
        "{parked} executions in a delay of 30 days, of {USERS} users, {PAYLOAD_BYTES} B payload, \
         started by batched events in {:.0} s",
        took.as_secs_f64()
    );
    let seven = format!(
        "{how}; from SIGKILL until the first event is acknowledged, the node listened after \
         {:.0} ms",
        listening.as_secs_f64() * 1_000.0
    );
    let eight = |when: &str, now: f64| {
        format!(
            "{how}; VmRSS {now:.0} MiB {when}, less {idle:.0} MiB of the node 5 s after a start with the \
             users and nothing parked"
        )
    };
    let per_million = |now: f64| ((now - idle).max(0.0) / millions, "MiB/1M");
    let ms = accepting.as_secs_f64() * 1_000.0;
    Ok(vec![
        Figure::told(7, "kill -9 to accepting writes", (ms, "ms"), Better::Lower)
            .against(2_000.0, Some(300.0))
            .under(&seven),
        Figure::told(8, "memory of parked executions", per_million(full), Better::Lower)
            .against(100.0, Some(32.0))
            .under(&eight("5 s after the last was parked", full)),
        Figure::told(8, "the same after kill and restart", per_million(again), Better::Lower)
            .against(100.0, Some(32.0))
            .under(&eight("5 s after the restart", again)),
    ])
}

/// Parks executions through the front door; gives how many, and how long it took.
async fn park(stage: &Stage, live: usize, spinner: &ProgressBar) -> Result<(usize, Duration)> {
    let begun = Instant::now();
    let requests = live.div_ceil(BATCH_EVENTS);
    let load = Load {
        at: stage.node.address,
        clients: CLIENTS,
        requests: stage.batches(PARKED, BATCH_EVENTS, PAYLOAD_BYTES),
        number_at: None,
        until: Until::Taken(requests),
        status: 201,
        things: BATCH_EVENTS,
    };
    let sent = load.run(spinner).await?;
    settled(stage, ("DELAYED", sent.things), spinner).await?;
    Ok((sent.things, begun.elapsed()))
}
