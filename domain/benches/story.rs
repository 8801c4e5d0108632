//! What the benches of this crate measure: one user's event that starts an execution, and the
//! outcome of the execution's function, behind which a conditional ends it.

use bytes::Bytes;
use domain::command::{ApplyProject, Command, ConnectCredential, ReceiveEvent, RecordOutcome};
use domain::config::Config;
use domain::decide::{Given, Missing, Open, decide};
use domain::event::Event;
use domain::exchange;
use domain::id::{CommandId, EventId, ExecutionId, StepId};
use domain::key::Key;
use domain::meta::{Actor, Meta, Recorded};
use domain::payload::Payload;
use domain::state::{Lineage, Rows, fold};
use domain::time::Timestamp;
use domain::workflow::Scope;
use domain::workflow::reference::Needs;
use serde_json::json;
use uuid::Uuid;

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const PROJECT: &str = "3f0c7a18-6c52-4b0e-8d37-1a9e5b2c4d60";
const EVENT: &str = "Order Placed";
/// Bytes of an event's payload.
const PAYLOAD_BYTES: usize = 500;

/// A project with a connected user, and an execution that waits for its function.
pub(crate) struct Story {
    config: Config,
    key: Key,
    /// The user before the event came.
    pub(crate) before: Rows,
    /// The event, as a command.
    pub(crate) event: Recorded<Command>,
    /// What was decided on it.
    pub(crate) started: Vec<Recorded<Event>>,
    /// The user with the execution.
    pub(crate) waiting: Rows,
    /// What the function gave, as a command.
    pub(crate) outcome: Recorded<Command>,
    /// What was decided on it.
    pub(crate) finished: Vec<Recorded<Event>>,
}

impl Story {
    /// Tells it once, with the deciders and folds that are measured.
    pub(crate) fn new() -> Self {
        let document = domain::definition::parse(&project().to_string()).unwrap();
        let desired = document.desired;
        let key = Key::User(desired.project.id, "user-1".into());
        let integration = desired.integrations[0].id;
        let document = serde_json::to_string(&desired).unwrap();
        let apply = Command::from(ApplyProject { document, secrets: vec![] });
        let nobody = recorded(&key, 1, Actor::System, ask());
        let mut story = Self {
            config: Config::default(),
            before: Rows::default(),
            waiting: Rows::default(),
            event: nobody.clone(),
            outcome: nobody,
            started: vec![],
            finished: vec![],
            key,
        };
        let applied = recorded(&Key::Project(desired.project.id), 2, Actor::Team, apply);
        for (offset, event) in (0..).zip(story.run(&Rows::default(), &applied)) {
            story.config.fold(offset, &event).unwrap();
        }
        let connect = ConnectCredential {
            integration,
            credential: None,
            another: false,
            provider_id: "acme".into(),
            external_id: String::new(),
            sealed: Payload::Sealed(Bytes::from_static(b"{}")),
        };
        let connect = recorded(&story.key, 3, Actor::User, connect.into());
        let connected = story.run(&Rows::default(), &connect);
        fold(&mut story.before, &connected);
        story.event = recorded(&story.key, 4, Actor::User, arrival());
        story.started = story.run(&story.before, &story.event);
        story.waiting = story.before.clone();
        fold(&mut story.waiting, &story.started);
        story.outcome = recorded(&story.key, 5, Actor::System, outcome(&story.started));
        story.finished = story.run(&story.waiting, &story.outcome);
        let ended = matches!(story.finished.last().unwrap().body, Event::ExecutionFinished(_));
        assert!(ended, "the story does not end: {:?}", story.finished);
        story
    }

    /// Decides a command on rows.
    pub(crate) fn decide(&self, rows: &Rows, command: &Recorded<Command>) -> Vec<Event> {
        let given =
            Given { rows, config: &self.config, now: NOW, partitions: 8, schema_max: u32::MAX };
        decide(&given, &mut Clear, command).unwrap()
    }

    fn run(&self, rows: &Rows, command: &Recorded<Command>) -> Vec<Recorded<Event>> {
        let events = self.decide(rows, command);
        let n = events.len() as i32;
        let stamped = (0..n).zip(events).map(|(i, body)| {
            let meta = Meta {
                event_id: EventId(Uuid::from_u128(100 + i as u128)),
                execution: body.execution(),
                causation_id: Some(command.meta.event_id.0),
                command_offset: 7,
                config_offset: 7,
                epoch: 1,
                incarnation: 1,
                i,
                n,
                ..command.meta.clone()
            };
            let mut event = Recorded { meta, body };
            if let Some(payload) = event.body.payload_mut()
                && let Payload::Open(clear) = payload
            {
                *payload = Payload::Sealed(clear.clone());
            }
            event
        });
        stamped.collect()
    }
}

/// Gives what was never sealed: sealing has a bench of its own.
struct Clear;

impl Open for Clear {
    fn scope(&mut self, lineage: &Lineage<'_>, needs: &Needs) -> Result<Scope, Missing> {
        let read = |payload: &Payload| payload.sealed().cloned().unwrap_or_default();
        let mut scope = Scope { trigger: json!(null), ..Scope::default() };
        if needs.trigger {
            scope.trigger = serde_json::from_slice(&read(lineage.trigger_output())).unwrap();
        }
        for index in &needs.outputs {
            let Some(output) = lineage.output(*index) else { continue };
            let bytes = read(output);
            let (_, output) = exchange::unpack(&bytes).unwrap();
            scope.outputs.insert(*index, serde_json::from_slice(output).unwrap());
        }
        scope.names = [("shape".to_owned(), 0), ("large".to_owned(), 1)]
            .into_iter()
            .collect::<std::collections::BTreeMap<_, _>>()
            .into();
        Ok(scope)
    }

    fn json(&mut self, _: &Key, payload: &Payload) -> Result<serde_json::Value, Missing> {
        let bytes = payload.sealed().cloned().unwrap_or_default();
        Ok(serde_json::from_slice(&bytes).unwrap_or_default())
    }
}

fn project() -> serde_json::Value {
    json!({
        "project": { "id": PROJECT, "name": "Bench" },
        "signing_keys": { "generate": true },
        "app_events": { EVENT: {} },
        "integrations": [
            { "type": "custom.bench", "name": "Bench", "base_url": "https://bench.example" },
        ],
        "workflows": [{
            "workflow": "fulfil",
            "integration": "custom.bench",
            "default_enabled": true,
            "trigger": { "app_event": EVENT },
            "steps": [
                {
                    "name": "shape",
                    "function": "function yourFunction({ order }) { return order; }",
                    "parameters": { "order": "{{trigger.event}}" },
                },
                { "name": "large", "if": { "{{shape.result.amount}}": { "at_least": 500 } } },
            ],
        }],
    })
}

fn recorded(key: &Key, number: u128, actor: Actor, body: Command) -> Recorded<Command> {
    let id = Uuid::from_u128(0x7000_8000_0000_0000_0000 + number);
    let meta = Meta {
        event_id: EventId(id),
        project: key.project(),
        key: key.name(),
        execution: None,
        occurred_at: NOW,
        actor,
        causation_id: None,
        correlation_id: id,
        command_id: CommandId(id),
        body_hash: None,
        command_offset: -1,
        config_offset: 7,
        epoch: 0,
        incarnation: 0,
        i: 0,
        n: 1,
    };
    Recorded { meta, body }
}

fn ask() -> Command {
    domain::command::SwitchUser { enabled: true }.into()
}

fn arrival() -> Command {
    let payload = json!({ "amount": 700, "text": "x".repeat(PAYLOAD_BYTES - 24) });
    let size = payload.to_string().len() as i32;
    // The 33 bytes that sealing adds are left out.
    let sealed = Payload::Sealed(Bytes::from(json!({ "event": payload }).to_string()));
    ReceiveEvent { name: EVENT.into(), credential: None, size, sealed }.into()
}

fn outcome(started: &[Recorded<Event>]) -> Command {
    let ready = started.iter().find_map(|event| match &event.body {
        Event::StepReady(ready) => Some((ready.execution, ready.step)),
        _ => None,
    });
    let (execution, step): (ExecutionId, StepId) = ready.unwrap();
    let output = json!({ "result": { "amount": 700 } });
    let packed = exchange::pack(&json!({ "order": { "amount": 700 } }), &output).unwrap();
    let (input_size, output_size) = exchange::sizes(&packed);
    RecordOutcome {
        execution,
        step,
        attempt: 1,
        started_at: NOW,
        code: String::new(),
        retryable: false,
        status: None,
        retry_after_ms: None,
        input_size,
        output_size,
        sealed: Payload::Sealed(Bytes::from(packed)),
    }
    .into()
}
