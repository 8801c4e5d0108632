//! Starts executions in batches, with bounded executions on their way.

use super::load::Until;
use super::project::PLACED;
use super::stage::{BATCH_EVENTS, PAYLOAD_BYTES, Stage};
use super::target::Target;
use super::wire::Connection;
use anyhow::{Result, bail};
use bytes::Bytes;
use indicatif::ProgressBar;
use std::cell::Cell;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Connections that batches are sent over.
const CLIENTS: usize = 4;
/// A connection that was idle for longer is made anew: the node closes it after ten seconds.
const IDLE_MAX: Duration = Duration::from_secs(5);
/// Executions on their way: sent, and their request not made.
pub(super) const OPEN_MAX: usize = 5_000;
/// Pause while so many are on their way.
const PAUSE: Duration = Duration::from_millis(1);

struct Pump<'a> {
    target: &'a Target,
    before: usize,
    begun: Instant,
    until: Until,
    sent: Cell<usize>,
}

/// Sends events that start a function, a conditional and a request; gives how many.
///
/// # Errors
/// A batch is not taken.
pub(super) async fn pump(stage: &Stage, until: Until, spinner: &ProgressBar) -> Result<usize> {
    let requests = stage.batches(PLACED, BATCH_EVENTS, PAYLOAD_BYTES);
    let pump = Pump {
        target: &stage.target,
        before: stage.target.taken(),
        begun: Instant::now(),
        until,
        sent: Cell::new(0),
    };
    let share = requests.len().div_ceil(CLIENTS);
    let shares = requests.chunks(share);
    let address = stage.node.address;
    let clients = shares.map(|share| {
        let (pump, spinner) = (&pump, spinner);
        async move { pump.client(address, share, spinner).await }
    });
    futures_util::future::try_join_all(clients).await?;
    Ok(pump.sent.get())
}

impl Pump<'_> {
    async fn client(
        &self,
        address: SocketAddr,
        requests: &[Bytes],
        spinner: &ProgressBar,
    ) -> Result<()> {
        let mut connection = Connection::open(address).await?;
        for request in requests.iter().cycle() {
            let waits_since = Instant::now();
            while self.open() + BATCH_EVENTS > OPEN_MAX && self.goes_on() {
                tokio::time::sleep(PAUSE).await;
            }
            if !self.goes_on() {
                break;
            }
            if waits_since.elapsed() > IDLE_MAX {
                connection = Connection::open(address).await?;
            }
            self.sent.set(self.sent.get() + BATCH_EVENTS);
            let (status, body) = connection.answered(request).await?;
            if status != 201 {
                bail!("a batch: {status} {}", String::from_utf8_lossy(&body));
            }
            spinner.set_message(format!("{} sent, {} open", self.sent.get(), self.open()));
        }
        Ok(())
    }

    fn open(&self) -> usize {
        self.sent.get().saturating_sub(self.target.taken() - self.before)
    }

    fn goes_on(&self) -> bool {
        match self.until {
            Until::Elapsed(span) => self.begun.elapsed() < span,
            Until::Taken(most) => self.sent.get() < most,
        }
    }
}
