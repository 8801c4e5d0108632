//! One user of one project, of whom a story is told.

mod items;
mod line;
mod scheduled;

use bytes::Bytes;
use domain::command::{
    ApplyProject, CancelExecution, Command, ConnectCredential, FireTimer, LoseStep, PauseStep,
    ReceiveEvent, ReceiveRequest, RecordOutcome, ResumeStep, SaveSettings,
};
use domain::config::{Config, Desired};
use domain::decide::{Given, Missing, Open, decide};
use domain::event::{Event, StartedStep, StepsStarted};
use domain::exchange;
use domain::id::{
    CommandId, CredentialId, EventId, ExecutionId, IntegrationId, ProjectId, WorkflowId,
};
use domain::key::Key;
use domain::meta::{Actor, Meta, Recorded};
use domain::payload::Payload;
use domain::state::{Credential, Lineage, Pending, Row, RowKey, Rows, fold};
use domain::time::Timestamp;
use domain::workflow::Scope;
use domain::workflow::reference::Needs;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

pub(crate) const PROJECT: ProjectId =
    ProjectId(Uuid::from_u128(0x3f0c7a18_6c52_4b0e_8d37_1a9e5b2c4d60));
pub(crate) const EVENT: &str = "Order Placed";
const BEGAN: Timestamp = Timestamp(1_700_000_000_000);
const PARTITIONS: u16 = 8;
const NODE: &str = "node-1";
/// The last byte of a command's id decides how much sooner or later a retry comes: this one not at
/// all.
const ON_TIME: u8 = 128;

/// What is known of a user, and what time it is.
pub(crate) struct Story {
    pub(crate) config: Config,
    /// What the project is made of.
    desired: Desired,
    pub(crate) rows: Rows,
    pub(crate) now: Timestamp,
    pub(crate) key: Key,
    pub(crate) integration: IntegrationId,
    /// Runs when the event comes.
    pub(crate) by_event: WorkflowId,
    /// Runs when a request comes.
    pub(crate) by_request: WorkflowId,
    /// The last execution that began.
    run: Option<ExecutionId>,
    /// Every row there ever was.
    known: BTreeSet<RowKey>,
    commands: u128,
    events: u128,
}

/// What followed a command, a line for each event.
pub(crate) struct Then(Vec<String>);

impl Then {
    /// Whether one event followed that says so.
    pub(crate) fn is_one_that_says(&self, word: &str) -> bool {
        matches!(&self.0[..], [line] if line.contains(word))
    }

    /// Asserts that just this followed.
    #[track_caller]
    pub(crate) fn then(self, expected: &[&str]) {
        assert_eq!(self.0, expected);
    }
}

impl Story {
    /// Two workflows with the same steps, switched on for a connected account.
    pub(crate) fn given(steps: &Value) -> Self {
        let desired = domain::definition::parse(&project(steps).to_string()).unwrap().desired;
        let mut story = Self {
            config: Config::default(),
            desired: desired.clone(),
            rows: Rows::default(),
            now: BEGAN,
            key: Key::User(PROJECT, "anna".into()),
            integration: desired.integrations[0].id,
            by_event: desired.workflows[0].workflow.id,
            by_request: desired.workflows[1].workflow.id,
            run: None,
            known: BTreeSet::new(),
            commands: 0,
            events: 0,
        };
        story.apply(&desired);
        story.when(story.connect());
        story
    }

    fn apply(&mut self, desired: &Desired) {
        let document = serde_json::to_string(desired).unwrap();
        let apply = self.command(ApplyProject { document, secrets: vec![] });
        let applied = self.decide(&apply);
        for (offset, event) in (self.config.offset + 1..).zip(self.stamp(&apply, applied)) {
            self.config.fold(offset, &event).unwrap();
        }
    }

    /// The integration becomes active or inactive.
    pub(crate) fn set_active(&mut self, active: bool) {
        let mut desired = self.desired.clone();
        desired.integrations[0].active = active;
        self.apply(&desired);
    }

    /// Another project file is applied.
    pub(crate) fn redeploy(&mut self, change: impl FnOnce(&mut Desired)) {
        let mut desired = self.desired.clone();
        change(&mut desired);
        self.apply(&desired);
        self.desired = desired;
    }

    /// The user's accounts, oldest first.
    pub(crate) fn accounts(&self) -> Vec<(CredentialId, Credential)> {
        let key = RowKey::User(PROJECT, "anna".into());
        let user = self.rows.user(&key);
        let accounts = user.into_iter().flat_map(|user| user.accounts_at(self.integration));
        accounts.map(|(id, account)| (*id, account.clone())).collect()
    }

    /// What the user saves for the first account.
    pub(crate) fn save(&self, settings: &Value) -> SaveSettings {
        let credential = self.accounts().first().map(|(id, _)| *id).unwrap();
        SaveSettings { credential, sealed: sealed(settings) }
    }

    /// The integration is removed, with its workflows.
    pub(crate) fn remove_integration(&mut self) {
        let mut desired = self.desired.clone();
        desired.integrations.clear();
        desired.workflows.clear();
        self.apply(&desired);
    }

    /// An execution of the steps that an event started.
    pub(crate) fn given_run(steps: &Value) -> Self {
        let mut story = Self::given(steps);
        story.when(story.event());
        story
    }

    /// Decides a command and folds what was decided.
    pub(crate) fn when(&mut self, body: impl Into<Command>) -> Then {
        let command = self.command(body);
        self.when_again(&command)
    }

    /// The same of a command that has its id already.
    pub(crate) fn when_again(&mut self, command: &Recorded<Command>) -> Then {
        let run = self.decided(command);
        self.take(&run);
        Then(run.iter().map(|event| self.line(&event.body)).collect())
    }

    /// The same of a command about the configuration, into which it is folded.
    pub(crate) fn when_configured(&mut self, body: impl Into<Command>) -> Then {
        let command = self.command(body);
        let run = self.decided(&command);
        for (offset, event) in (self.config.offset + 1..).zip(&run) {
            self.config.fold(offset, event).unwrap();
        }
        Then(run.iter().map(|event| self.line(&event.body)).collect())
    }

    /// Folds a decision.
    pub(crate) fn take(&mut self, run: &[Recorded<Event>]) {
        fold(&mut self.rows, run);
        self.known.extend(self.rows.take_dirty());
    }

    /// What would be decided, with envelopes.
    pub(crate) fn decided(&mut self, command: &Recorded<Command>) -> Vec<Recorded<Event>> {
        let events = self.decide(command);
        let started = events.iter().find_map(|event| match event {
            Event::ExecutionStarted(e) => Some(e.execution),
            _ => None,
        });
        self.run = started.or(self.run);
        self.stamp(command, events)
    }

    /// Time passes.
    pub(crate) fn later(&mut self, ms: i64) {
        self.now = self.now.plus_ms(ms);
    }

    /// Every row as it is.
    pub(crate) fn all(&self) -> BTreeMap<RowKey, Row> {
        let rows = self.known.iter();
        rows.filter_map(|key| Some((key.clone(), self.rows.get(key)?.clone()))).collect()
    }

    /// The rows that an execution has while it lives.
    pub(crate) fn alive(&self) -> usize {
        let lives = |key: &RowKey| {
            matches!(
                key,
                RowKey::Execution(_)
                    | RowKey::Ready(..)
                    | RowKey::Started(..)
                    | RowKey::Timer(..)
                    | RowKey::Paused(..)
                    | RowKey::Part(..)
            )
        };
        self.all().keys().filter(|key| lives(key)).count()
    }

    /// The last execution.
    pub(crate) fn execution(&self) -> ExecutionId {
        self.run.unwrap()
    }

    /// What the last execution waits for.
    pub(crate) fn pending(&self) -> Option<Pending> {
        self.pending_of(self.run?)
    }

    /// What any run waits for.
    pub(crate) fn pending_of(&self, id: ExecutionId) -> Option<Pending> {
        self.rows.execution(&RowKey::Execution(id))?.pending.clone()
    }

    pub(crate) fn connect(&self) -> ConnectCredential {
        ConnectCredential {
            integration: self.integration,
            credential: None,
            another: false,
            provider_id: "acme".into(),
            external_id: String::new(),
            sealed: sealed(&json!({})),
        }
    }

    pub(crate) fn event(&self) -> ReceiveEvent {
        let sealed = sealed(&json!({ "event": { "n": 1 } }));
        ReceiveEvent { name: EVENT.into(), credential: None, size: 7, sealed }
    }

    pub(crate) fn request(&self) -> ReceiveRequest {
        let sealed = sealed(&json!({ "request": { "body": {} } }));
        ReceiveRequest { workflow: self.by_request, credential: None, size: 2, sealed }
    }

    /// What the world answers to the attempt that is due; an empty code is success.
    pub(crate) fn outcome(&self, code: &str, retryable: bool) -> RecordOutcome {
        let output = json!({ "result": { "n": 1 }, "code": code });
        RecordOutcome { retryable, ..self.outcome_of(self.execution(), code, &output) }
    }

    /// What the world answers to the attempt that a run waits for.
    pub(crate) fn outcome_of(
        &self,
        execution: ExecutionId,
        code: &str,
        output: &Value,
    ) -> RecordOutcome {
        let pending = self.pending_of(execution).unwrap();
        let packed = exchange::pack(&json!(null), output).unwrap();
        let (input_size, output_size) = exchange::sizes(&packed);
        RecordOutcome {
            execution,
            step: pending.step,
            attempt: pending.attempt,
            started_at: self.now,
            code: code.into(),
            retryable: false,
            status: None,
            retry_after_ms: None,
            input_size,
            output_size,
            sealed: Payload::Sealed(Bytes::from(packed)),
        }
    }

    /// The timer that the execution waits for.
    pub(crate) fn timer(&self) -> FireTimer {
        let pending = self.pending().unwrap();
        FireTimer {
            execution: self.execution(),
            step: pending.step,
            attempt: pending.attempt,
            due: pending.due.moment().unwrap(),
        }
    }

    /// Timers fire until none is due within a second, each when it is due.
    pub(crate) fn fire_all(&mut self) {
        let soon = self.now.plus_ms(1_000);
        let due = |key: &RowKey| match key {
            RowKey::Timer(due, execution) if *due <= soon => Some((*due, *execution)),
            _ => None,
        };
        while let Some((due, execution)) = self.all().keys().find_map(due) {
            self.now = self.now.max(due);
            let Pending { step, attempt, .. } = self.pending_of(execution).unwrap();
            self.when(FireTimer { execution, step, attempt, due });
        }
    }

    /// The step that is due came up while its integration was inactive.
    pub(crate) fn pause(&self) -> PauseStep {
        self.pause_of(self.execution())
    }

    /// The same of any run.
    pub(crate) fn pause_of(&self, execution: ExecutionId) -> PauseStep {
        let Pending { step, attempt, .. } = self.pending_of(execution).unwrap();
        PauseStep { execution, step, attempt }
    }

    /// What the step was paused for is over.
    pub(crate) fn resume(&self) -> ResumeStep {
        self.resume_of(self.execution())
    }

    /// The same of any run.
    pub(crate) fn resume_of(&self, execution: ExecutionId) -> ResumeStep {
        let Pending { step, attempt, .. } = self.pending_of(execution).unwrap();
        ResumeStep { execution, step, attempt }
    }

    /// What the log is told when the step that is due begins.
    pub(crate) fn begun(&mut self) -> Vec<Recorded<Event>> {
        let since = self.pending().map_or(EventId(Uuid::nil()), |pending| pending.since);
        let steps = vec![StartedStep { execution: self.execution(), since }];
        let body = StepsStarted { node: NODE.into(), steps }.into();
        let meta =
            Meta { epoch: 1, incarnation: 1, ..Meta::keyless(EventId(Uuid::nil()), self.now) };
        vec![Recorded { meta, body }]
    }

    /// The step that is due begins.
    pub(crate) fn begin(&mut self) {
        let begun = self.begun();
        self.take(&begun);
    }

    /// The node that performs the step is gone.
    pub(crate) fn lose(&self) -> LoseStep {
        let Pending { step, attempt, .. } = self.pending().unwrap();
        let execution = self.execution();
        LoseStep { execution, step, attempt, node: NODE.into(), started_at: self.now }
    }

    pub(crate) fn cancel(&self) -> CancelExecution {
        CancelExecution { execution: self.execution() }
    }

    /// A command with a fresh id.
    pub(crate) fn command(&mut self, body: impl Into<Command>) -> Recorded<Command> {
        self.command_ending(ON_TIME, body)
    }

    /// A command whose id ends in this byte.
    pub(crate) fn command_ending(
        &mut self,
        last: u8,
        body: impl Into<Command>,
    ) -> Recorded<Command> {
        self.commands += 1;
        let number = self.commands << 8 | u128::from(last);
        let id = Uuid::from_u128(0x7000_8000_0000_0000_0000 + number);
        let meta = Meta {
            event_id: EventId(id),
            project: PROJECT,
            key: self.key.name(),
            execution: None,
            occurred_at: self.now,
            actor: Actor::User,
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
        Recorded { meta, body: body.into() }
    }

    fn decide(&self, command: &Recorded<Command>) -> Vec<Event> {
        let given = Given {
            rows: &self.rows,
            config: &self.config,
            now: self.now,
            partitions: PARTITIONS,
            schema_max: u32::MAX,
        };
        decide(&given, &mut Clear(&self.config), command).unwrap()
    }

    fn stamp(&mut self, command: &Recorded<Command>, events: Vec<Event>) -> Vec<Recorded<Event>> {
        let n = events.len() as i32;
        let stamped = (0..n).zip(events).map(|(i, mut body)| {
            self.events += 1;
            if let Some(payload) = body.payload_mut()
                && let Payload::Open(clear) = payload
            {
                *payload = Payload::Sealed(clear.clone());
            }
            let meta = Meta {
                event_id: EventId(Uuid::from_u128(self.events)),
                execution: body.execution(),
                occurred_at: self.now,
                causation_id: Some(command.meta.event_id.0),
                command_offset: 7,
                epoch: 1,
                incarnation: 1,
                i,
                n,
                ..command.meta.clone()
            };
            Recorded { meta, body }
        });
        stamped.collect()
    }
}

/// Opens what was never sealed.
struct Clear<'a>(&'a Config);

impl Open for Clear<'_> {
    fn scope(&mut self, lineage: &Lineage<'_>, needs: &Needs) -> Result<Scope, Missing> {
        let read = |payload: &Payload| payload.sealed().cloned().unwrap_or_default();
        let run = lineage.run;
        let version = self.0.project(run.project).unwrap().workflow(run.workflow, run.version);
        let mut scope = Scope { names: version.unwrap().names().into(), ..Scope::default() };
        if needs.trigger {
            scope.trigger = serde_json::from_slice(&read(lineage.trigger_output())).unwrap();
        }
        for index in &needs.outputs {
            if let Some(item) = lineage.instance(*index) {
                let item = match item {
                    Payload::Open(bytes) | Payload::Sealed(bytes) => bytes,
                };
                let item: Value = serde_json::from_slice(item).unwrap();
                scope.outputs.insert(*index, json!({ "instance": item }));
            }
            let Some(output) = lineage.output(*index) else { continue };
            let bytes = read(output);
            let (_, output) = exchange::unpack(&bytes).unwrap();
            scope.outputs.insert(*index, serde_json::from_slice(output).unwrap());
        }
        Ok(scope)
    }

    fn json(&mut self, _: &Key, payload: &Payload) -> Result<Value, Missing> {
        let bytes = payload.sealed().cloned().unwrap_or_default();
        Ok(serde_json::from_slice(&bytes).unwrap_or_default())
    }
}

pub(crate) fn sealed(value: &Value) -> Payload {
    Payload::Sealed(Bytes::from(value.to_string()))
}

fn project(steps: &Value) -> Value {
    let workflow = |name: &str, trigger: &Value| {
        json!({
            "workflow": name,
            "integration": "custom.desk",
            "default_enabled": true,
            "trigger": trigger,
            "steps": steps,
        })
    };
    // A response step needs a request to answer.
    let answers = steps.as_array().unwrap().iter().any(|step| !step["response"].is_null());
    let wait = json!([{ "name": "wait", "delay": { "value": 1 } }]);
    let mut by_event = workflow("by event", &json!({ "app_event": EVENT }));
    if answers {
        by_event["steps"] = wait;
    }
    json!({
        "project": { "id": PROJECT, "name": "Stories" },
        "signing_keys": { "generate": true },
        "app_events": { EVENT: {} },
        "integrations": [
            { "type": "custom.desk", "name": "Desk", "base_url": "https://desk.example" },
        ],
        "workflows": [by_event, workflow("by request", &json!({ "request": {} }))],
    })
}
