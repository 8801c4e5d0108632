//! Commands that were parked, and what became of them.

use super::{HistoryReader, PARKED};
use crate::runner::{Loaded, Standing};
use bytes::{BufMut, Bytes, BytesMut};
use domain::codec;
use domain::command::Command;
use domain::decide;
use domain::event::Event;
use domain::id::{EventId, ProjectId};
use domain::meta::Recorded;
use domain::view::Parked;
use ports::{Error, Partition, Table};

/// Parked commands that are shown, at most, of each partition. Each cost two nodes their lives.
const SHOWN_MAX: usize = 1_000;

fn parked_key(partition: u16, project: ProjectId, id: EventId) -> Bytes {
    let mut key = BytesMut::with_capacity(34);
    key.put_u16(partition);
    key.put_slice(project.bytes());
    key.put_slice(id.bytes());
    key.freeze()
}

pub(super) fn touched(partition: u16, events: &[Standing]) -> impl Iterator<Item = (Table, Bytes)> {
    events.iter().filter_map(move |(_, event)| match &event.body {
        Event::ParkedSettled(e) => {
            Some((PARKED, parked_key(partition, event.meta.project, e.parked)))
        }
        _ => None,
    })
}

pub(super) fn fold(
    partition: u16,
    rows: &mut Loaded,
    event: &Recorded<Event>,
) -> Result<(), Error> {
    let (project, at) = (event.meta.project, event.meta.occurred_at);
    match &event.body {
        Event::CommandRejected(e) if e.code == decide::PARKED => {
            let row = Parked {
                id: event.meta.event_id,
                parked_at: at,
                command: e.command.clone(),
                key: event.meta.key.clone(),
                execution: event.meta.execution,
                reason: e.reason.clone(),
                partition,
                offset: event.meta.command_offset,
                settled: None,
            };
            rows.put(PARKED, parked_key(partition, project, row.id), &row)
        }
        Event::ParkedSettled(e) => {
            let key = parked_key(partition, project, e.parked);
            let Some(mut row) = rows.get::<Parked>(PARKED, &key)? else { return Ok(()) };
            // Who came first has settled it.
            row.settled.get_or_insert((e.settlement, at));
            rows.put(PARKED, key, &row)
        }
        _ => Ok(()),
    }
}

impl HistoryReader {
    /// The project's commands that were parked, newest first, also settled ones.
    ///
    /// # Errors
    /// As [`HistoryReader::list`].
    pub async fn parked(&self, project: ProjectId) -> Result<Vec<Parked>, Error> {
        let mut parked: Vec<Parked> = self.of_project(PARKED, project, SHOWN_MAX).await?;
        parked.sort_by_key(|row| std::cmp::Reverse((row.parked_at, row.id)));
        parked.truncate(SHOWN_MAX);
        Ok(parked)
    }

    /// A parked command as it stands in the log; `None` if the log has forgotten it.
    ///
    /// # Errors
    /// As [`HistoryReader::list`].
    pub async fn command(&self, parked: &Parked) -> Result<Option<Recorded<Command>>, Error> {
        let partition = Partition::commands(parked.partition);
        let found = match self.log.read(partition, parked.offset, 1).await {
            Ok(found) => found,
            // It stood there: what the log has not now is behind what retention kept.
            Err(Error::Corrupt(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let stored = found.into_iter().find(|stored| stored.offset == parked.offset);
        let command = stored.map(|stored| codec::decode(&stored.record.value)).transpose();
        command.map_err(|error| Error::Corrupt(format!("command at {}: {error}", parked.offset)))
    }
}
