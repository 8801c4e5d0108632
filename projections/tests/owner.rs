//! An owner over the in-memory models: from an app event to the end of its execution.

// A test fails by panicking, also in the functions around it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use async_trait::async_trait;
use bytes::Bytes;
use domain::answer::Answer;
use domain::codec;
use domain::command::{
    ApplyProject, Command, ConnectCredential, ReceiveEvent, ReceiveRequest, SwitchWorkflow,
};
use domain::config::{Desired, DesiredWorkflow, IntegrationSettings, ProjectSettings};
use domain::event::Event;
use domain::id::{CommandId, EventId, IntegrationId, ProjectId, StepId, WorkflowId};
use domain::key::Key;
use domain::meta::{Actor, Meta, Recorded};
use domain::time::Timestamp;
use domain::workflow::{Action, Function, RequestTrigger, Response, Step, Trigger, Workflow};
use ports::model::blob::ModelBlob;
use ports::model::clock::ModelClock;
use ports::model::log::ModelLog;
use ports::model::random::SeededRandom;
use ports::model::store::ModelStore;
use ports::{
    Answers, Asked, Clock, Feed, Job, Log, MasterKey, Outbound, Outcome, Partition, Random, Vault,
};
use projections::perform::perform;
use projections::{Owner, Seat, Turn, World};
use serde_json::{Map, json};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use uuid::Uuid;

const PARTITIONS: u16 = 8;

/// The models never pend: one poll finishes every future.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a model pended"),
    }
}

/// Answers every function with the length of its parameters.
struct Echo(Arc<ModelClock>);

#[async_trait]
impl Outbound for Echo {
    async fn perform(&self, job: Job) -> Outcome {
        Outcome {
            started_at: self.0.now(),
            input: json!({}),
            output: json!({ "result": job.scope.trigger }),
            failure: None,
            status: None,
        }
    }
}

struct Bench {
    world: World,
    owners: Vec<Owner>,
    outbound: Echo,
    clock: Arc<ModelClock>,
}

impl Bench {
    fn new() -> Self {
        let clock = Arc::new(ModelClock::at(Timestamp(1_000_000)));
        let log: Arc<dyn Log> = Arc::new(ModelLog::kind(PARTITIONS));
        let random: Arc<dyn Random> = Arc::new(SeededRandom::new(7));
        let master = MasterKey::new([9; 32]);
        let blob = Arc::new(ModelBlob::new());
        let vault = Arc::new(Vault::new(log.clone(), blob, random.clone(), master));
        let world = World {
            feed: Arc::new(Feed::new(log.clone())),
            log,
            store: Arc::new(ModelStore::new(3)),
            clock: clock.clone(),
            random,
            vault,
            answers: Answers::default(),
        };
        let mut owners: Vec<Owner> =
            (0..PARTITIONS).map(|n| Owner::new(world.clone(), Seat::of(n), "a")).collect();
        owners.push(Owner::new(world.clone(), Seat::CONFIG, "a"));
        Self { world, owners, outbound: Echo(clock.clone()), clock }
    }

    fn send(&self, key: &Key, body: impl Into<Command>) -> CommandId {
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
        let record = ports::Record {
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

    fn settle(&mut self) {
        for _ in 0..200 {
            let mut busy = false;
            for owner in &mut self.owners {
                busy |= now(owner.turn()).unwrap() == Turn::Busy;
                for work in now(owner.start()).unwrap() {
                    let outcome = now(perform(&self.world, &self.outbound, &work)).unwrap();
                    now(self.world.log.append(vec![outcome])).unwrap();
                    busy = true;
                }
                busy |= now(owner.fire()).unwrap() > 0;
            }
            if !busy {
                return;
            }
        }
        panic!("the owners do not come to rest");
    }

    fn ask(&mut self, key: &Key, body: impl Into<Command>) -> Answer {
        let id = self.send(key, body);
        let mut waiting = self.world.answers.wait(Asked { command: id, body_hash: None });
        self.settle();
        match Pin::new(&mut waiting).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => answer,
            Poll::Pending => panic!("no answer"),
        }
    }

    fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        for number in 0..PARTITIONS {
            let stored = now(self.world.log.read(Partition::events(number), 0, usize::MAX));
            for stored in stored.unwrap() {
                events.push(codec::decode::<Event>(&stored.record.value).unwrap().body);
            }
        }
        events
    }
}

fn project() -> ProjectId {
    ProjectId(Uuid::from_u128(1))
}

fn user() -> Key {
    Key::User(project(), "u1".into())
}

const INTEGRATION: IntegrationId = IntegrationId(Uuid::from_u128(2));
const BY_EVENT: WorkflowId = WorkflowId(Uuid::from_u128(3));
const BY_REQUEST: WorkflowId = WorkflowId(Uuid::from_u128(4));

fn step(n: u128, name: &str, action: Action, next: Option<u16>) -> Step {
    let id = StepId(Uuid::from_u128(n));
    Step { id, name: name.into(), action, next, auto_retry: false, continue_on_error: false }
}

fn function() -> Action {
    Action::Function(Function {
        code: "x".into(),
        parameters: Map::from_iter([("a".to_owned(), json!("{{1.event}}{{trigger.request}}"))]),
    })
}

fn workflow(id: WorkflowId, trigger: Trigger, steps: Vec<Step>) -> DesiredWorkflow {
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
        },
        deployed: true,
    }
}

fn desired() -> Desired {
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

fn ready() -> Bench {
    let mut bench = Bench::new();
    let document = serde_json::to_string(&desired()).unwrap();
    let apply = ApplyProject { document, secrets: vec![] };
    assert_eq!(bench.ask(&Key::Project(project()), apply), Answer::Done);
    now(bench.world.vault.prepare(&user())).unwrap();
    let sealed = bench.world.vault.seal(&user(), br#"{"apiKey":"k"}"#).unwrap();
    let connect = ConnectCredential {
        integration: INTEGRATION,
        credential: None,
        another: false,
        provider_id: "acme".into(),
        external_id: String::new(),
        sealed,
    };
    assert!(matches!(bench.ask(&user(), connect), Answer::Connected { .. }));
    for workflow in [BY_EVENT, BY_REQUEST] {
        let switch = SwitchWorkflow { workflow, credential: None, enabled: true };
        assert_eq!(bench.ask(&user(), switch), Answer::Done);
    }
    bench
}

fn event(bench: &Bench) -> ReceiveEvent {
    let sealed = bench.world.vault.seal(&user(), br#"{"event":{"n":1}}"#).unwrap();
    ReceiveEvent { name: "E".into(), credential: None, size: 7, sealed }
}

fn finished(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::ExecutionFinished(_))).count()
}

#[test]
fn an_app_event_runs_its_workflow_to_the_end() {
    let mut bench = ready();
    let body = event(&bench);
    assert!(matches!(bench.ask(&user(), body), Answer::Started { .. }));
    let events = bench.events();
    let succeeded = events.iter().filter(|e| matches!(e, Event::StepSucceeded(_))).count();
    assert_eq!((succeeded, finished(&events)), (2, 1));
}

#[test]
fn a_request_gets_the_answer_of_its_response_step() {
    let mut bench = ready();
    let sealed = bench.world.vault.seal(&user(), br#"{"request":{"body":{"n":5}}}"#).unwrap();
    let body = ReceiveRequest { workflow: BY_REQUEST, credential: None, size: 1, sealed };
    let Answer::Responded { status, sealed, .. } = bench.ask(&user(), body) else {
        panic!("no response")
    };
    let clear = bench.world.vault.open(&user(), &sealed).unwrap();
    assert_eq!((status, &clear[..]), (201, &br#"{"got":5}"#[..]));
}

#[test]
fn a_repeated_command_is_decided_once() {
    let mut bench = ready();
    let body = event(&bench);
    bench.send(&user(), body);
    let partition = Partition::commands(user().partition(PARTITIONS));
    let stored = now(bench.world.log.read(partition, 0, usize::MAX)).unwrap();
    let last = stored.last().unwrap().record.clone();
    now(bench.world.log.append(vec![(partition, last)])).unwrap();
    bench.settle();
    assert_eq!(finished(&bench.events()), 1);
    assert!(bench.events().iter().any(|event| matches!(event, Event::CommandRepeated(_))));
}

#[test]
fn a_new_owner_goes_on_where_the_old_one_stopped() {
    let mut bench = ready();
    for _ in 0..20 {
        let body = event(&bench);
        bench.send(&user(), body);
    }
    for owner in &mut bench.owners {
        now(owner.turn()).unwrap();
        now(owner.start()).unwrap(); // started, and lost with their owner
    }
    let world = bench.world.clone();
    bench.owners = (0..PARTITIONS).map(|n| Owner::new(world.clone(), Seat::of(n), "b")).collect();
    bench.settle();
    assert_eq!(finished(&bench.events()), 20);
}

#[test]
fn a_command_that_cannot_be_read_is_rejected_and_holds_no_one_up() {
    let mut bench = ready();
    let partition = Partition::commands(user().partition(PARTITIONS));
    let stored = now(bench.world.log.read(partition, 0, usize::MAX)).unwrap();
    let whole = stored.last().unwrap().record.clone();
    let cut = ports::Record { value: whole.value.slice(..whole.value.len() - 3), ..whole.clone() };
    let noise = ports::Record { value: Bytes::from_static(b"noise"), ..whole };
    now(bench.world.log.append(vec![(partition, cut), (partition, noise)])).unwrap();
    let body = event(&bench);
    assert!(matches!(bench.ask(&user(), body), Answer::Started { .. }));
    let events = bench.events();
    let rejected = events.iter().filter(|event| matches!(event, Event::CommandRejected(_))).count();
    assert_eq!((rejected, finished(&events)), (2, 1));
}
