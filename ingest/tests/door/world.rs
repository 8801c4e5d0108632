//! A door over the in-memory models.

use crate::directory::Readers;
use crate::owner::Owner;
use crate::project::{ADMIN_KEY, PROJECT, file, sha256};
use crate::token::{NOW_S, token};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use bytes::Bytes;
use domain::codec;
use domain::command::Command;
use domain::event::Event;
use domain::id::{ProjectId, WorkflowId};
use domain::meta::Recorded;
use domain::payload::Payload;
use domain::time::Timestamp;
use ingest::{App, Limits};
use ports::model::blob::ModelBlob;
use ports::model::clock::ModelClock;
use ports::model::log::ModelLog;
use ports::model::random::SeededRandom;
use ports::{Answers, Backlog, Error, Feed, Log, MasterKey, Partition, Record, Stored, Vault};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower::ServiceExt;
use uuid::Uuid;

/// A log whose appends can be made to fail.
pub(crate) struct Tap {
    inner: Arc<ModelLog>,
    closed: AtomicBool,
    appends: Mutex<Vec<usize>>,
}

#[async_trait]
impl Log for Tap {
    fn partitions(&self) -> u16 {
        self.inner.partitions()
    }

    fn identity(&self) -> Uuid {
        self.inner.identity()
    }

    fn exclusive(&self) -> bool {
        self.inner.exclusive()
    }

    async fn append(&self, records: Vec<(Partition, Record)>) -> Result<Vec<i64>, Error> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(Error::Unavailable("the disk is full".into()));
        }
        self.appends.lock().unwrap().push(records.len());
        self.inner.append(records).await
    }

    async fn read(&self, from: Partition, at: i64, most: usize) -> Result<Vec<Stored>, Error> {
        self.inner.read(from, at, most).await
    }

    async fn changed(&self, partition: Partition, from: i64) -> Result<(), Error> {
        self.inner.changed(partition, from).await
    }

    async fn end(&self, partition: Partition) -> Result<i64, Error> {
        self.inner.end(partition).await
    }
}

/// A door with everything behind it.
pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) clock: Arc<ModelClock>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) feed: Arc<Feed>,
    pub(crate) readers: Readers,
    log: Arc<Tap>,
    pub(crate) backlog: Backlog,
    /// While it is set, nothing is decided.
    paused: Arc<AtomicBool>,
}

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {} {text}", self.status))
    }

    /// The status and `meta.error` of a refusal; checks its shape.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(self.headers["content-type"], "application/json");
        let body = self.json();
        assert_eq!(body["status"], self.status);
        assert!(body["message"].is_string() && body["code"].is_string(), "{body}");
        (self.status, body["meta"]["error"].as_str().unwrap().to_owned())
    }
}

impl World {
    /// A door to the test project.
    pub(crate) async fn start() -> Self {
        Self::with(Limits::default(), &file()).await
    }

    pub(crate) async fn with(limits: Limits, file: &Value) -> Self {
        let inner = Arc::new(ModelLog::kind(4));
        let log = Arc::new(Tap {
            inner: Arc::clone(&inner),
            closed: AtomicBool::new(false),
            appends: Mutex::default(),
        });
        let clock = Arc::new(ModelClock::at(Timestamp(NOW_S * 1_000)));
        let random = Arc::new(SeededRandom::new(7));
        let blob = Arc::new(ModelBlob::new());
        let master = MasterKey::new([7; 32]);
        let vault = Arc::new(Vault::new(log.clone(), blob, random.clone(), master));
        let feed = Arc::new(Feed::new(log.clone()));
        let (answers, readers) = (Answers::default(), Readers::default());
        let backlog = Backlog::default();
        let app = App {
            log: log.clone(),
            vault: vault.clone(),
            feed: feed.clone(),
            answers: answers.clone(),
            backlog: backlog.clone(),
            level: ports::Level::newest(),
            clock: clock.clone(),
            random,
            directory: readers.users.clone(),
            history: readers.tasks.clone(),
            inbox: readers.webhooks.clone(),
            key_source: readers.provider.clone(),
            judge: readers.functions.clone(),
            meter: Arc::new(()),
            registry: None,
            limits,
            admin_key_hash: Some(sha256(ADMIN_KEY)),
        };
        let router = ingest::router(app);
        let paused = Arc::new(AtomicBool::new(false));
        let owner = Owner::new(inner, vault.clone(), feed.clone(), answers, clock.clone());
        tokio::spawn(own(owner, readers.clone(), paused.clone()));
        let world = Self { router, clock, vault, feed, readers, log, backlog, paused };
        let reply = world.apply(file).await;
        assert_eq!(reply.status, 200, "{}", reply.json());
        world
    }

    pub(crate) async fn apply(&self, file: &Value) -> Reply {
        let body = json!({ "document": file.to_string() });
        self.admin("PUT", "/admin/v1/projects", &body.to_string()).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Reply { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// A call as the SDK makes it: JSON content type always, token of the user `u1`.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &str) -> Reply {
        self.call_as("u1", method, path, body).await
    }

    pub(crate) async fn call_as(&self, user: &str, method: &str, path: &str, body: &str) -> Reply {
        self.send(request(user, method, path).body(Body::from(body.to_owned())).unwrap()).await
    }

    pub(crate) async fn admin(&self, method: &str, path: &str, body: &str) -> Reply {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {ADMIN_KEY}"));
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// Connects slack for the user `u1`; the credential.
    pub(crate) async fn connect(&self) -> Value {
        let body = json!({ "integrationId": "slack", "payload": { "accessToken": "xoxb-1" } });
        let reply = self.call("POST", "credentials", &body.to_string()).await;
        assert_eq!(reply.status, 200, "{}", reply.json());
        reply.json()
    }

    pub(crate) fn workflow(&self, name: &str) -> WorkflowId {
        let config = self.feed.current();
        let project = config.project(project_id()).unwrap();
        project.deployed().find(|(_, _, workflow)| workflow.name == name).unwrap().0
    }

    /// Every command that is not about the configuration, by partition.
    pub(crate) async fn commands(&self) -> Vec<Recorded<Command>> {
        let mut commands = Vec::new();
        for number in 0..self.log.partitions() {
            let partition = Partition::commands(number);
            for stored in self.log.read(partition, 0, usize::MAX).await.unwrap() {
                commands.push(codec::decode(&stored.record.value).unwrap());
            }
        }
        commands
    }

    /// What was decided, by partition.
    pub(crate) async fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        for number in 0..self.log.partitions() {
            let partition = Partition::events(number);
            for stored in self.log.read(partition, 0, usize::MAX).await.unwrap() {
                events.push(codec::decode::<Event>(&stored.record.value).unwrap().body);
            }
        }
        events
    }

    /// What was sealed in a command.
    pub(crate) async fn opened(&self, command: &Recorded<Command>, payload: &Payload) -> Value {
        let key = command.meta.parsed_key().unwrap();
        serde_json::from_slice(&self.vault.fetch(&key, payload).await.unwrap()).unwrap()
    }

    /// How many records each append to `commands` had.
    pub(crate) fn appends(&self) -> Vec<usize> {
        self.log.appends.lock().unwrap().clone()
    }

    /// From now on nothing can be appended.
    pub(crate) fn close_log(&self) {
        self.log.closed.store(true, Ordering::SeqCst);
    }

    /// From now on nothing is decided.
    pub(crate) fn pause_owner(&self) {
        self.paused.store(true, Ordering::SeqCst);
    }

    /// Everything is decided again.
    pub(crate) fn resume_owner(&self) {
        self.paused.store(false, Ordering::SeqCst);
    }
}

/// Decides every millisecond; saves rows some time after it has answered.
async fn own(mut owner: Owner, readers: Readers, paused: Arc<AtomicBool>) {
    let known: Vec<(ProjectId, String)> =
        ["u1", "u2"].map(|user| (project_id(), user.to_owned())).to_vec();
    loop {
        if !paused.load(Ordering::SeqCst) {
            owner.turn().await;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        readers.users.save(&owner, &known);
    }
}

pub(crate) fn project_id() -> ProjectId {
    PROJECT.parse().unwrap()
}

/// A call of the SDK; `path` is what follows `/sdk/`, or the whole path.
pub(crate) fn request(user: &str, method: &str, path: &str) -> axum::http::request::Builder {
    let path = match path.starts_with('/') {
        true => path.to_owned(),
        false => format!("/projects/{PROJECT}/sdk/{path}"),
    };
    Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {}", token(user)))
        .header("content-type", "application/json")
        .header("x-paragon-sdk-version", "2.4.0")
}
