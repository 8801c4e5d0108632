//! The envelope: the first field of every record.

use crate::id::{CommandId, EventId, ExecutionId, ProjectId};
use crate::key::Key;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Who wanted it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "Actor", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Actor {
    /// The connected user, by user token.
    User,
    /// The customer's team, by admin or API key.
    Team,
    /// A provider, by webhook.
    Provider,
    /// Millrace itself.
    System,
}

/// What every record says about itself. `schemas/meta.1.avsc`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "Meta")]
pub struct Meta {
    /// This record (UUIDv7).
    pub event_id: EventId,
    /// The project it belongs to.
    pub project: ProjectId,
    /// The key it belongs to, as [`Key::name`] writes it.
    pub key: String,
    /// The execution it belongs to.
    pub execution: Option<ExecutionId>,
    /// When it happened, by its owner's clock; never before its predecessor in the partition.
    pub occurred_at: Timestamp,
    /// Who wanted it.
    pub actor: Actor,
    /// The record that caused this one.
    pub causation_id: Option<Uuid>,
    /// The record at the start of the chain of causes.
    pub correlation_id: Uuid,
    /// The command that was decided, or this command itself.
    pub command_id: CommandId,
    /// Hash of the body that came with an `Idempotency-Key`; null without one.
    pub body_hash: Option<i64>,
    /// Where that command stands in `commands`; -1 on a command, and if it was handed to
    /// the owner.
    pub command_offset: i64,
    /// The offset of `config` that the door had seen (command) or that was used (event).
    pub config_offset: i64,
    /// The epoch of the owner; 0 on a command.
    pub epoch: i64,
    /// The life of the owner (random); 0 on a command.
    pub incarnation: i64,
    /// Position in the decision, from 0.
    pub i: i32,
    /// Number of events in the decision.
    pub n: i32,
}

impl Meta {
    /// The envelope of a record of Millrace's own that belongs to no key.
    pub fn keyless(event_id: EventId, occurred_at: Timestamp) -> Self {
        Self {
            event_id,
            project: ProjectId(Uuid::nil()),
            key: String::new(),
            execution: None,
            occurred_at,
            actor: Actor::System,
            causation_id: None,
            correlation_id: event_id.0,
            command_id: CommandId(event_id.0),
            body_hash: None,
            command_offset: -1,
            config_offset: -1,
            epoch: 0,
            incarnation: 0,
            i: 0,
            n: 1,
        }
    }

    /// Whether an event decides a command that stands in `commands`.
    pub fn has_command(&self) -> bool {
        self.command_offset >= 0
    }

    /// The key, parsed. `None` means that the record was written by something newer.
    pub fn parsed_key(&self) -> Option<Key> {
        Key::parse(&self.key)
    }
}

/// A record with its envelope.
#[derive(Clone, PartialEq, Debug)]
pub struct Recorded<T> {
    /// The envelope.
    pub meta: Meta,
    /// What happened or is wanted.
    pub body: T,
}
