//! An owner of every partition in one: decides with the real deciders, keeps rows in memory.

use domain::answer::{self, Answer};
use domain::codec::{self, Family};
use domain::command::Command;
use domain::decide::{Given, Missing, Open, decide};
use domain::event::Event;
use domain::id::{CommandId, EventId};
use domain::key::Key;
use domain::meta::{Actor, Meta, Recorded};
use domain::payload::Payload;
use domain::state::{Lineage, Rows, fold};
use domain::workflow::Scope;
use domain::workflow::reference::Needs;
use ports::model::log::ModelLog;
use ports::{Answers, Asked, Clock, Feed, Headers, Log, Partition, Record, Vault};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An owner of every partition.
pub(crate) struct Owner {
    pub(crate) log: Arc<ModelLog>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) feed: Arc<Feed>,
    pub(crate) answers: Answers,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rows: Rows,
    pub(crate) decided: Vec<CommandId>,
    next: BTreeMap<Partition, i64>,
    count: u64,
}

struct Opener<'a>(&'a Vault, Option<Key>);

impl Open for Opener<'_> {
    fn scope(&mut self, lineage: &Lineage<'_>, _: &Needs) -> Result<Scope, Missing> {
        let key = self.1.clone().ok_or(Missing)?;
        let clear = self.0.open(&key, lineage.trigger_output()).map_err(|_| Missing)?;
        let trigger = serde_json::from_slice(&clear).map_err(|_| Missing)?;
        Ok(Scope { trigger, ..Scope::default() })
    }

    fn json(&mut self, key: &Key, payload: &Payload) -> Result<Value, Missing> {
        let clear = self.0.open(key, payload).map_err(|_| Missing)?;
        serde_json::from_slice(&clear).map_err(|_| Missing)
    }
}

impl Owner {
    pub(crate) fn new(
        log: Arc<ModelLog>,
        vault: Arc<Vault>,
        feed: Arc<Feed>,
        answers: Answers,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (rows, next) = (Rows::default(), BTreeMap::new());
        Self { log, vault, feed, answers, clock, rows, decided: Vec::new(), next, count: 0 }
    }

    /// Decides whatever is in the log.
    pub(crate) async fn turn(&mut self) {
        let commands = (0..self.log.partitions()).map(Partition::commands);
        for partition in std::iter::once(Partition::CONFIG).chain(commands) {
            let from = self.next.get(&partition).copied().unwrap_or(0);
            for stored in self.log.read(partition, from, 64 * 1024 * 1024).await.unwrap() {
                self.next.insert(partition, stored.offset + 1);
                if Command::has(stored.record.headers.kind) {
                    let command = codec::decode::<Command>(&stored.record.value).unwrap();
                    self.decide(partition, stored.offset, &command).await;
                }
            }
        }
    }

    async fn decide(&mut self, from: Partition, offset: i64, command: &Recorded<Command>) {
        self.feed.refresh().await.unwrap();
        let config = self.feed.current();
        assert!(config.offset >= command.meta.config_offset, "the door saw what is not there");
        let key = command.meta.parsed_key();
        let now = self.clock.now();
        let given = Given {
            rows: &self.rows,
            config: &config,
            now,
            partitions: self.log.partitions(),
            schema_max: u32::MAX,
        };
        let mut opener = Opener(&self.vault, key.clone());
        let events = decide(&given, &mut opener, command).unwrap();
        let mut run = self.stamped(command, offset, events);
        for recorded in &mut run {
            if let Some(payload) = recorded.body.payload_mut()
                && let Payload::Open(clear) = payload.clone()
            {
                *payload = self.vault.store(key.as_ref().unwrap(), &clear).await.unwrap();
            }
        }
        let to = if from == Partition::CONFIG { from } else { Partition::events(from.number) };
        let records = run.iter().map(|recorded| (to, record(recorded))).collect();
        self.log.append(records).await.unwrap();
        let id = command.meta.command_id;
        let seen = self.rows.seen(id).cloned();
        fold(&mut self.rows, &run);
        self.decided.push(id);
        let bodies: Vec<Event> = run.into_iter().map(|recorded| recorded.body).collect();
        let answer = match (&bodies[0], seen) {
            (Event::CommandRepeated(_), Some(seen)) => seen.answer,
            _ => answer::of(&bodies),
        };
        self.tell(Asked::of(&command.meta), answer);
    }

    fn tell(&self, asked: Asked, answer: Option<Answer>) {
        if let Some(answer) = answer {
            self.answers.tell(asked, &answer);
        }
    }

    fn stamped(
        &mut self,
        command: &Recorded<Command>,
        offset: i64,
        events: Vec<Event>,
    ) -> Vec<Recorded<Event>> {
        let n = i32::try_from(events.len()).unwrap();
        let cause = &command.meta;
        let stamp = |(i, body): (usize, Event)| {
            self.count += 1;
            let mut entropy = [0u8; 10];
            entropy[2..].copy_from_slice(&self.count.to_be_bytes());
            let meta = Meta {
                event_id: EventId::fresh(self.clock.now(), entropy),
                execution: body.execution(),
                occurred_at: self.clock.now(),
                actor: Actor::System,
                causation_id: Some(cause.event_id.0),
                command_offset: offset,
                config_offset: self.feed.current().offset,
                i: i32::try_from(i).unwrap(),
                n,
                ..cause.clone()
            };
            Recorded { meta, body }
        };
        events.into_iter().enumerate().map(stamp).collect()
    }
}

fn record(recorded: &Recorded<Event>) -> Record {
    let headers = Headers {
        kind: recorded.body.schema().id,
        i: recorded.meta.i,
        n: recorded.meta.n,
        ..Headers::default()
    };
    let value = codec::encode(recorded).unwrap().into();
    Record { headers, key: bytes::Bytes::new(), value }
}
