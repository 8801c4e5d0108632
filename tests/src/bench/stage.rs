//! A node with the project of the bench and its users.

use super::load::NUMBER_LEN;
use super::project::{self, HELD, PUSHED, SEEN};
use super::target::Target;
use super::wire;
use crate::github;
use crate::harness::{Api, Node, backend};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use hyper::Method;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Size of an event's payload.
pub(super) const PAYLOAD_BYTES: usize = 500;
/// Events in a batched request.
pub(super) const BATCH_EVENTS: usize = 100;
/// Users that are connected, or switch something, at a time.
pub(super) const CONNECTING: usize = 32;
/// The integration's own name in the API.
const INTEGRATION: &str = "custom.bench";

/// A running node, the server that its steps call, and its users.
pub(super) struct Stage {
    pub(super) folder: PathBuf,
    pub(super) node: Node,
    pub(super) api: Api,
    pub(super) target: Target,
    /// User tokens, made ahead.
    pub(super) tokens: Vec<String>,
    /// The process of the broker, if the log is on Kafka.
    pub(super) broker: Option<u32>,
}

impl Stage {
    /// Starts a node on an empty folder, applies the project, and connects so many users; the
    /// workflows are enabled for each.
    pub(super) async fn prepare(folder: &Path, users: usize) -> Result<Self> {
        let target = Target::start().await?;
        let node = Node::start(folder).await?;
        let (api, signer) = Api::apply(&node, folder, &project::file(&target.url())).await?;
        let tokens = (0..users).map(|n| signer.token(&format!("user-{n}")));
        let tokens = tokens.collect::<Result<Vec<String>>>()?;
        let connected = stream::iter(tokens.iter().enumerate()).map(|(n, token)| {
            let api = &api;
            async move { api.connect(token, INTEGRATION, &format!("account-{n}")).await }
        });
        connected.buffer_unordered(CONNECTING).try_collect::<Vec<()>>().await?;
        let broker = if backend::topics(folder)?.is_some() { backend::pid()? } else { None };
        Ok(Self { folder: folder.to_owned(), node, api, target, tokens, broker })
    }

    /// Stops the node and starts it again.
    pub(super) async fn restarted(self) -> Result<Self> {
        let Self { folder, node, api, target, tokens, broker } = self;
        node.stop().await?;
        let node = Node::start(&folder).await?;
        Ok(Self { api: api.moved(node.address), folder, node, target, tokens, broker })
    }

    /// Kills the node and starts it again.
    pub(super) async fn killed(self) -> Result<Self> {
        let Self { folder, node, api, target, tokens, broker } = self;
        node.kill().await?;
        let node = Node::start(&folder).await?;
        Ok(Self { api: api.moved(node.address), folder, node, target, tokens, broker })
    }

    /// The node's process.
    pub(super) fn pid(&self) -> Result<u32> {
        self.node.pid().context("the node has ended")
    }

    fn path(&self, rest: &str) -> String {
        format!("/projects/{}{rest}", self.api.project)
    }

    /// One request per user, with one event each.
    pub(super) fn singles(&self) -> Vec<Bytes> {
        let path = self.path("/sdk/events/trigger");
        let requests = self.tokens.iter().enumerate().map(|(n, token)| {
            let body = json!({ "name": SEEN, "payload": project::payload(n, PAYLOAD_BYTES) });
            wire::post(&path, token, &body.to_string())
        });
        requests.collect()
    }

    /// One request per user, with so many events each.
    pub(super) fn batches(&self, name: &str, events: usize, bytes: usize) -> Vec<Bytes> {
        let path = self.path("/sdk/events/batch");
        let requests = self.tokens.iter().enumerate().map(|(n, token)| {
            let event = |i| json!({ "name": name, "payload": project::payload(n + i, bytes) });
            let body = json!({ "events": (0..events).map(event).collect::<Vec<_>>() });
            wire::post(&path, token, &body.to_string())
        });
        requests.collect()
    }

    /// A request of a user with events that each wait for so many seconds.
    pub(super) fn held(&self, token: &str, waits_s: impl Iterator<Item = f64>) -> Bytes {
        let event = |(n, wait_s): (usize, f64)| {
            let mut payload = project::payload(n, PAYLOAD_BYTES);
            payload["wait"] = json!(wait_s);
            json!({ "name": HELD, "payload": payload })
        };
        let body = json!({ "events": waits_s.enumerate().map(event).collect::<Vec<_>>() });
        wire::post(&self.path("/sdk/events/batch"), token, &body.to_string())
    }

    /// Each user switches a workflow on.
    pub(super) async fn switch_on(&self, workflow: &str) -> Result<()> {
        let path = format!("/sdk/workflows/{workflow}");
        let switched = self.tokens.iter().map(|token| async {
            let answer = self.api.call(Method::POST, &path, token, None).await?;
            match answer.status {
                200 => Ok(()),
                _ => bail!("switching {workflow} on: {}", answer.shown()),
            }
        });
        let switched = stream::iter(switched).buffer_unordered(CONNECTING);
        switched.try_collect::<Vec<()>>().await.map(|_| ())
    }

    /// Each user connects an account at GitHub, of which a webhook starts a workflow.
    pub(super) async fn connect_github(&self) -> Result<()> {
        let connected = self.tokens.iter().enumerate().map(|(n, token)| async move {
            self.api.connect(token, "github", &n.to_string()).await
        });
        let connected = stream::iter(connected).buffer_unordered(CONNECTING);
        connected.try_collect::<Vec<()>>().await.map(|_| ())
    }

    /// One webhook of each user's account, and where the id of the delivery is numbered.
    pub(super) fn webhooks(&self) -> Result<(Vec<Bytes>, usize)> {
        let path = format!("/triggers/connect/{}/github", self.api.project);
        let number = "0".repeat(NUMBER_LEN);
        let requests = (0..self.tokens.len()).map(|n| {
            let mut body = project::payload(n, PAYLOAD_BYTES);
            body["installation"] = json!({ "id": n });
            let body = body.to_string();
            let signature = github::sign(project::WEBHOOK_SECRET, body.as_bytes());
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: bench\r\nx-github-delivery: {number}\r\n\
                 x-github-event: {PUSHED}\r\nx-hub-signature-256: {signature}\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            Bytes::from(head + &body)
        });
        let requests: Vec<Bytes> = requests.collect();
        let first = requests.first().context("there are no users")?;
        let at = memchr::memmem::find(first, number.as_bytes()).context("nothing is numbered")?;
        Ok((requests, at))
    }

    /// A request that waits for the response of a workflow.
    pub(super) fn request(&self, token: &str, workflow: &str) -> Bytes {
        let path = self.path(&format!("/sdk/triggers/{workflow}"));
        let body = project::payload(1, PAYLOAD_BYTES);
        wire::post(&path, token, &body.to_string())
    }
}
