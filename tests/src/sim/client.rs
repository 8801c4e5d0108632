//! Those who call from outside: what they sent, and what they heard.

use super::audit::{Audit, Known};
use super::node::Node;
use super::poll::{now, ready};
use super::project::{
    BY_DEFAULT, BY_EVENT, BY_REQUEST, EVENT, FIRST, INTEGRATION, PROJECT, SECOND, WEBHOOK,
    WORKFLOWS, address,
};
use bytes::Bytes;
use domain::answer::Answer;
use domain::codec;
use domain::command::{
    ApplyProject, CancelExecution, Command, ConnectCredential, DescribeUser, KeptStep,
    PauseExecution, ReceiveEvent, ReceiveRequest, ReceiveWebhook, RemoveCredential,
    ReplayExecution, ResumeExecution, SwitchUser, SwitchWorkflow,
};
use domain::event::{StepKind, Verdict};
use domain::id::{CommandId, EventId};
use domain::key::Key;
use domain::meta::{Actor, Meta, Recorded};
use domain::payload::Payload;
use ports::answers::Waiting;
use ports::model::random::SeededRandom;
use ports::{Headers, Partition, Record};
use serde_json::json;

/// A command of a client, with everything that was heard of it.
pub(super) struct Sent {
    pub(super) id: CommandId,
    pub(super) partition: Partition,
    /// `Some`: it came with an `Idempotency-Key`.
    pub(super) body_hash: Option<i64>,
    pub(super) command: Recorded<Command>,
    /// Appends that were acknowledged.
    pub(super) acknowledged: usize,
    pub(super) answers: Vec<Answer>,
    pub(super) waiting: Vec<Waiting>,
}

impl Sent {
    /// Takes in the answers that came, as long as the nodes that know them live.
    pub(super) fn listen(&mut self) {
        let answers = &mut self.answers;
        self.waiting.retain_mut(|waiting| match ready(waiting) {
            Some(answer) => {
                answers.push(answer);
                false
            }
            None => true,
        });
    }
}

/// Something to say, and to whom.
pub(super) struct Wish {
    key: Key,
    body: Command,
    /// The `Idempotency-Key`, if any.
    idempotent: bool,
}

/// What a client might want next.
pub(super) fn wish(random: &SeededRandom, users: &[Key], audit: &Audit) -> Wish {
    let key = users[random.index(users.len())].clone();
    let idempotent = random.index(3) == 0;
    let body = match random.index(22) {
        0..6 => event(random),
        6..9 => request(random),
        9..12 => return webhook(random),
        12..14 => connect(random),
        14 => RemoveCredential { integration: INTEGRATION, credential: None }.into(),
        15..18 => switch(WORKFLOWS[random.index(WORKFLOWS.len())], random.index(5) > 0),
        18 => match random.index(3) {
            0 => DescribeUser { sealed: open(json!({ "m": random.index(9) })) }.into(),
            _ => SwitchUser { enabled: random.index(4) > 0 }.into(),
        },
        19..21 => match audit.live.get(random.index(audit.live.len().max(1))) {
            Some(known) => return steer(random, (key, idempotent), known),
            None => event(random),
        },
        _ => match audit.past.get(random.index(audit.past.len().max(1))) {
            Some(known) => return again(random, idempotent, known),
            None => event(random),
        },
    };
    Wish { key, body, idempotent }
}

/// An execution is to end, to wait or to go on. Not everybody who says so may.
fn steer(random: &SeededRandom, (any, idempotent): (Key, bool), known: &Known) -> Wish {
    let execution = known.execution;
    let key = if random.index(6) == 0 { any } else { known.user.clone() };
    let body = match random.index(5) {
        0 => CancelExecution { execution }.into(),
        1 | 2 => PauseExecution { execution }.into(),
        _ => ResumeExecution { execution }.into(),
    };
    Wish { key, body, idempotent }
}

/// An execution is to be run again, whole or from a step.
fn again(random: &SeededRandom, idempotent: bool, known: &Known) -> Wish {
    let from = random.index(2) == 0 && known.workflow == BY_EVENT;
    let kept = from.then(|| KeptStep {
        step: FIRST,
        kind: StepKind::Function,
        input_size: 2,
        output_size: 2,
        sealed: open(json!({})),
    });
    let body = ReplayExecution {
        original: known.execution,
        workflow: known.workflow,
        version: Some(1).filter(|_| random.index(2) == 0),
        credential: known.credential,
        trigger: known.trigger,
        trigger_detail: String::new(),
        from: from.then_some(SECOND),
        kept: kept.into_iter().collect(),
        edited: true,
        replay: None,
        size: 7,
        sealed: open(json!({ "event": { "n": random.index(10) } })),
    };
    Wish { key: known.user.clone(), body: body.into(), idempotent }
}

/// Whatever was paused or disabled goes on.
pub(super) fn let_go(users: &[Key], audit: &Audit) -> Vec<Wish> {
    let enabled = users.iter().map(|user| (user.clone(), SwitchUser { enabled: true }.into()));
    let resumed = audit
        .live
        .iter()
        .map(|known| (known.user.clone(), ResumeExecution { execution: known.execution }.into()));
    let wishes = enabled.chain(resumed);
    wishes.map(|(key, body)| Wish { key, body, idempotent: false }).collect()
}

/// The first words: every user connects and switches everything on.
pub(super) fn greetings(users: &[Key]) -> Vec<Wish> {
    let mut wishes = Vec::new();
    for (number, user) in users.iter().enumerate() {
        let connect = ConnectCredential {
            integration: INTEGRATION,
            credential: None,
            another: false,
            provider_id: format!("acme{}", number % 3),
            external_id: String::new(),
            sealed: open(json!({ "apiKey": "k" })),
        };
        wishes.push(Wish { key: user.clone(), body: connect.into(), idempotent: false });
        for workflow in WORKFLOWS.into_iter().filter(|workflow| *workflow != BY_DEFAULT) {
            let body = switch(workflow, true);
            wishes.push(Wish { key: user.clone(), body, idempotent: false });
        }
    }
    wishes
}

/// A deploy of the project.
pub(super) fn deploy(document: String) -> Wish {
    let body = ApplyProject { document, secrets: vec![] }.into();
    Wish { key: Key::Project(PROJECT), body, idempotent: false }
}

fn event(random: &SeededRandom) -> Command {
    let sealed = open(json!({ "event": { "n": random.index(10) } }));
    ReceiveEvent { name: EVENT.into(), credential: None, size: 7, sealed }.into()
}

fn request(random: &SeededRandom) -> Command {
    let sealed = open(json!({ "request": { "body": { "n": random.index(10) } } }));
    ReceiveRequest { workflow: BY_REQUEST, credential: None, size: 1, sealed }.into()
}

fn webhook(random: &SeededRandom) -> Wish {
    let verdict = if random.index(6) == 0 { Verdict::Forged } else { Verdict::Verified };
    let body = ReceiveWebhook {
        integration: INTEGRATION,
        verdict,
        delivery: format!("d{}", random.index(40)),
        name: WEBHOOK.into(),
        provider_id: format!("acme{}", random.index(4)),
        credential: None,
        size: 3,
        sealed: open(json!({ "body": { "issue": 1 } })),
    };
    Wish { key: address(), body: body.into(), idempotent: false }
}

fn connect(random: &SeededRandom) -> Command {
    let connect = ConnectCredential {
        integration: INTEGRATION,
        credential: None,
        another: random.index(4) == 0,
        provider_id: format!("acme{}", random.index(3)),
        external_id: String::new(),
        sealed: open(json!({ "apiKey": "k" })),
    };
    connect.into()
}

fn switch(workflow: domain::id::WorkflowId, enabled: bool) -> Command {
    SwitchWorkflow { workflow, credential: None, enabled }.into()
}

// Every caller makes the value on the spot.
#[allow(clippy::needless_pass_by_value)]
fn open(value: serde_json::Value) -> Payload {
    Payload::json(&value)
}

/// The command of a wish as a node's door would append it; `None`: the door cannot now.
pub(super) fn admit(node: &Node, random: &SeededRandom, wish: Wish) -> Option<Sent> {
    let world = &node.world;
    let mut entropy = [0u8; 10];
    world.random.fill(&mut entropy);
    let moment = world.clock.now();
    let fresh = CommandId::fresh(moment, entropy);
    let (id, body_hash) = match (&wish.key, wish.idempotent) {
        (Key::User(project, user), true) => {
            let key = format!("k{}", random.roll());
            (CommandId::idempotent(project, user, wish.body.name(), &key), Some(1))
        }
        _ => (fresh, None),
    };
    let mut body = wish.body;
    seal(node, &wish.key, &mut body)?;
    let config = matches!(body, Command::ApplyProject(_));
    let meta = Meta {
        event_id: EventId(fresh.0),
        project: wish.key.project(),
        key: wish.key.name(),
        execution: None,
        occurred_at: moment,
        actor: Actor::User,
        causation_id: None,
        correlation_id: fresh.0,
        command_id: id,
        body_hash,
        command_offset: -1,
        config_offset: world.feed.current().offset,
        epoch: 0,
        incarnation: 0,
        i: 0,
        n: 1,
    };
    let partition = match config {
        true => Partition::CONFIG,
        false => Partition::commands(wish.key.partition(world.log.partitions())),
    };
    Some(Sent {
        id,
        partition,
        body_hash,
        command: Recorded { meta, body },
        acknowledged: 0,
        answers: Vec::new(),
        waiting: Vec::new(),
    })
}

fn seal(node: &Node, key: &Key, body: &mut Command) -> Option<()> {
    let payload = match body {
        Command::ReceiveEvent(c) => &mut c.sealed,
        Command::ReceiveRequest(c) => &mut c.sealed,
        Command::ReceiveWebhook(c) => &mut c.sealed,
        Command::ConnectCredential(c) => &mut c.sealed,
        Command::DescribeUser(c) => &mut c.sealed,
        Command::ReplayExecution(c) => {
            for kept in &mut c.kept {
                seal_payload(node, key, &mut kept.sealed)?;
            }
            &mut c.sealed
        }
        _ => return Some(()),
    };
    seal_payload(node, key, payload)
}

fn seal_payload(node: &Node, key: &Key, payload: &mut Payload) -> Option<()> {
    if let Payload::Open(clear) = payload {
        let vault = &node.world.vault;
        now(vault.prepare(key)).ok()?;
        *payload = vault.seal(key, clear).ok()?;
    }
    Some(())
}

/// The record of a command; `None`: it cannot be encoded.
pub(super) fn record(command: &Recorded<Command>) -> Option<Record> {
    let value = codec::encode(command).ok()?;
    let kind = codec::schema_id(&value).ok()?;
    let headers = Headers { kind, ..Headers::default() };
    Some(Record { headers, key: Bytes::new(), value: Bytes::from(value) })
}
