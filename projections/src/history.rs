//! Task History: every execution, what its steps took in and gave, and what they are metered as.

mod control;
mod fold;
mod index;
mod parked;
mod read;
mod replays;
mod search;
mod starts;
mod tally;
mod usage;

pub use read::HistoryReader;
pub(crate) use replays::Span;

use crate::runner::{Loaded, Projection, Standing};
use bytes::{BufMut, Bytes, BytesMut};
use domain::event::Event;
use domain::id::ExecutionId;
use domain::meta::Recorded;
use ports::{Error, Table};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Executions with their steps.
pub const RUNS: Table = Table("history.run");
/// Which events hold what the attempts of steps took in and gave, by their offsets.
pub const CONTENTS: Table = Table("history.contents");
/// The runs of the items of fan outs, by the run and step that fan out and their place.
pub const ITEMS: Table = Table("history.item");
/// The run that the run of an item is within.
pub const PARENTS: Table = Table("history.parent");
/// Replays of many, by project, replay and integration.
pub const REPLAYS: Table = Table("history.replay");
/// Commands that were parked, by project and record.
pub const PARKED: Table = Table("history.parked");
/// Executions in the order of their start, by project and again by user.
pub const STARTS: Table = Table("history.start");
/// How many executions began in each span of time, by project and again by user.
pub const COUNTS: Table = Table("history.count");

/// The projection.
pub struct History;

impl Projection for History {
    fn name(&self) -> &'static str {
        "history"
    }

    fn version(&self) -> u32 {
        // 2: counts, and starts by user. 3: what is repeated, paused, and used.
        // 4: tests. 5: parked commands.
        5
    }

    fn tables(&self) -> &'static [Table] {
        &[
            RUNS,
            CONTENTS,
            ITEMS,
            PARENTS,
            REPLAYS,
            PARKED,
            STARTS,
            COUNTS,
            usage::TASKS,
            usage::MONTHS,
            usage::CONNECTED,
        ]
    }

    fn touches(&self, partition: u16, events: &[Standing]) -> Vec<(Table, Bytes)> {
        let mut begun = BTreeSet::new();
        let mut wanted = BTreeSet::new();
        for (_, event) in events {
            let Some(id) = event.body.execution() else { continue };
            match &event.body {
                Event::ExecutionStarted(_) => begun.insert(id),
                Event::ItemStarted(e) => {
                    begun.insert(id);
                    !begun.contains(&e.parent) && wanted.insert(e.parent)
                }
                Event::ItemFinished(e) => {
                    let is_new = !begun.contains(&id) && wanted.insert(id);
                    !begun.contains(&e.parent) && wanted.insert(e.parent) || is_new
                }
                // Nothing is there of what begins in these events.
                _ => !begun.contains(&id) && wanted.insert(id),
            };
        }
        let runs = wanted.into_iter().map(|id| (RUNS, run_key(partition, id)));
        let runs = runs.chain(replays::touched(partition, events));
        let runs = runs.chain(parked::touched(partition, events));
        runs.chain(usage::touched(partition, events)).collect()
    }

    fn fold(&self, partition: u16, rows: &mut Loaded, events: &[Standing]) -> Result<(), Error> {
        fold::Folding::new(partition, rows).fold(events)
    }
}

/// The user that an execution is of; empty if it is of none.
fn user_of(event: &Recorded<Event>) -> String {
    let key = event.meta.parsed_key();
    key.and_then(|key| key.user().map(str::to_owned)).unwrap_or_default()
}

fn run_key(partition: u16, id: ExecutionId) -> Bytes {
    let mut key = BytesMut::with_capacity(18);
    key.put_u16(partition);
    key.put_slice(id.bytes());
    key.freeze()
}

/// Items of a step's fan out stand in their order.
fn item_key(partition: u16, parent: ExecutionId, index: i32, number: i32) -> Bytes {
    let mut key = BytesMut::from(&run_key(partition, parent)[..]);
    key.put_i32(index);
    key.put_i32(number);
    key.freeze()
}

/// An attempt counts from 1.
fn contents_key(partition: u16, id: ExecutionId, step: &Uuid, attempt: i32) -> Bytes {
    let mut key = BytesMut::with_capacity(38);
    key.put_u16(partition);
    key.put_slice(id.bytes());
    key.put_slice(step.as_bytes());
    key.put_i32(attempt);
    key.freeze()
}

fn decode<R: DeserializeOwned>(bytes: &[u8]) -> Result<R, Error> {
    postcard::from_bytes(bytes)
        .map_err(|error| Error::Corrupt(format!("a row of history does not decode: {error}")))
}
