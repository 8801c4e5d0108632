//! What the clients know.

use super::Wishes;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// Something that was acknowledged.
#[derive(Clone, Copy)]
pub(crate) struct Noted {
    /// What it was.
    pub(crate) what: &'static str,
    /// How many runs deliver it: one, and each replay of that one.
    pub(crate) runs: usize,
}

/// The clients' own record of what was acknowledged.
#[derive(Default)]
pub(crate) struct Record {
    ids: Mutex<HashMap<String, Noted>>,
    wishes: Mutex<Wishes>,
    acknowledged: AtomicUsize,
    stopped: AtomicBool,
    changed: Notify,
}

impl Record {
    /// How many things were acknowledged.
    pub(crate) fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::SeqCst)
    }

    /// Acknowledged things by id.
    pub(crate) fn ids(&self) -> HashMap<String, Noted> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells the clients to send nothing new.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    /// Whether clients should send nothing new.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Waits for an acknowledgement beyond so many; `false`: none came in time.
    pub(crate) async fn acknowledged_after(&self, before: usize, most: Duration) -> bool {
        let later = async {
            loop {
                let changed = self.changed.notified();
                if self.acknowledged() > before {
                    return;
                }
                changed.await;
            }
        };
        timeout(most, later).await.is_ok()
    }

    /// Notes that something was acknowledged, once more or for the first time.
    pub(crate) fn acknowledge(&self, what: &'static str, id: &str) {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        if !ids.contains_key(id) {
            ids.insert(id.to_owned(), Noted { what, runs: 1 });
            self.acknowledged.fetch_add(1, Ordering::SeqCst);
        }
        drop(ids);
        self.changed.notify_waiters();
    }

    /// Notes that one more run delivers what was acknowledged.
    pub(crate) fn again(&self, id: &str) {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(noted) = ids.get_mut(id) {
            noted.runs += 1;
        }
    }

    /// What became of pauses and replays.
    pub(crate) fn wishes(&self) -> MutexGuard<'_, Wishes> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
