//! From a wish to a record of the log, and to its answer.

use crate::door::Door;
use crate::layer;
use crate::problem::{BACKLOG_FULL, DECISION_LATE, INTERNAL, LEVEL_TOO_LOW, Outcome, Problem};
use bytes::Bytes;
use domain::answer::Answer;
use domain::codec::{self, Family};
use domain::command::Command;
use domain::id::{CommandId, EventId};
use domain::key::Key;
use domain::meta::{Actor, Meta, Recorded};
use ports::answers::Waiting;
use ports::backlog::Place;
use ports::{Asked, Headers, Partition, Record};
use std::time::Duration;

/// A request to change something, addressed.
pub(crate) struct Wish {
    /// Whose it is.
    pub(crate) key: Key,
    /// Who wants it.
    pub(crate) actor: Actor,
    /// Its identity: a repeat has the same.
    pub(crate) identity: Identity,
    /// What is wanted.
    pub(crate) command: Command,
}

/// What makes a repeat of a command recognisable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Identity {
    /// The command's id.
    pub(crate) id: CommandId,
    /// Hash of the body that came with an `Idempotency-Key`; `None` without one.
    pub(crate) body_hash: Option<i64>,
}

impl Identity {
    /// What its caller waits for.
    pub(crate) fn asked(&self) -> Asked {
        Asked { command: self.id, body_hash: self.body_hash }
    }

    /// Whether the caller gave a key, so that its answer may be that of an earlier request.
    pub(crate) fn is_keyed(&self) -> bool {
        self.body_hash.is_some()
    }
}

/// A wish as a record that is about to be appended.
pub(crate) struct Entry {
    partition: Partition,
    record: Record,
    /// Its place among what its tenant has waiting.
    place: Place,
}

/// Schemas from here on came after the first builds; those before it every build reads.
const LEVELLED_FROM: u32 = 310;

impl Door {
    /// The identity of a command that no one can repeat.
    pub(crate) fn fresh(&self) -> Identity {
        let id = CommandId::fresh(self.now(), self.entropy());
        Identity { id: id.led_to_by(layer::runs_before()), body_hash: None }
    }

    /// The wish as a record, unless its tenant has too much waiting.
    pub(crate) fn entry(&self, wish: Wish) -> Outcome<Entry> {
        let id = wish.command.schema().id;
        if id >= LEVELLED_FROM && !self.app.level.allows(id) {
            return Err(LEVEL_TOO_LOW.plain());
        }
        let ms_max = match wish.command {
            Command::ReceiveEvent(_) | Command::ReceiveRequest(_) | Command::ReceiveWebhook(_) => {
                self.app.limits.tenant_lag_ms_max
            }
            // What is not work itself always gets through.
            _ => u64::MAX,
        };
        let place = self.app.backlog.enter(&wish.key, ms_max);
        let place = place.map_err(|lag_ms| BACKLOG_FULL.plain().after_ms(lag_ms - ms_max))?;
        let partition = self.partition(&wish.key);
        Ok(Entry { partition, record: encoded(&self.recorded(wish))?, place })
    }

    /// A command that stands in the log, as a new one; a repeat of the same cause has the same id.
    pub(crate) fn again(&self, command: Recorded<Command>, cause: EventId) -> Outcome<Entry> {
        let Recorded { meta, body } = command;
        let key = meta.parsed_key().ok_or_else(|| INTERNAL.plain())?;
        let id = CommandId::derived(&cause.0, &key, 0);
        let (partition, place) = (self.partition(&key), self.app.backlog.enter(&key, u64::MAX));
        let place = place.map_err(|_| INTERNAL.plain())?;
        let identity = Identity { id, body_hash: None };
        let mut recorded = self.recorded(Wish { key, actor: meta.actor, identity, command: body });
        recorded.meta.execution = meta.execution;
        recorded.meta.causation_id = Some(cause.0);
        recorded.meta.correlation_id = meta.correlation_id;
        Ok(Entry { partition, record: encoded(&recorded)?, place })
    }

    /// Where the commands of a key go.
    fn partition(&self, key: &Key) -> Partition {
        match key {
            Key::Project(_) => Partition::CONFIG,
            key => Partition::commands(key.partition(self.app.log.partitions())),
        }
    }

    fn recorded(&self, wish: Wish) -> Recorded<Command> {
        let now = self.now();
        let event_id = EventId::fresh(now, self.entropy());
        let meta = Meta {
            event_id,
            project: wish.key.project(),
            key: wish.key.name(),
            execution: None,
            occurred_at: now,
            actor: wish.actor,
            causation_id: None,
            correlation_id: layer::current().unwrap_or(event_id.0),
            command_id: wish.identity.id,
            body_hash: wish.identity.body_hash,
            command_offset: -1,
            config_offset: self.config().offset,
            epoch: 0,
            incarnation: 0,
            i: 0,
            n: 1,
        };
        Recorded { meta, body: wish.command }
    }

    /// Makes the wish durable. What becomes of it is decided later.
    pub(crate) async fn append(&self, wish: Wish) -> Outcome<()> {
        self.append_all(vec![self.entry(wish)?]).await
    }

    /// Makes several wishes durable in one go.
    pub(crate) async fn append_all(&self, entries: Vec<Entry>) -> Outcome<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let (mut records, mut places) = (Vec::new(), Vec::new());
        for Entry { partition, record, place } in entries {
            records.push((partition, record));
            places.push(place);
        }
        self.app.log.append(records).await.map_err(Problem::from)?;
        places.into_iter().for_each(Place::keep);
        Ok(())
    }

    /// Makes the wish durable and waits until it is decided.
    pub(crate) async fn decide(&self, wish: Wish) -> Outcome<Answer> {
        self.decide_after(Vec::new(), wish).await
    }

    /// Makes the wish durable in one go with others that come before it, and waits until it is
    /// decided.
    pub(crate) async fn decide_after(&self, mut first: Vec<Entry>, wish: Wish) -> Outcome<Answer> {
        let waiting = self.app.answers.wait(wish.identity.asked());
        first.push(self.entry(wish)?);
        self.append_all(first).await?;
        self.answer(waiting, self.app.limits.decision_timeout_ms)
            .await
            .unwrap_or_else(|| Err(DECISION_LATE.plain()))
    }

    /// The answer, or `None` when it takes too long.
    pub(crate) async fn answer(&self, waiting: Waiting, wait_ms: u64) -> Option<Outcome<Answer>> {
        let answer = tokio::time::timeout(Duration::from_millis(wait_ms), waiting).await.ok()?;
        Some(match answer {
            Answer::Rejected { code, reason } => Err(Problem::refused(&code, reason)),
            answer => Ok(answer),
        })
    }

    fn entropy(&self) -> [u8; 10] {
        let mut bytes = [0u8; 10];
        self.app.random.fill(&mut bytes);
        bytes
    }
}

fn encoded(recorded: &Recorded<Command>) -> Outcome<Record> {
    let value = codec::encode(recorded).map_err(|error| {
        tracing::error!(%error, "a command cannot be encoded");
        INTERNAL.plain()
    })?;
    let headers = Headers { kind: recorded.body.schema().id, n: 1, ..Headers::default() };
    Ok(Record { headers, key: Bytes::new(), value: Bytes::from(value) })
}
