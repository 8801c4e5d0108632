//! What one event costs at the door: token, parsing, sealing and encoding, over a log that keeps
//! nothing. One thread, no sockets.
#![allow(clippy::unwrap_used)]

use async_trait::async_trait;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use domain::codec::{self, Family};
use domain::command::{Command, ReplayExecution};
use domain::config::ProjectSettings;
use domain::event::{AppEventDefined, Event, ProjectConfigured};
use domain::id::{CommandId, EventId, ExecutionId, ProjectId, StepId};
use domain::key::Key;
use domain::meta::{Actor, Meta, Recorded};
use domain::payload::Payload;
use domain::state::{Seen, User};
use domain::time::{Month, Timestamp};
use domain::view::{
    Deliveries, Delivery, DeliveryFilter, ExecutionFilter, Executions, ExecutionsReplay, Parked,
    Replay, Run, StepContents, Unkept, Usage, UserUsage,
};
use ingest::{App, Limits};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use ports::model::blob::ModelBlob;
use ports::model::clock::ModelClock;
use ports::model::log::ModelLog;
use ports::model::random::SeededRandom;
use ports::{
    Answers, Backlog, Error, Feed, Headers, Log, MasterKey, Partition, Record, Stored, Vault,
};
use serde_json::json;
use std::hint::black_box;
use std::sync::Arc;
use tower::ServiceExt;
use uuid::Uuid;

const NOW_S: i64 = 1_700_000_000;

/// A log that forgets commands; data keys and configuration it keeps.
struct Forgetful(ModelLog);

#[async_trait]
impl Log for Forgetful {
    fn partitions(&self) -> u16 {
        self.0.partitions()
    }
    fn identity(&self) -> Uuid {
        self.0.identity()
    }
    fn exclusive(&self) -> bool {
        true
    }
    async fn append(&self, records: Vec<(Partition, Record)>) -> Result<Vec<i64>, Error> {
        if records.iter().any(|(to, _)| to.stream == ports::Stream::Commands) {
            return Ok(vec![0; black_box(records).len()]);
        }
        self.0.append(records).await
    }
    async fn read(&self, from: Partition, at: i64, most: usize) -> Result<Vec<Stored>, Error> {
        self.0.read(from, at, most).await
    }
    async fn changed(&self, partition: Partition, from: i64) -> Result<(), Error> {
        self.0.changed(partition, from).await
    }
    async fn end(&self, partition: Partition) -> Result<i64, Error> {
        self.0.end(partition).await
    }
}

struct Nothing;

#[async_trait]
impl ingest::Directory for Nothing {
    async fn seen(&self, _: ProjectId, _: &str, _: CommandId) -> Result<Option<Seen>, Error> {
        Ok(None)
    }

    async fn user(&self, _: ProjectId, _: &str) -> Result<Option<User>, Error> {
        Ok(None)
    }
}

#[async_trait]
impl ingest::History for Nothing {
    async fn settle(&self, _: ExecutionId) -> Result<(), Error> {
        Ok(())
    }
    async fn list(&self, _: ProjectId, _: &ExecutionFilter) -> Result<Executions, Error> {
        Ok(Executions::default())
    }
    async fn run(&self, _: ProjectId, _: ExecutionId) -> Result<Option<Run>, Error> {
        Ok(None)
    }
    async fn items(&self, _: &Run) -> Result<Vec<Run>, Error> {
        Ok(Vec::new())
    }
    async fn step(
        &self,
        _: ProjectId,
        _: ExecutionId,
        _: Uuid,
        _: Option<usize>,
    ) -> Result<Option<StepContents>, Error> {
        Ok(None)
    }

    async fn replay(
        &self,
        _: ProjectId,
        _: &Run,
        _: Option<StepId>,
    ) -> Result<Result<ReplayExecution, Unkept>, Error> {
        Ok(Err(Unkept::Gone))
    }

    async fn usage(&self, _: ProjectId, _: Month) -> Result<Vec<Usage>, Error> {
        Ok(Vec::new())
    }

    async fn usage_of_users(
        &self,
        _: ProjectId,
        _: Month,
        _: (&str, usize),
    ) -> Result<Vec<UserUsage>, Error> {
        Ok(Vec::new())
    }

    async fn replays(&self, _: ProjectId) -> Result<Vec<ExecutionsReplay>, Error> {
        Ok(Vec::new())
    }

    async fn parked(&self, _: ProjectId) -> Result<Vec<Parked>, Error> {
        Ok(Vec::new())
    }

    async fn command(&self, _: &Parked) -> Result<Option<Recorded<Command>>, Error> {
        Ok(None)
    }
}

#[async_trait]
impl ingest::Inbox for Nothing {
    async fn list(&self, _: ProjectId, _: &DeliveryFilter) -> Result<Deliveries, Error> {
        Ok(Deliveries::default())
    }

    async fn read(&self, _: ProjectId, _: EventId) -> Result<Option<(Delivery, Payload)>, Error> {
        Ok(None)
    }

    async fn replays(&self, _: ProjectId) -> Result<Vec<Replay>, Error> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl ingest::Judge for Nothing {
    async fn judge(&self, _: ingest::Question<'_>) -> Result<serde_json::Value, ingest::NoVerdict> {
        Err(ingest::NoVerdict::Busy)
    }
}

#[async_trait]
impl ingest::KeySource for Nothing {
    async fn fetch(&self, _: &str) -> Result<String, Error> {
        Err(Error::Unavailable("none".into()))
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

fn configured(project: ProjectId, event: Event, i: i32) -> (Partition, Record) {
    let id = Uuid::from_u128(1);
    let meta = Meta {
        event_id: EventId(id),
        project,
        key: Key::Project(project).name(),
        execution: None,
        occurred_at: Timestamp(NOW_S * 1_000),
        actor: Actor::Team,
        causation_id: None,
        correlation_id: id,
        command_id: CommandId(id),
        body_hash: None,
        command_offset: 0,
        config_offset: -1,
        epoch: 0,
        incarnation: 0,
        i,
        n: 2,
    };
    let headers = Headers { kind: event.schema().id, i, n: 2, ..Headers::default() };
    let value = codec::encode(&Recorded { meta, body: event }).unwrap().into();
    (Partition::CONFIG, Record { headers, key: bytes::Bytes::new(), value })
}

async fn router(project: ProjectId, public_pem: String) -> Router {
    let log = Arc::new(Forgetful(ModelLog::kind(8)));
    let settings = json!({ "id": project, "name": "Bench", "signing_keys": [public_pem] });
    let settings: ProjectSettings = serde_json::from_value(settings).unwrap();
    let settings = serde_json::to_string(&settings).unwrap();
    let event = AppEventDefined { name: "Deal".into(), removed: false, example: "{}".into() };
    let records = vec![
        configured(project, ProjectConfigured { project, settings }.into(), 0),
        configured(project, event.into(), 1),
    ];
    log.append(records).await.unwrap();
    let random = Arc::new(SeededRandom::new(1));
    let blob = Arc::new(ModelBlob::new());
    let feed = Arc::new(Feed::new(log.clone()));
    feed.refresh().await.unwrap();
    ingest::router(App {
        vault: Arc::new(Vault::new(log.clone(), blob, random.clone(), MasterKey::new([7; 32]))),
        log,
        feed,
        answers: Answers::default(),
        backlog: Backlog::default(),
        level: ports::Level::newest(),
        clock: Arc::new(ModelClock::at(Timestamp(NOW_S * 1_000))),
        random,
        directory: Arc::new(Nothing),
        history: Arc::new(Nothing),
        inbox: Arc::new(Nothing),
        key_source: Arc::new(Nothing),
        judge: Arc::new(Nothing),
        meter: Arc::new(()),
        registry: None,
        limits: Limits::default(),
        admin_key_hash: None,
    })
}

fn event(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    let public = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap();
    let project = ProjectId(Uuid::from_u128(0x5f1d_7a52));
    let router = runtime.block_on(router(project, pem("PUBLIC KEY", public.as_ref())));
    let key = EncodingKey::from_rsa_pem(pem("PRIVATE KEY", private.as_ref()).as_bytes()).unwrap();
    let claims = json!({ "sub": "user-1", "iat": NOW_S, "exp": NOW_S + 3_600 });
    let token = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key).unwrap();
    let call = |path: &str, body: &str| {
        let request = Request::post(format!("/projects/{project}/sdk/{path}"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap();
        let status = runtime.block_on(router.clone().oneshot(request)).unwrap().status();
        assert_eq!(status, 201);
    };
    let one = json!({ "name": "Deal", "payload": { "text": "x".repeat(460), "n": 1 } });
    let mut group = c.benchmark_group("event");
    group.throughput(Throughput::Elements(1));
    let text = one.to_string();
    group.bench_function("one", |b| b.iter(|| call("events/trigger", &text)));
    for count in [100usize, 1_000] {
        let text = json!({ "events": vec![one.clone(); count] }).to_string();
        group.throughput(Throughput::Elements(count as u64));
        group.bench_with_input(BenchmarkId::new("batch", count), &text, |b, text| {
            b.iter(|| call("events/batch", text));
        });
    }
    group.finish();
}

criterion_group!(benches, event);
criterion_main!(benches);
