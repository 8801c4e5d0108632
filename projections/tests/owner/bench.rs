//! Owners over the in-memory models, with a project and a user.

use async_trait::async_trait;
use bytes::Bytes;
use domain::answer::Answer;
use domain::codec;
use domain::command::{ApplyProject, Command, ConnectCredential, ReceiveEvent, SwitchWorkflow};
use domain::config::{Desired, DesiredWorkflow, IntegrationSettings, ProjectSettings};
use domain::event::Event;
use domain::id::{CommandId, EventId, IntegrationId, ProjectId, StepId, WorkflowId};
use domain::key::Key;
use domain::meta::{Actor, Meta, Recorded};
use domain::time::Timestamp;
use domain::workflow::{Action, Function, RequestTrigger, Response, Step, Trigger, Workflow};
use ports::Level;
use ports::model::blob::ModelBlob;
use ports::model::clock::ModelClock;
use ports::model::log::ModelLog;
use ports::model::random::SeededRandom;
use ports::model::store::ModelStore;
use ports::{
    Answers, Asked, Backlog, Clock, Error, Feed, Job, Log, MasterKey, Offset, Outbound, Outcome,
    Partition, Random, Record, Stored, Vault,
};
use projections::handover::Handover;
use projections::perform::{Report, perform};
use projections::under_way::UnderWay;
use projections::{Owner, Seat, Turn, Work, World};
use serde_json::{Map, json};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use uuid::Uuid;

/// The name of the owners' node.
pub(crate) const NODE: &str = "a";
pub(crate) const PARTITIONS: u16 = 8;

/// The models never pend: one poll finishes every future.
pub(crate) fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a model pended"),
    }
}

/// Answers every function with the length of its parameters.
pub(crate) struct Echo(Arc<ModelClock>);

#[async_trait]
impl Outbound for Echo {
    async fn perform(&self, job: Job) -> Outcome {
        Outcome {
            started_at: self.0.now(),
            input: json!({}),
            output: json!({ "result": job.scope.trigger }),
            failure: None,
            status: None,
            goes_on: false,
        }
    }
}

/// A log that takes appends to one partition alone.
struct Deaf {
    log: Arc<dyn Log>,
    events: Partition,
    claims_only: bool,
}

#[async_trait]
impl Log for Deaf {
    fn partitions(&self) -> u16 {
        self.log.partitions()
    }

    fn identity(&self) -> Uuid {
        self.log.identity()
    }

    fn exclusive(&self) -> bool {
        self.log.exclusive()
    }

    async fn append(&self, records: Vec<(Partition, Record)>) -> Result<Vec<Offset>, Error> {
        let claim = codec::published().find(|schema| schema.name == "OwnershipClaimed");
        let claim = claim.map(|schema| schema.id);
        let is_claim = |record: &Record| Some(record.headers.kind) == claim;
        let refused = |(partition, record): &(Partition, Record)| {
            *partition != self.events || (self.claims_only && !is_claim(record))
        };
        if records.iter().any(refused) {
            return Err(Error::Unavailable("deaf".into()));
        }
        self.log.append(records).await
    }

    async fn read(&self, of: Partition, from: Offset, max: usize) -> Result<Vec<Stored>, Error> {
        self.log.read(of, from, max).await
    }

    async fn changed(&self, partition: Partition, from: Offset) -> Result<(), Error> {
        self.log.changed(partition, from).await
    }

    async fn end(&self, partition: Partition) -> Result<Offset, Error> {
        self.log.end(partition).await
    }
}

pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) owners: Vec<Owner>,
    pub(crate) store: Arc<ModelStore>,
    pub(crate) log: Arc<ModelLog>,
    pub(crate) clock: Arc<ModelClock>,
    outbound: Echo,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ModelClock::at(Timestamp(1_000_000)));
        let model = Arc::new(ModelLog::kind(PARTITIONS));
        let log: Arc<dyn Log> = model.clone();
        let random: Arc<dyn Random> = Arc::new(SeededRandom::new(7));
        let master = MasterKey::new([9; 32]);
        let store = Arc::new(ModelStore::new(3));
        let blob = Arc::new(ModelBlob::new());
        let vault = Arc::new(Vault::new(log.clone(), blob, random.clone(), master));
        let world = World {
            feed: Arc::new(Feed::new(log.clone())),
            log,
            store: store.clone(),
            clock: clock.clone(),
            random,
            vault,
            answers: Answers::default(),
            backlog: Backlog::default(),
            meter: Arc::new(()),
            under_way: UnderWay::default(),
            handover: Handover::default(),
            level: Level::newest(),
        };
        let mut owners: Vec<Owner> =
            (0..PARTITIONS).map(|n| Owner::new(world.clone(), Seat::of(n), NODE)).collect();
        owners.push(Owner::new(world.clone(), Seat::CONFIG, NODE));
        Self { world, owners, store, log: model, outbound: Echo(clock.clone()), clock }
    }

    pub(crate) fn send(&self, key: &Key, body: impl Into<Command>) -> CommandId {
        let mut entropy = [0u8; 10];
        self.world.random.fill(&mut entropy);
        let id = CommandId::fresh(self.clock.now(), entropy);
        let body = body.into();
        let config = matches!(body, Command::ApplyProject(_));
        let meta = Meta {
            event_id: EventId(id.0),
            project: key.project(),
            key: key.name(),
            execution: None,
            occurred_at: self.clock.now(),
            actor: Actor::User,
            causation_id: None,
            correlation_id: id.0,
            command_id: id,
            body_hash: None,
            command_offset: -1,
            config_offset: self.world.feed.current().offset,
            epoch: 0,
            incarnation: 0,
            i: 0,
            n: 1,
        };
        let value = codec::encode(&Recorded { meta, body: body.clone() }).unwrap();
        let kind = codec::schema_id(&value).unwrap();
        let record = Record {
            headers: ports::Headers { kind, ..ports::Headers::default() },
            key: Bytes::new(),
            value: Bytes::from(value),
        };
        let to = match config {
            true => Partition::CONFIG,
            false => Partition::commands(key.partition(PARTITIONS)),
        };
        now(self.world.log.append(vec![(to, record)])).unwrap();
        id
    }

    pub(crate) fn settle(&mut self) {
        for _ in 0..200 {
            if !self.round() {
                return;
            }
        }
        panic!("the owners do not come to rest");
    }

    /// Every owner has a turn, and what it starts is performed. Tells whether there was anything.
    pub(crate) fn round(&mut self) -> bool {
        let mut busy = false;
        for owner in &mut self.owners {
            busy |= now(owner.turn()).unwrap() == Turn::Busy;
            now(owner.reclaim(|node| node == NODE)).unwrap();
            for work in owner.take_works() {
                let outcome = now(perform(&self.world, &self.outbound, &work)).unwrap();
                let report = now(Report::new(&self.world, &work, &outcome)).unwrap();
                now(self.world.log.append(vec![report.record().unwrap()])).unwrap();
                busy = true;
            }
            busy |= now(owner.fire()).unwrap() > 0;
        }
        busy
    }

    /// Performs a step.
    pub(crate) fn report(&self, work: &Work) -> Report {
        let outcome = now(perform(&self.world, &self.outbound, work)).unwrap();
        now(Report::new(&self.world, work, &outcome)).unwrap()
    }

    pub(crate) fn ask(&mut self, key: &Key, body: impl Into<Command>) -> Answer {
        let id = self.send(key, body);
        let mut waiting = self.world.answers.wait(Asked { command: id, body_hash: None });
        self.settle();
        match Pin::new(&mut waiting).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => answer,
            Poll::Pending => panic!("no answer"),
        }
    }

    /// The log, for an owner that can append events and tell no one.
    pub(crate) fn deaf_log(&self, seat: Seat) -> Arc<dyn Log> {
        Arc::new(Deaf { log: self.world.log.clone(), events: seat.events, claims_only: false })
    }

    /// The log, for an owner that dies before it appends a decision.
    pub(crate) fn log_that_takes_claims_only(&self, seat: Seat) -> Arc<dyn Log> {
        Arc::new(Deaf { log: self.world.log.clone(), events: seat.events, claims_only: true })
    }

    /// Steps of a user that succeeded.
    pub(crate) fn steps_of(&self, key: &Key) -> usize {
        let partition = Partition::events(key.partition(PARTITIONS));
        let stored = now(self.world.log.read(partition, 0, usize::MAX)).unwrap();
        let events = stored.iter().map(|s| codec::decode::<Event>(&s.record.value).unwrap());
        let theirs = events.filter(|event| event.meta.key == key.name());
        theirs.filter(|event| matches!(event.body, Event::StepSucceeded(_))).count()
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        for number in 0..PARTITIONS {
            let stored = now(self.world.log.read(Partition::events(number), 0, usize::MAX));
            for stored in stored.unwrap().into_iter().filter(|stored| !stored.record.is_gap()) {
                events.push(codec::decode::<Event>(&stored.record.value).unwrap().body);
            }
        }
        events
    }
}

pub(crate) fn project() -> ProjectId {
    ProjectId(Uuid::from_u128(1))
}

pub(crate) fn user() -> Key {
    Key::User(project(), "u1".into())
}

pub(crate) const INTEGRATION: IntegrationId = IntegrationId(Uuid::from_u128(2));
pub(crate) const BY_EVENT: WorkflowId = WorkflowId(Uuid::from_u128(3));
pub(crate) const BY_REQUEST: WorkflowId = WorkflowId(Uuid::from_u128(4));

pub(crate) fn step(n: u128, name: &str, action: Action, next: Option<u16>) -> Step {
    let id = StepId(Uuid::from_u128(n));
    Step { id, name: name.into(), action, next, auto_retry: false, continue_on_error: false }
}

pub(crate) fn function() -> Action {
    Action::Function(Function {
        code: "x".into(),
        parameters: Map::from_iter([("a".to_owned(), json!("{{1.event}}{{trigger.request}}"))]),
    })
}

pub(crate) fn workflow(id: WorkflowId, trigger: Trigger, steps: Vec<Step>) -> DesiredWorkflow {
    DesiredWorkflow {
        workflow: Workflow {
            format: 1,
            id,
            name: format!("w{id}"),
            integration: INTEGRATION,
            trigger,
            steps,
            default_enabled: false,
            hidden: false,
            inputs: vec![],
            permissions: None,
            field_mapping: None,
        },
        deployed: true,
    }
}

pub(crate) fn desired() -> Desired {
    let settings = json!({ "id": project(), "name": "P", "concurrency_max": 3 });
    let integration = json!({
        "id": INTEGRATION, "kind": "custom.x", "name": "X", "base_url": "https://x.example",
        "active": true,
    });
    let respond = Action::Response(Response {
        response_type: domain::workflow::ResponseType::Json,
        status_code: 201,
        body: json!({ "got": "{{work.result.request.body.n}}" }),
    });
    Desired {
        project: serde_json::from_value::<ProjectSettings>(settings).unwrap(),
        integrations: vec![serde_json::from_value::<IntegrationSettings>(integration).unwrap()],
        workflows: vec![
            workflow(
                BY_EVENT,
                Trigger::AppEvent { name: "E".into() },
                vec![step(1, "one", function(), Some(1)), step(2, "two", function(), None)],
            ),
            workflow(
                BY_REQUEST,
                Trigger::Request(RequestTrigger::default()),
                vec![step(3, "work", function(), Some(1)), step(4, "answer", respond, None)],
            ),
        ],
        app_events: [("E".to_owned(), json!({}))].into(),
        api_keys: [].into(),
        secrets: vec![],
    }
}

/// The project is there.
pub(crate) fn configure(bench: &mut Bench) {
    let document = serde_json::to_string(&desired()).unwrap();
    let apply = ApplyProject { document, secrets: vec![] };
    assert_eq!(bench.ask(&Key::Project(project()), apply), Answer::Done);
}

/// The user connects an account.
pub(crate) fn connect(bench: &Bench, key: &Key) -> ConnectCredential {
    now(bench.world.vault.prepare(key)).unwrap();
    let sealed = bench.world.vault.seal(key, br#"{"apiKey":"k"}"#).unwrap();
    ConnectCredential {
        integration: INTEGRATION,
        credential: None,
        another: false,
        provider_id: "acme".into(),
        external_id: String::new(),
        sealed,
    }
}

/// The project is there, and the user has an account and both workflows.
pub(crate) fn ready() -> Bench {
    let mut bench = Bench::new();
    configure(&mut bench);
    join(&mut bench, &user());
    bench
}

/// The user connects an account and switches both workflows on.
pub(crate) fn join(bench: &mut Bench, key: &Key) {
    let connect = connect(bench, key);
    assert!(matches!(bench.ask(key, connect), Answer::Connected { .. }));
    for workflow in [BY_EVENT, BY_REQUEST] {
        let switch = SwitchWorkflow { workflow, credential: None, enabled: true };
        assert_eq!(bench.ask(key, switch), Answer::Done);
    }
}

/// An event of the user.
pub(crate) fn event(bench: &Bench) -> ReceiveEvent {
    event_of(bench, &user())
}

pub(crate) fn event_of(bench: &Bench, key: &Key) -> ReceiveEvent {
    let sealed = bench.world.vault.seal(key, br#"{"event":{"n":1}}"#).unwrap();
    ReceiveEvent { name: "E".into(), credential: None, size: 7, sealed }
}

pub(crate) fn finished(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::ExecutionFinished(_))).count()
}
