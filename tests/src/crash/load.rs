//! What is sent while the process is killed, and what becomes of it.

use crate::harness::{Answer, Api};
use crate::load::{Parcel, Record};
use anyhow::Result;
use fastrand::Rng;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Pause of a worker between two requests: the load is mixed, not heavy.
const PAUSE_MS: std::ops::Range<u64> = 0..30;

/// What the clients know.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) record: Arc<Record>,
    /// Requests whose fate is not known.
    cut: AtomicUsize,
    refused: Mutex<Vec<String>>,
}

impl Notes {
    pub(super) fn cut(&self) -> usize {
        self.cut.load(Ordering::SeqCst)
    }

    /// Answers of a living node that were no acknowledgements.
    pub(super) fn refused(&self) -> Vec<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, parcel: &Parcel, answer: Result<Answer>) {
        let Ok(answer) = answer else {
            self.cut.fetch_add(1, Ordering::SeqCst);
            return;
        };
        let acknowledged = parcel.acknowledged(&answer);
        for id in &acknowledged {
            self.record.acknowledge(parcel.what(), id);
        }
        if acknowledged.is_empty() {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            refused.push(format!("{}: {}", parcel.what(), answer.shown()));
        }
    }
}

/// One client.
pub(super) struct Load {
    pub(super) api: Api,
    /// Where the node is; empty while there is none.
    pub(super) doors: watch::Receiver<Vec<SocketAddr>>,
    pub(super) tokens: Vec<String>,
    pub(super) notes: Arc<Notes>,
    pub(super) rng: Rng,
}

impl Load {
    /// Sends until the record says stop; while there is no node, it waits for one.
    pub(super) async fn run(mut self) {
        while !self.notes.record.is_stopped() {
            let door = self.doors.wait_for(|doors| !doors.is_empty()).await;
            let Ok(at) = door.map(|doors| doors[0]) else { return };
            let parcel = Parcel::random(&mut self.rng);
            let answer = parcel.send(&self.api.moved(at), &self.tokens).await;
            self.notes.note(&parcel, answer);
            tokio::time::sleep(Duration::from_millis(self.rng.u64(PAUSE_MS))).await;
        }
    }
}
