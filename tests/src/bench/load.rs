//! Clients that send one request after the other, each on a connection of its own.

use super::wire::Connection;
use crate::latency::Latencies;
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use indicatif::ProgressBar;
use memchr::memmem;
use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::LocalSet;

/// Pause of a client that was told to come back later.
const PAUSE: Duration = Duration::from_millis(10);
const TICK: Duration = Duration::from_millis(500);
/// Digits of a request's number.
pub(super) const NUMBER_LEN: usize = 12;
/// The door is full.
const BUSY: [u16; 2] = [429, 503];

/// What is sent, by whom, how long.
pub(super) struct Load {
    pub(super) at: SocketAddr,
    pub(super) clients: usize,
    /// Each client sends its share, over and over.
    pub(super) requests: Vec<Bytes>,
    /// Where in each request its number is written, in [`NUMBER_LEN`] digits, so that no two are the
    /// same.
    pub(super) number_at: Option<usize>,
    pub(super) until: Until,
    /// The status that is expected.
    pub(super) status: u16,
    /// Things that a request holds; of several, each has a result of its own.
    pub(super) things: usize,
}

/// When the clients stop.
#[derive(Clone, Copy)]
pub(super) enum Until {
    /// After this time.
    Elapsed(Duration),
    /// After so many requests that were taken.
    Taken(usize),
}

/// What came of it.
#[derive(Default)]
pub(super) struct Sent {
    /// From sending until the answer, of each request that was taken.
    pub(super) latencies: Latencies,
    /// Things that were taken.
    pub(super) things: usize,
    /// Requests that were told to come back later, wholly or in part.
    pub(super) busy: usize,
    /// From the first request until the last answer.
    pub(super) took: Duration,
}

impl Sent {
    /// Things that were taken, per second.
    pub(super) fn rate(&self) -> f64 {
        self.things as f64 / self.took.as_secs_f64()
    }
}

struct Count {
    begun: Instant,
    until: Until,
    taken: Cell<usize>,
    claimed: Cell<usize>,
    numbered: Cell<usize>,
}

impl Count {
    /// The number of the next request.
    fn next(&self) -> usize {
        self.numbered.replace(self.numbered.get() + 1)
    }

    /// Whether a client may send another request.
    fn goes_on(&self) -> bool {
        match self.until {
            Until::Elapsed(span) => self.begun.elapsed() < span,
            Until::Taken(most) => {
                let next = self.claimed.get() + 1;
                self.claimed.set(next);
                next <= most
            }
        }
    }
}

impl Load {
    /// Sends until it is time to stop.
    ///
    /// # Errors
    /// A connection broke, or an answer was neither the expected one nor "come back later".
    pub(super) async fn run(self, spinner: &ProgressBar) -> Result<Sent> {
        let mut connections = Vec::new();
        for _ in 0..self.clients {
            connections.push(Connection::open(self.at).await?);
        }
        let mut shares = vec![Vec::new(); self.clients];
        for (n, request) in self.requests.into_iter().enumerate() {
            shares[n % self.clients].push(request);
        }
        let (taken, claimed) = (Cell::new(0), Cell::new(0));
        let (begun, numbered) = (Instant::now(), Cell::new(0));
        let count = Count { begun, until: self.until, taken, claimed, numbered };
        let count = Rc::new(count);
        let local = LocalSet::new();
        let clients = connections.into_iter().zip(shares).map(|(connection, share)| {
            let wanted = (self.status, self.things);
            let share = (share, self.number_at);
            local.spawn_local(send(connection, share, wanted, Rc::clone(&count)))
        });
        let clients: Vec<_> = clients.collect();
        let told = Rc::clone(&count);
        let teller = spinner.clone();
        let telling = local.spawn_local(async move {
            loop {
                tokio::time::sleep(TICK).await;
                teller.set_message(format!("{} requests taken", told.taken.get()));
            }
        });
        let mut sent = Sent::default();
        let all = async {
            for client in clients {
                let one = client.await.context("a client panicked")??;
                sent.latencies.extend(one.latencies);
                sent.things += one.things;
                sent.busy += one.busy;
            }
            anyhow::Ok(())
        };
        local.run_until(all).await?;
        telling.abort();
        sent.took = count.begun.elapsed();
        Ok(sent)
    }
}

async fn send(
    mut connection: Connection,
    (requests, number_at): (Vec<Bytes>, Option<usize>),
    (expected, things): (u16, usize),
    count: Rc<Count>,
) -> Result<Share> {
    let mut share = Share::default();
    let mut numbered = Vec::new();
    for request in requests.iter().cycle() {
        if !count.goes_on() {
            break;
        }
        let request = match number_at {
            None => &request[..],
            Some(at) => {
                numbered.clear();
                numbered.extend_from_slice(request);
                let number = format!("{:0NUMBER_LEN$}", count.next());
                numbered[at..at + NUMBER_LEN].copy_from_slice(number.as_bytes());
                &numbered[..]
            }
        };
        loop {
            let begun = Instant::now();
            let (status, body) = connection.answered(request).await?;
            if status == expected {
                share.latencies.push(begun.elapsed());
                count.taken.set(count.taken.get() + 1);
                let taken = if things == 1 { 1 } else { taken(&body) };
                share.things += taken;
                if taken < things {
                    share.busy += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                break;
            }
            if !BUSY.contains(&status) {
                bail!("{status} {}", String::from_utf8_lossy(&body));
            }
            share.busy += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(share)
}

/// What came of one client's requests.
#[derive(Default)]
struct Share {
    latencies: Vec<Duration>,
    things: usize,
    busy: usize,
}

/// How many results of a batch say that the thing was taken.
pub(super) fn taken(body: &[u8]) -> usize {
    memmem::find_iter(body, b"\"status\":201").count()
}
