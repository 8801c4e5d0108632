//! What the demo sends.

use super::inbox::FORGED;
use super::tally::{Kind, Tally};
use super::{Stage, USERS};
use crate::harness::{Answer, Api, Delivery};
use crate::project::{ORDER_PLACED, QUOTE, WEBHOOK_SECRET};
use anyhow::Result;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use hyper::Method;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::json;
use std::time::{Duration, Instant};
use uuid::Uuid;

const EVENTS_AT_ONCE: usize = 16;
const REQUESTS_AT_ONCE: usize = 4;
const WEBHOOKS_AT_ONCE: usize = 4;
/// Times that something is sent while the answer is to send it again later.
const SENDS_MAX: usize = 10;
/// Pause before something is sent through another node.
const OTHER_DOOR: Duration = Duration::from_millis(100);
/// App events of a further round.
const FURTHER_EVENTS: usize = 100;
const FURTHER_REQUESTS: usize = 20;
const FURTHER_WEBHOOKS: usize = 20;
/// Things of each sort that must be refused, or reach no one.
const ODD: usize = 5;

/// Sends, and notes what comes back.
pub(super) struct Traffic<'a> {
    pub(super) stage: &'a Stage,
    /// User tokens, in the order of the users.
    pub(super) tokens: &'a [String],
    pub(super) tally: &'a Tally,
}

impl Traffic<'_> {
    /// Every recorded payload once, so many events and requests, and some of what is refused.
    pub(super) async fn first_round(&self, events: usize, requests: usize, bars: &MultiProgress) {
        let payloads = self.stage.examples.len();
        let (a, b, c) = (
            bar(bars, "app events", events),
            bar(bars, "requests", requests),
            bar(bars, "GitHub webhooks", payloads),
        );
        tokio::join!(
            self.events(events, &a),
            self.requests(requests, &b),
            self.webhooks(0..payloads, &c),
            self.odd(),
        );
        for done in [a, b, c] {
            done.finish_and_clear();
        }
    }

    /// A little of everything.
    pub(super) async fn further_round(&self, bars: &MultiProgress) {
        let shown = bar(bars, "further", FURTHER_EVENTS + FURTHER_REQUESTS + FURTHER_WEBHOOKS);
        tokio::join!(
            self.events(FURTHER_EVENTS, &shown),
            self.requests(FURTHER_REQUESTS, &shown),
            self.webhooks(0..FURTHER_WEBHOOKS, &shown),
        );
        shown.finish_and_clear();
    }

    async fn events(&self, count: usize, bar: &ProgressBar) {
        let sent = stream::iter(0..count).for_each_concurrent(EVENTS_AT_ONCE, async |n| {
            let id = Uuid::new_v4().to_string();
            let user = n % USERS.len();
            let payload = json!({ "id": id, "amount": n % 1_000, "customer": USERS[user] });
            let sent_at = Instant::now();
            let token = &self.tokens[user];
            let answer =
                self.as_told((n, &id), async |api| api.event(token, ORDER_PLACED, &payload).await);
            let answer = answer.await;
            self.tally.accept((Kind::Event, &id), sent_at, answer);
            bar.inc(1);
        });
        sent.await;
    }

    async fn requests(&self, count: usize, bar: &ProgressBar) {
        let sent = stream::iter(0..count).for_each_concurrent(REQUESTS_AT_ONCE, async |n| {
            let id = Uuid::new_v4().to_string();
            let token = &self.tokens[n % self.tokens.len()];
            let sent_at = Instant::now();
            let payload = json!({ "id": id });
            let answer =
                self.as_told((n, &id), async |api| api.request(token, QUOTE, &payload).await).await;
            // The warehouse's own answer comes back, and it names what was asked for.
            let answer = answer.and_then(|answer| match answer.json()["id"].as_str() {
                Some(named) if named == id => Ok(answer),
                _ => anyhow::bail!("another answer: {}", answer.shown()),
            });
            self.tally.accept((Kind::Request, &id), sent_at, answer);
            bar.inc(1);
        });
        sent.await;
    }

    async fn webhooks(&self, numbers: std::ops::Range<usize>, bar: &ProgressBar) {
        let sent = stream::iter(numbers).for_each_concurrent(WEBHOOKS_AT_ONCE, async |n| {
            let id = Uuid::new_v4().to_string();
            self.webhook(Kind::Webhook, (n, &id), USERS[n % USERS.len()]).await;
            self.tally.recorded(n, &id);
            bar.inc(1);
        });
        sent.await;
    }

    async fn webhook(&self, kind: Kind, (n, id): (usize, &str), account: &str) {
        let Some(example) = self.stage.examples.get(n) else { return };
        let sent_at = Instant::now();
        let answer = self.as_told((n, id), async |api| {
            let (kind, body) = (&example.kind, example.body.clone());
            let delivery = Delivery { kind, id, account, secret: WEBHOOK_SECRET, body };
            api.webhook("github", delivery).await
        });
        let answer = answer.await;
        self.tally.accept((kind, id), sent_at, answer);
    }

    /// Sends as a good client does: through one of the nodes, with a key of its own, and again
    /// when a busy node says so, after the pause that it asks for, or through the next node when
    /// no answer came.
    async fn as_told(
        &self,
        (n, id): (usize, &str),
        send: impl AsyncFn(Api) -> Result<Answer>,
    ) -> Result<Answer> {
        let doors = &self.stage.doors;
        let mut sends = 0;
        loop {
            let door = &doors[(n + sends) % doors.len()];
            let sent = send(door.keyed(id)).await;
            sends += 1;
            let pause = match &sent {
                Ok(answer) if [429, 503].contains(&answer.status) => {
                    answer.header("retry-after").parse().map(Duration::from_secs).ok()
                }
                Ok(_) => None,
                Err(_) => Some(OTHER_DOOR).filter(|_| doors.len() > 1),
            };
            match pause {
                Some(pause) if sends < SENDS_MAX => tokio::time::sleep(pause).await,
                _ => return sent,
            }
        }
    }

    /// What must be refused, and what is accepted but starts nothing.
    async fn odd(&self) {
        let api = &self.stage.api;
        for n in 0..ODD {
            let payload = json!({ "id": "refused" });
            let answer = api.event("no.user.token", ORDER_PLACED, &payload).await;
            self.tally.refuse("bad token", 401, answer);
            let answer = api.event(&self.tokens[0], "Order Lost", &payload).await;
            self.tally.refuse("unknown event", 404, answer);
            let answer = api.request(&self.tokens[0], QUOTE, &json!({ "id": 7 })).await;
            self.tally.refuse("against the rules", 400, answer);
            let path = "/task-history/workflow-executions";
            let answer = api.call(Method::GET, path, "key_of_no_one", None).await;
            self.tally.refuse("bad API key", 401, answer);
            let id = Uuid::new_v4().to_string();
            let (kind, body) = ("push", Bytes::from_static(b"{}"));
            let forged = Delivery { kind, id: &id, account: USERS[0], secret: "a guess", body };
            self.tally.refuse(FORGED, 401, api.webhook("github", forged).await);
            let unmatched = Uuid::new_v4().to_string();
            self.webhook(Kind::Unmatched, (n, &unmatched), "nobody").await;
            let twice = Uuid::new_v4().to_string();
            self.webhook(Kind::Webhook, (n, &twice), USERS[0]).await;
            self.webhook(Kind::Repeat, (n, &twice), USERS[0]).await;
        }
    }
}

fn bar(bars: &MultiProgress, name: &'static str, len: usize) -> ProgressBar {
    let bar = bars.add(ProgressBar::new(len as u64));
    if let Ok(style) = ProgressStyle::with_template("{msg:>24} {bar:40} {pos}/{len} {per_sec}") {
        bar.set_style(style);
    }
    bar.set_message(name);
    bar
}
