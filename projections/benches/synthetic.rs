//! A log of executions that is made while it is read.

use async_trait::async_trait;
use bytes::Bytes;
use domain::codec;
use domain::event::{Ending, Event, ExecutionFinished, ExecutionStarted, TriggerKind};
use domain::id::{
    CommandId, CredentialId, EventId, ExecutionId, IntegrationId, ProjectId, WorkflowId, routed,
};
use domain::key::Key;
use domain::meta::{Actor, Meta, Recorded};
use domain::payload::Payload;
use domain::time::Timestamp;
use ports::{Error, Headers, Log, Offset, Partition, Record, Stored};
use uuid::Uuid;

pub(crate) const PARTITIONS: u16 = 8;
pub(crate) const PROJECT: ProjectId = ProjectId(Uuid::from_u128(1));
pub(crate) const WORKFLOW: WorkflowId = WorkflowId(Uuid::from_u128(10));
/// Every second execution is of this user.
pub(crate) const COMPANY: &str = "company";
/// 2023-02-20T06:21:42.274Z
pub(crate) const BEGIN: i64 = 1_676_874_102_274;
const USERS: u64 = 10_000;
const WORKFLOWS: u64 = 10;
/// One of so many fails.
const RARE: u64 = 10_000;
/// Events of an execution: its start and its end.
const EVENTS: u64 = 2;
const BATCH_EVENTS: u64 = 1_000;

/// Executions at even distances. Those of the large user lie in its partition, and that of the
/// others is chance.
pub(crate) struct Synthetic {
    pub(crate) count: u64,
    pub(crate) span_ms: i64,
}

/// Scatters numbers as ids are scattered.
fn mix(number: u64) -> u64 {
    let z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    z ^ (z >> 32)
}

impl Synthetic {
    fn key(number: u64) -> Key {
        let user = match number % 2 {
            0 => COMPANY.to_owned(),
            _ => format!("user-{}", mix(number) % USERS),
        };
        Key::User(PROJECT, user)
    }

    fn event(&self, number: u64, is_start: bool) -> Stored {
        let key = Self::key(number);
        let parts = i128::from(number) * i128::from(self.span_ms) / i128::from(self.count);
        let at = Timestamp(BEGIN + i64::try_from(parts).unwrap());
        let entropy = (u128::from(mix(number)) << 64 | u128::from(number)).to_be_bytes();
        let execution = ExecutionId(routed(key.hash16(), entropy));
        let workflow = mix(number ^ 0x77) % WORKFLOWS;
        let failed = mix(number ^ 0x99).is_multiple_of(RARE);
        let body = match is_start {
            true => Event::ExecutionStarted(ExecutionStarted {
                execution,
                workflow: WorkflowId(Uuid::from_u128(10 + u128::from(workflow))),
                version: 1,
                integration: IntegrationId(Uuid::from_u128(30 + u128::from(workflow % 3))),
                credential: CredentialId(Uuid::from_u128(2)),
                trigger: TriggerKind::AppEvent,
                trigger_detail: "Order Placed".into(),
                wants_response: false,
                size: 500,
                sealed: Payload::empty(),
            }),
            false => Event::ExecutionFinished(ExecutionFinished {
                execution,
                ending: if failed { Ending::Failed } else { Ending::Succeeded },
                code: String::new(),
                task_count: 1,
            }),
        };
        let offset = i64::try_from(number * EVENTS + u64::from(!is_start)).unwrap();
        Stored { offset, record: record(&key, at, offset, body) }
    }
}

fn record(key: &Key, at: Timestamp, offset: Offset, body: Event) -> Record {
    let meta = Meta {
        event_id: EventId(Uuid::from_u128(3)),
        project: PROJECT,
        key: key.name(),
        execution: body.execution(),
        occurred_at: at,
        actor: Actor::User,
        causation_id: None,
        correlation_id: Uuid::from_u128(4),
        command_id: CommandId(Uuid::from_u128(offset.unsigned_abs().into())),
        body_hash: None,
        command_offset: offset,
        config_offset: 0,
        epoch: 0,
        incarnation: 0,
        i: 0,
        n: 1,
    };
    let value = codec::encode(&Recorded { meta, body }).unwrap();
    let headers = Headers { kind: codec::schema_id(&value).unwrap(), n: 1, ..Headers::default() };
    Record { headers, key: Bytes::new(), value: Bytes::from(value) }
}

#[async_trait]
impl Log for Synthetic {
    fn partitions(&self) -> u16 {
        PARTITIONS
    }

    fn identity(&self) -> Uuid {
        Uuid::from_u128(5)
    }

    fn exclusive(&self) -> bool {
        true
    }

    async fn append(&self, _: Vec<(Partition, Record)>) -> Result<Vec<Offset>, Error> {
        Err(Error::Unavailable("nothing is kept".into()))
    }

    /// Starts and ends of as many executions as make a batch.
    async fn read(&self, of: Partition, from: Offset, _: usize) -> Result<Vec<Stored>, Error> {
        let mut number = from.unsigned_abs().div_ceil(EVENTS);
        let mut batch = Vec::new();
        while number < self.count && (batch.len() as u64) < BATCH_EVENTS {
            if Self::key(number).partition(PARTITIONS) == of.number {
                batch.push(self.event(number, true));
                batch.push(self.event(number, false));
            }
            number += 1;
        }
        Ok(batch)
    }

    async fn changed(&self, _: Partition, _: Offset) -> Result<(), Error> {
        Ok(())
    }

    async fn end(&self, _: Partition) -> Result<Offset, Error> {
        Ok(i64::try_from(self.count * EVENTS).unwrap())
    }
}
