//! Envelopes, and records of the log.

use super::Held;
use crate::world::World;
use bytes::Bytes;
use domain::cluster::Notice;
use domain::codec::{self, Family};
use domain::command::Command;
use domain::effect::Tell;
use domain::event::{Event, OwnershipClaimed};
use domain::id::{CommandId, EventId, ExecutionId};
use domain::key::Key;
use domain::meta::{Actor, Meta, Recorded};
use domain::run::Owner as Holder;
use domain::time::Timestamp;
use ports::{Error, Headers, Record};
use uuid::Uuid;

/// A record of the log.
pub(crate) fn record<F: Family>(recorded: &Recorded<F>) -> Result<Record, Error> {
    let value = codec::encode(recorded).map_err(|error| Error::Corrupt(error.to_string()))?;
    let headers = Headers {
        kind: recorded.body.schema().id,
        epoch: recorded.meta.epoch,
        incarnation: recorded.meta.incarnation,
        i: recorded.meta.i,
        n: recorded.meta.n,
    };
    Ok(Record { headers, key: Bytes::new(), value: Bytes::from(value) })
}

/// What a node says about itself, kept by compaction until it says the next thing.
pub(crate) fn notice(world: &World, node: &str, body: Notice) -> Result<Record, Error> {
    let now = world.clock.now();
    let meta = Meta::keyless(EventId::fresh(now, world.entropy()), now);
    let key = Bytes::copy_from_slice(node.as_bytes());
    Ok(Record { key, ..record(&Recorded { meta, body })? })
}

pub(super) fn claim_record(
    world: &World,
    node: &str,
    claim: Holder,
    now: Timestamp,
) -> Recorded<Event> {
    let meta = Meta {
        config_offset: world.feed.current().offset,
        epoch: claim.epoch,
        incarnation: claim.incarnation,
        ..Meta::keyless(EventId::fresh(now, world.entropy()), now)
    };
    Recorded { meta, body: Event::OwnershipClaimed(OwnershipClaimed { node: node.to_owned() }) }
}

/// What the owner says of its own work.
pub(super) fn own_event(world: &World, held: &mut Held, body: Event) -> Recorded<Event> {
    held.count += 1;
    let id = EventId::fresh(held.now, counted(held.count, world.entropy()));
    let holder = held.filter.owner();
    let meta = Meta {
        config_offset: world.feed.current().offset,
        epoch: holder.epoch,
        incarnation: holder.incarnation,
        ..Meta::keyless(id, held.now)
    };
    Recorded { meta, body }
}

/// What a decision is about: its command's envelope, where that stands, and the configuration used.
pub(super) struct About<'a> {
    pub(super) meta: &'a Meta,
    pub(super) offset: i64,
    pub(super) config_offset: i64,
}

/// The envelope of a command whose own cannot be read: it belongs to no one.
pub(super) fn unknown(offset: i64) -> Meta {
    let id = Uuid::from_u64_pair(0, offset.unsigned_abs());
    Meta::keyless(EventId(id), Timestamp(0))
}

/// The decision on a command, with envelopes.
pub(super) fn stamp(
    world: &World,
    held: &mut Held,
    about: &About<'_>,
    events: Vec<Event>,
) -> Vec<Recorded<Event>> {
    let n = events.len() as i32;
    let (cause, holder, now) = (about.meta, held.filter.owner(), held.now);
    events
        .into_iter()
        .enumerate()
        .map(|(i, body)| {
            held.count += 1;
            let meta = Meta {
                event_id: EventId::fresh(now, counted(held.count, world.entropy())),
                project: cause.project,
                key: cause.key.clone(),
                execution: body.execution(),
                occurred_at: now,
                actor: cause.actor,
                causation_id: Some(cause.event_id.0),
                correlation_id: cause.correlation_id,
                command_id: cause.command_id,
                body_hash: cause.body_hash,
                command_offset: about.offset,
                config_offset: about.config_offset,
                epoch: holder.epoch,
                incarnation: holder.incarnation,
                i: i as i32,
                n,
            };
            Recorded { meta, body }
        })
        .collect()
}

/// Entropy for a UUIDv7 whose highest 26 free bits count, so that ids of one millisecond rise.
fn counted(count: u32, mut entropy: [u8; 10]) -> [u8; 10] {
    entropy[0] = (count >> 22) as u8 & 0x0f;
    entropy[1] = (count >> 14) as u8;
    entropy[2] = (count >> 8) as u8 & 0x3f;
    entropy[3] = count as u8;
    entropy
}

/// Who caused a command of Millrace's own.
pub(crate) struct Cause {
    pub(crate) causation_id: Option<Uuid>,
    pub(crate) correlation_id: Uuid,
    pub(crate) execution: Option<ExecutionId>,
}

/// A command of Millrace's own.
pub(crate) fn own_command(
    world: &World,
    key: &Key,
    id: CommandId,
    cause: &Cause,
    body: Command,
) -> Recorded<Command> {
    let now = world.clock.now();
    let meta = Meta {
        event_id: EventId::fresh(now, world.entropy()),
        project: key.project(),
        key: key.name(),
        execution: cause.execution,
        occurred_at: now,
        actor: Actor::System,
        causation_id: cause.causation_id,
        correlation_id: cause.correlation_id,
        command_id: id,
        body_hash: None,
        command_offset: -1,
        config_offset: world.feed.current().offset,
        epoch: 0,
        incarnation: 0,
        i: 0,
        n: 1,
    };
    Recorded { meta, body }
}

/// The command that a Tell appends.
pub(super) fn told(world: &World, cause: &Recorded<Event>, tell: Tell) -> Recorded<Command> {
    let why = Cause {
        causation_id: Some(cause.meta.event_id.0),
        correlation_id: cause.meta.correlation_id,
        execution: None,
    };
    own_command(world, &tell.to, tell.id, &why, tell.command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_millisecond_rise() {
        let ids: Vec<EventId> = [1, 2, 255, 256, 16_383, 16_384, 70_000, 5_000_000, 60_000_000]
            .map(|count| EventId::fresh(Timestamp(9), counted(count, [0xff; 10])))
            .to_vec();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
    }
}
