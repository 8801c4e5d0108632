//! What is sent while the process is killed, and the client's record of it.

use super::{KIND, USERS};
use crate::harness::{Answer, Api, Delivery};
use crate::project::{ORDER_PLACED, QUOTE, WEBHOOK_SECRET};
use anyhow::{Result, bail};
use bytes::Bytes;
use fastrand::Rng;
use hyper::Method;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use uuid::Uuid;

/// Pause of a worker between two requests: the load is mixed, not heavy.
const PAUSE_MS: std::ops::Range<u64> = 0..30;
const BATCH_EVENTS: usize = 10;

/// What the clients know.
#[derive(Default)]
pub(super) struct Record {
    /// Acknowledged things by id: what each was.
    ids: Mutex<HashMap<String, &'static str>>,
    acknowledged: AtomicUsize,
    /// Requests whose fate is not known.
    cut: AtomicUsize,
    refused: Mutex<Vec<String>>,
    stopped: AtomicBool,
    changed: Notify,
}

impl Record {
    pub(super) fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::SeqCst)
    }

    pub(super) fn cut(&self) -> usize {
        self.cut.load(Ordering::SeqCst)
    }

    /// Answers of a living node that were no acknowledgements.
    pub(super) fn refused(&self) -> Vec<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Acknowledged ids with what each was.
    pub(super) fn ids(&self) -> HashMap<String, &'static str> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    /// Waits for an acknowledgement beyond so many.
    pub(super) async fn acknowledged_after(&self, before: usize, most: Duration) -> Result<()> {
        let later = async {
            loop {
                let changed = self.changed.notified();
                if self.acknowledged() > before {
                    return;
                }
                changed.await;
            }
        };
        match timeout(most, later).await {
            Ok(()) => Ok(()),
            Err(_) => {
                bail!("the node accepts nothing after a restart: {:?}", self.refused().last())
            }
        }
    }

    fn acknowledge(&self, what: &'static str, id: String) {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).insert(id, what);
        self.acknowledged.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_waiters();
    }

    fn note(&self, what: &'static str, ids: Vec<String>, answer: Result<Answer>) {
        match answer {
            Ok(answer) if (200..300).contains(&answer.status) => {
                let json = answer.json();
                let taken = |n: usize| match json["results"].as_array() {
                    Some(results) => results.get(n).is_some_and(|one| one["status"] == 201),
                    None => true,
                };
                for (n, id) in ids.into_iter().enumerate() {
                    if taken(n) {
                        self.acknowledge(what, id);
                    }
                }
            }
            Ok(answer) => {
                let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
                refused.push(format!("{what}: {}", answer.shown()));
            }
            Err(_) => {
                self.cut.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}

/// One client.
pub(super) struct Load {
    pub(super) api: Api,
    pub(super) place: watch::Receiver<Option<SocketAddr>>,
    pub(super) tokens: Vec<String>,
    pub(super) record: Arc<Record>,
    pub(super) rng: Rng,
}

impl Load {
    /// Sends until the record says stop; while there is no node, it waits for one.
    pub(super) async fn run(mut self) {
        while !self.record.stopped.load(Ordering::SeqCst) {
            let Ok(at) = self.place.wait_for(Option::is_some).await.map(|at| *at) else { return };
            let Some(at) = at else { continue };
            self.api = self.api.moved(at);
            self.send().await;
            tokio::time::sleep(Duration::from_millis(self.rng.u64(PAUSE_MS))).await;
        }
    }

    async fn send(&mut self) {
        let user = self.rng.usize(..USERS.len());
        let token = self.tokens[user].clone();
        let id = Uuid::new_v4().to_string();
        let order = |id: &str, rng: &mut Rng| json!({ "id": id, "amount": rng.u32(..1_000), "customer": USERS[user] });
        match self.rng.u8(..100) {
            0..50 => {
                let payload = order(&id, &mut self.rng);
                let answer = self.api.event(&token, ORDER_PLACED, &payload).await;
                self.record.note("event", vec![id], answer);
            }
            50..60 => {
                let ids: Vec<String> =
                    (0..BATCH_EVENTS).map(|_| Uuid::new_v4().to_string()).collect();
                let events: Vec<Value> = ids
                    .iter()
                    .map(|id| json!({ "name": ORDER_PLACED, "payload": order(id, &mut self.rng) }))
                    .collect();
                let (path, body) = ("/sdk/events/batch", json!({ "events": events }));
                let answer = self.api.call(Method::POST, path, &token, Some(&body)).await;
                self.record.note("batched event", ids, answer);
            }
            60..80 => {
                let answer = self.api.request(&token, QUOTE, &json!({ "id": id })).await;
                self.record.note("request", vec![id], answer);
            }
            _ => {
                let delivery = Delivery {
                    kind: KIND,
                    id: &id,
                    account: USERS[user],
                    secret: WEBHOOK_SECRET,
                    body: Bytes::from(json!({ "ref": "refs/heads/main", "after": id }).to_string()),
                };
                let answer = self.api.webhook("github", delivery).await;
                self.record.note("webhook", vec![id], answer);
            }
        }
    }
}
