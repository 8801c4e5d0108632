//! What the clients know.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// The clients' own record of what was acknowledged.
#[derive(Default)]
pub(crate) struct Record {
    /// Acknowledged things by id: what each was.
    ids: Mutex<HashMap<String, &'static str>>,
    acknowledged: AtomicUsize,
    stopped: AtomicBool,
    changed: Notify,
}

impl Record {
    /// How many things were acknowledged.
    pub(crate) fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::SeqCst)
    }

    /// Acknowledged ids with what each was.
    pub(crate) fn ids(&self) -> HashMap<String, &'static str> {
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
        if ids.insert(id.to_owned(), what).is_none() {
            self.acknowledged.fetch_add(1, Ordering::SeqCst);
        }
        drop(ids);
        self.changed.notify_waiters();
    }
}
