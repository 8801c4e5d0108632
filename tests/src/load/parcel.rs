//! What is sent.

use super::workflows::{COLLECT, collected};
use super::{KIND, USERS, user};
use crate::harness::{Answer, Api, Delivery};
use crate::project::{ORDER_PLACED, QUOTE, WEBHOOK_SECRET};
use anyhow::Result;
use bytes::Bytes;
use fastrand::Rng;
use hyper::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const BATCH_EVENTS: usize = 10;

/// Something that one user's client sends, once or again and again.
pub(crate) struct Parcel {
    user: usize,
    /// What finds it again in a receiver's journal; a batch has several.
    ids: Vec<String>,
    content: Content,
}

enum Content {
    Event(Value),
    Batch(Vec<Value>),
    Request,
    Webhook,
    /// Pages, and a fan out over what they have.
    Collect,
}

impl Parcel {
    /// Half of them are events, a tenth batches of them, a fifth each requests and webhooks; a few
    /// have pages.
    pub(crate) fn random(rng: &mut Rng) -> Self {
        let user = rng.usize(..USERS);
        match rng.u8(..100) {
            0..50 => Self::event(user, rng),
            50..60 => {
                let ids: Vec<String> = (0..BATCH_EVENTS).map(|_| fresh()).collect();
                let orders = ids.iter().map(|id| order(id, user, rng)).collect();
                Self { user, ids, content: Content::Batch(orders) }
            }
            60..80 => Self::request(user),
            80..82 => Self::collect(user),
            _ => Self { user, ids: vec![fresh()], content: Content::Webhook },
        }
    }

    fn event(user: usize, rng: &mut Rng) -> Self {
        let id = fresh();
        let content = Content::Event(order(&id, user, rng));
        Self { user, ids: vec![id], content }
    }

    fn request(user: usize) -> Self {
        Self { user, ids: vec![fresh()], content: Content::Request }
    }

    fn collect(user: usize) -> Self {
        Self { user, ids: collected(&fresh()), content: Content::Collect }
    }

    /// One request of every user: together they need every part of the node that serves them.
    pub(crate) fn round() -> impl Iterator<Item = Self> {
        (0..USERS).map(Self::request)
    }

    /// What it is, for people.
    pub(crate) fn what(&self) -> &'static str {
        match self.content {
            Content::Event(_) => "event",
            Content::Batch(_) => "batched event",
            Content::Request => "request",
            Content::Webhook => "webhook",
            Content::Collect => "collected item",
        }
    }

    /// What is the same whenever it is sent, and nothing else has.
    pub(crate) fn key(&self) -> &str {
        self.ids.first().map_or("", String::as_str)
    }

    /// Whether its answer may take as long as a workflow.
    pub(crate) fn waits(&self) -> bool {
        matches!(self.content, Content::Request)
    }

    /// Sends it.
    ///
    /// # Errors
    /// No whole answer came: nothing is known of it.
    pub(crate) async fn send(&self, api: &Api, tokens: &[String]) -> Result<Answer> {
        let (token, id) = (&tokens[self.user], self.key());
        match &self.content {
            Content::Event(order) => api.event(token, ORDER_PLACED, order).await,
            Content::Batch(orders) => {
                let event = |order: &Value| json!({ "name": ORDER_PLACED, "payload": order });
                let events: Vec<Value> = orders.iter().map(event).collect();
                let (path, body) = ("/sdk/events/batch", json!({ "events": events }));
                api.call(Method::POST, path, token, Some(&body)).await
            }
            Content::Request => api.request(token, QUOTE, &json!({ "id": id })).await,
            Content::Collect => api.request(token, COLLECT, &json!({ "id": id })).await,
            Content::Webhook => {
                let body =
                    Bytes::from(json!({ "ref": "refs/heads/main", "after": id }).to_string());
                let (account, secret) = (&user(self.user), WEBHOOK_SECRET);
                api.webhook("github", Delivery { kind: KIND, id, account, secret, body }).await
            }
        }
    }

    /// The ids that an answer acknowledges.
    pub(crate) fn acknowledged<'a>(&'a self, answer: &Answer) -> Vec<&'a str> {
        if !(200..300).contains(&answer.status) {
            return Vec::new();
        }
        let json = answer.json();
        let is_taken = |n: usize, id: &str| match self.content {
            Content::Event(_) | Content::Webhook | Content::Collect => true,
            Content::Batch(_) => json["results"][n]["status"] == 201,
            // The warehouse's own answer comes back, and it names what was asked for.
            Content::Request => json["id"] == id,
        };
        let ids = self.ids.iter().enumerate();
        ids.filter(|(n, id)| is_taken(*n, id)).map(|(_, id)| id.as_str()).collect()
    }

    /// Whether so many are all of it.
    pub(crate) fn is_whole(&self, acknowledged: usize) -> bool {
        acknowledged == self.ids.len()
    }
}

pub(super) fn fresh() -> String {
    Uuid::new_v4().to_string()
}

fn order(id: &str, n: usize, rng: &mut Rng) -> Value {
    json!({ "id": id, "amount": rng.u32(..1_000), "customer": user(n) })
}
