//! Everything that is in the log at the end, decoded, and what of it stands.
//!
//! What stands is worked out here a second time, over the whole log at once and not record by
//! record, so that a mistake in the filter of the code under test shows.

use super::invariant::Breach;
use super::poll::now;
use domain::codec::{self, Family};
use domain::command::Command;
use domain::event::{Event, StepsStarted};
use domain::meta::{Meta, Recorded};
use ports::model::log::ModelLog;
use ports::{Log, Stored};
use projections::Seat;

/// An event with its offset.
pub(super) type Placed<T> = (i64, Recorded<T>);

/// One partition, whole.
pub(super) struct Part {
    pub(super) seat: Seat,
    pub(super) commands: Vec<Placed<Command>>,
    /// Every record of `events`, also those that do not stand.
    pub(super) events: Vec<Placed<Event>>,
    /// The complete decisions that stand, claims apart.
    pub(super) runs: Vec<Vec<Placed<Event>>>,
    /// The claims that won.
    pub(super) reigns: Vec<Reign>,
    /// What owners said that they let begin, while they owned the partition.
    pub(super) begun: Vec<Placed<StepsStarted>>,
    /// Where owners said, while they owned the partition, that decisions may name no command.
    pub(super) admitted: Vec<i64>,
}

/// What one owner may write, from its claim to the next.
#[derive(Clone, Copy)]
pub(super) struct Reign {
    pub(super) from: i64,
    pub(super) epoch: i64,
    pub(super) incarnation: i64,
}

impl Part {
    pub(super) fn read(log: &ModelLog, seat: Seat) -> Result<Self, Breach> {
        let commands = decoded(&all(log, seat.commands)?, Command::has)?;
        let events: Vec<Placed<Event>> = decoded(&all(log, seat.events)?, Event::has)?;
        let reigns = reigns(&events);
        let (runs, begun) = (runs(&events, &reigns), begun(&events, &reigns));
        let admits = |(offset, event): &&Placed<Event>| {
            let is_admission = matches!(event.body, Event::OutcomesAdmitted(_));
            is_admission && stands(&reigns, *offset, &event.meta)
        };
        let admitted = events.iter().filter(admits).map(|(offset, _)| *offset).collect();
        Ok(Self { seat, commands, events, runs, reigns, begun, admitted })
    }
}

fn all(log: &ModelLog, partition: ports::Partition) -> Result<Vec<Stored>, Breach> {
    now(log.read(partition, 0, usize::MAX))
        .map_err(|error| Breach::new("the log can be read", "records", error))
}

fn decoded<F: Family>(
    stored: &[Stored],
    wanted: impl Fn(u32) -> bool,
) -> Result<Vec<Placed<F>>, Breach> {
    let records = stored.iter().filter(|stored| wanted(stored.record.headers.kind));
    let decoded = records.map(|stored| {
        let record = codec::decode::<F>(&stored.record.value);
        record.map(|record| (stored.offset, record))
    });
    decoded
        .collect::<Result<_, _>>()
        .map_err(|error| Breach::new("every record decodes", "a record", error))
}

fn reigns(events: &[Placed<Event>]) -> Vec<Reign> {
    let mut reigns = vec![Reign { from: -1, epoch: 0, incarnation: 0 }];
    for (offset, event) in events {
        let (epoch, incarnation) = (event.meta.epoch, event.meta.incarnation);
        let highest = reigns.iter().map(|reign| reign.epoch).max().unwrap_or(0);
        if matches!(event.body, Event::OwnershipClaimed(_)) && epoch > highest {
            reigns.push(Reign { from: *offset, epoch, incarnation });
        }
    }
    reigns
}

fn runs(events: &[Placed<Event>], reigns: &[Reign]) -> Vec<Vec<Placed<Event>>> {
    let mut found: Vec<Vec<Placed<Event>>> = Vec::new();
    for (number, reign) in reigns.iter().enumerate() {
        let until = reigns.get(number + 1).map_or(i64::MAX, |next| next.from);
        let own: Vec<&Placed<Event>> = events
            .iter()
            .filter(|(offset, _)| reign.from < *offset && *offset < until)
            .filter(|(_, e)| (e.meta.epoch, e.meta.incarnation) == (reign.epoch, reign.incarnation))
            .filter(|(_, e)| !e.body.is_of_owner())
            .collect();
        for start in 0..own.len() {
            let n = usize::try_from(own[start].1.meta.n).unwrap_or(0);
            let Some(run) = own.get(start..start + n) else { continue };
            if complete(run) && follows(&own[start].1.meta, &found) {
                found.push(run.iter().map(|placed| (*placed).clone()).collect());
            }
        }
    }
    found
}

/// Whether a decision was not appended before: commands are decided in their order, and what names
/// no command has an id above those before it.
fn follows(first: &Meta, found: &[Vec<Placed<Event>>]) -> bool {
    if first.command_offset < 0 {
        let last = found.last().and_then(|run| run.last());
        return last.is_none_or(|(_, event)| event.meta.event_id < first.event_id);
    }
    let mut decided = found.iter().rev().map(|run| run[0].1.meta.command_offset);
    decided.find(|offset| *offset >= 0).is_none_or(|offset| offset < first.command_offset)
}

/// Whether it was written by who owned the partition there.
fn stands(reigns: &[Reign], offset: i64, meta: &Meta) -> bool {
    let reign = reigns.iter().rev().find(|reign| reign.from < offset);
    let mine = (meta.epoch, meta.incarnation);
    reign.is_some_and(|reign| (reign.epoch, reign.incarnation) == mine)
}

fn begun(events: &[Placed<Event>], reigns: &[Reign]) -> Vec<Placed<StepsStarted>> {
    let begun = events.iter().filter_map(|(offset, event)| match &event.body {
        Event::StepsStarted(body) if stands(reigns, *offset, &event.meta) => {
            let recorded = Recorded { meta: event.meta.clone(), body: body.clone() };
            Some((*offset, recorded))
        }
        _ => None,
    });
    begun.collect()
}

fn complete(run: &[&Placed<Event>]) -> bool {
    let Some((_, first)) = run.first() else { return false };
    run.iter().enumerate().all(|(i, (_, event))| {
        event.meta.i == i as i32 && event.meta.command_id == first.meta.command_id
    })
}
