//! Clients as they should be: what is not acknowledged they send again, as they are told to, with
//! the same key, through another node.

use super::errors::{Class, Errors};
use crate::harness::Api;
use crate::load::{Parcel, Record, Stage, Steerer};
use anyhow::{Result, bail};
use fastrand::Rng;
use futures_util::future::join_all;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

const CALLERS: usize = 8;
/// Pause of a caller between two things: the load is mixed, not heavy.
const PAUSE_MS: std::ops::Range<u64> = 0..60;
/// How long one waits for an answer; longer than a node takes to say that it has none.
const PATIENCE: Duration = Duration::from_secs(20);
/// The same where a workflow makes the answer.
const WORKFLOW_PATIENCE: Duration = Duration::from_secs(65);
/// How long something is sent again and again.
const SENDING_MAX: Duration = Duration::from_secs(240);
/// How long nodes may take until they serve everyone.
const SERVED_MAX: Duration = Duration::from_secs(180);

/// The callers, and what they know.
pub(super) struct Callers {
    caller: Caller,
    doors: watch::Sender<Vec<SocketAddr>>,
    tasks: JoinSet<()>,
}

#[derive(Clone)]
struct Caller {
    api: Api,
    tokens: Vec<String>,
    record: Arc<Record>,
    errors: Arc<Errors>,
}

impl Callers {
    /// Starts them at these doors.
    pub(super) fn start(stage: &Stage, doors: Vec<SocketAddr>) -> Self {
        let (api, tokens) = (stage.api.clone(), stage.tokens.clone());
        let (record, errors) = (Arc::default(), Arc::default());
        let caller = Caller { api, tokens, record, errors };
        let (doors, known) = watch::channel(doors);
        let mut tasks = JoinSet::new();
        for _ in 0..CALLERS {
            tasks.spawn(caller.clone().run(known.clone(), Rng::new()));
        }
        Steerer::start(stage, &known, &caller.record, &mut Rng::new(), &mut tasks);
        Self { caller, doors, tasks }
    }

    /// A node has another address now, as whoever keeps the list of nodes would say.
    pub(super) fn moved(&self, n: usize, to: SocketAddr) {
        self.doors.send_modify(|doors| doors[n] = to);
    }

    /// Waits until each of these doors has answered a request of every user; gives how long that
    /// took.
    ///
    /// # Errors
    /// One does not for long.
    pub(super) async fn served(&self, doors: &[SocketAddr]) -> Result<Duration> {
        let begun = Instant::now();
        let parcels = doors.iter().flat_map(|door| Parcel::round().map(move |one| (one, *door)));
        let all = parcels.map(|(parcel, door)| async move {
            let (_, only) = watch::channel(vec![door]);
            self.caller.deliver(&parcel, &only, 0).await;
        });
        if timeout(SERVED_MAX, join_all(all)).await.is_err() {
            bail!("not every user is served after {} s", SERVED_MAX.as_secs());
        }
        Ok(begun.elapsed())
    }

    /// Waits until what was begun is delivered; gives what the callers know.
    pub(super) async fn finish(mut self) -> (Arc<Record>, Arc<Errors>) {
        self.caller.record.stop();
        while self.tasks.join_next().await.is_some() {}
        (self.caller.record, self.caller.errors)
    }
}

impl Caller {
    async fn run(self, doors: watch::Receiver<Vec<SocketAddr>>, mut rng: Rng) {
        while !self.record.is_stopped() {
            let parcel = Parcel::random(&mut rng);
            self.deliver(&parcel, &doors, rng.usize(..usize::MAX / 2)).await;
            tokio::time::sleep(Duration::from_millis(rng.u64(PAUSE_MS))).await;
        }
    }

    /// Sends until all of it is acknowledged, through one door after the other.
    async fn deliver(
        &self,
        parcel: &Parcel,
        doors: &watch::Receiver<Vec<SocketAddr>>,
        first: usize,
    ) {
        let patience = if parcel.waits() { WORKFLOW_PATIENCE } else { PATIENCE };
        let (begun, mut taken) = (Instant::now(), HashSet::new());
        for n in first.. {
            let door = {
                let doors = doors.borrow();
                doors[n % doors.len()]
            };
            let api = self.api.moved(door).keyed(parcel.key());
            let sent = timeout(patience, parcel.send(&api, &self.tokens)).await;
            if let Ok(Ok(answer)) = &sent {
                for id in parcel.acknowledged(answer) {
                    self.record.acknowledge(parcel.what(), id);
                    taken.insert(id.to_owned());
                }
                if parcel.is_whole(taken.len()) {
                    // What a workflow takes to answer says nothing about the node.
                    if !parcel.waits() {
                        self.errors.delivered(begun.elapsed());
                    }
                    return;
                }
            }
            let (class, pause) = Class::of(parcel, &sent);
            self.errors.note(class);
            if begun.elapsed() > SENDING_MAX {
                return self.errors.give_up();
            }
            tokio::time::sleep(pause).await;
        }
    }
}
