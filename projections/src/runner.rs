//! The only loop that folds events into rows for readers.
//!
//! It reads through the epoch filter, folds, and commits the rows together with how far they are.
//! A projection is a name, the rows that an event touches, and a fold. Rows that a crash takes
//! back take their checkpoint back with them, so folding goes on where the rows are.

mod checkpoint;
mod rows;

pub use checkpoint::{CHECKPOINTS, Kept, applied, checkpoint_key, clear, kept, renew};
pub use rows::Loaded;

use crate::owner::Seat;
use crate::world::World;
use bytes::Bytes;
use checkpoint::Checkpoint;
use domain::codec;
use domain::event::Event;
use domain::meta::Recorded;
use domain::payload::Payload;
use domain::run::Filter;
use ports::{Error, Log, Offset, Partition, Store, Table};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Bytes of events folded in one go.
const BATCH_BYTES_MAX: usize = 1024 * 1024;
/// How long records are let gather before they are folded: a short run then is one row, written
/// once. They also become durable meanwhile.
const SETTLE: Duration = Duration::from_millis(20);
/// The longest sleep between looks at the log.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// An event that stands, and where.
pub type Standing = (Offset, Recorded<Event>);

/// What makes rows out of events.
pub trait Projection: Send + Sync {
    /// Its name, for checkpoints and people.
    fn name(&self) -> &'static str;

    /// The version of its rows, from 1. It rises when the same events give other rows: those of another
    /// version are thrown away ([`renew`]).
    fn version(&self) -> u32;

    /// The tables that it alone writes.
    fn tables(&self) -> &'static [Table];

    /// The rows that folding the events reads, as far as the events tell ([`Loaded::then`]).
    fn touches(&self, partition: u16, events: &[Standing]) -> Vec<(Table, Bytes)>;

    /// Folds events that stand, in their order. Into which batches they come is chance.
    ///
    /// # Errors
    /// `Corrupt`: a row does not decode.
    fn fold(&self, partition: u16, rows: &mut Loaded, events: &[Standing]) -> Result<(), Error>;
}

/// One projection over one partition.
pub struct Runner {
    log: Arc<dyn Log>,
    store: Arc<dyn Store>,
    projection: Arc<dyn Projection>,
    seat: Seat,
    at: Option<(Filter, Offset)>,
}

impl Runner {
    /// A runner that goes on where the projection's rows are.
    pub fn new(
        log: Arc<dyn Log>,
        store: Arc<dyn Store>,
        projection: Arc<dyn Projection>,
        seat: Seat,
    ) -> Self {
        Self { log, store, projection, seat, at: None }
    }

    /// Folds what is there, at most one batch. Gives the offset after the last record read, and
    /// whether there was anything.
    ///
    /// # Errors
    /// `Corrupt`: an event does not decode, or the rows are ahead of the log.
    pub async fn step(&mut self) -> Result<(Offset, bool), Error> {
        let (mut filter, from) = match self.at.take() {
            Some(at) => at,
            None => self.load().await?,
        };
        let end = self.log.keepable(self.seat.events).await?;
        let mut batch = self.log.read(self.seat.events, from, BATCH_BYTES_MAX).await?;
        batch.retain(|stored| stored.offset < end);
        let Some(last) = batch.last().map(|stored| stored.offset) else {
            self.at = Some((filter, from));
            return Ok((from, false));
        };
        let mut standing = Vec::new();
        for stored in &batch {
            if stored.record.is_no_event() {
                continue;
            }
            let event = codec::decode::<Event>(&stored.record.value)
                .map_err(|error| Error::Corrupt(format!("event at {}: {error}", stored.offset)))?;
            standing.extend(filter.push(stored.offset, event).into_iter().flatten());
        }
        // After a crash, a run that the batch cut is read again from its beginning.
        let applied = filter.open_since().unwrap_or(last + 1);
        self.commit(&standing, &filter, applied).await?;
        self.at = Some((filter, last + 1));
        Ok((last + 1, true))
    }

    async fn load(&self) -> Result<(Filter, Offset), Error> {
        let (store, projection) = (self.store.as_ref(), self.projection.as_ref());
        let Some((at, version)) = Checkpoint::read(store, projection, self.seat).await? else {
            return Ok((Filter::default(), 0));
        };
        if at.identity != self.log.identity() {
            return Err(Error::Corrupt("the rows belong to another log: rebuild them".into()));
        }
        let (name, wanted) = (projection.name(), projection.version());
        if version != wanted {
            let other = format!("rows of {name} are of version {version}, not {wanted}");
            return Err(Error::Corrupt(other));
        }
        let end = self.log.end(self.seat.events).await?;
        if at.applied > end {
            let lost = format!("rows of {name} are at {}, the log ends at {end}", at.applied);
            return Err(Error::Corrupt(lost));
        }
        Ok((Filter::at(at.holder()), at.applied))
    }

    async fn commit(
        &self,
        standing: &[Standing],
        filter: &Filter,
        applied: Offset,
    ) -> Result<(), Error> {
        let (number, store) = (self.seat.number(), self.store.as_ref());
        let mut rows = Loaded::default();
        rows.load(store, self.projection.touches(number, standing)).await?;
        self.projection.fold(number, &mut rows, standing)?;
        rows.finish(store).await?;
        let at = Checkpoint::new(self.log.identity(), applied, filter.owner());
        let mut writes = rows.into_writes();
        writes.push(at.write(self.projection.name(), self.projection.version(), self.seat)?);
        self.store.commit(writes).await
    }
}

/// What the event at an offset holds sealed: rows point to it, and do not keep it twice.
///
/// # Errors
/// `Corrupt`: there is no such event.
pub async fn sealed(log: &dyn Log, partition: u16, offset: Offset) -> Result<Payload, Error> {
    let found = log.read(Partition::events(partition), offset, 1).await?;
    let lost = || Error::Corrupt(format!("event {offset} of partition {partition} is gone"));
    let stored = found.into_iter().find(|stored| stored.offset == offset).ok_or_else(lost)?;
    let mut event = codec::decode::<Event>(&stored.record.value)
        .map_err(|error| Error::Corrupt(format!("event at {offset}: {error}")))?;
    Ok(event.body.payload_mut().map_or_else(Payload::empty, |payload| payload.clone()))
}

/// Folds one projection over one partition until `stop` becomes true.
///
/// # Errors
/// `Corrupt`: the projection must be looked at by a person; others go on.
pub async fn run(
    world: World,
    projection: Arc<dyn Projection>,
    seat: Seat,
    mut stop: watch::Receiver<bool>,
) -> Result<(), Error> {
    let (log, store) = (Arc::clone(&world.log), Arc::clone(&world.store));
    let mut runner = Runner::new(log, store, projection, seat);
    while !*stop.borrow() {
        match runner.step().await {
            Ok((_, true)) => {}
            Ok((next, false)) => {
                tokio::select! {
                    _ = world.log.changed(seat.events, next) => {}
                    () = tokio::time::sleep(SLEEP_MAX) => {}
                    _ = stop.changed() => {}
                }
                tokio::time::sleep(SETTLE).await;
            }
            Err(Error::Corrupt(reason)) => return Err(Error::Corrupt(reason)),
            Err(error) => {
                tracing::warn!(%error, "projection starts again from its rows");
                runner.at = None;
                tokio::time::sleep(SLEEP_MAX).await;
            }
        }
    }
    Ok(())
}
