//! The only loop that folds events into rows for readers.
//!
//! It reads through the epoch filter, folds, and commits the rows together with how far they are.
//! A projection is a name, the rows that an event touches, and a fold. Rows that a crash takes
//! back take their checkpoint back with them, so folding goes on where the rows are.

mod rows;

pub use rows::Loaded;

use crate::owner::Seat;
use crate::world::World;
use bytes::Bytes;
use domain::codec;
use domain::event::Event;
use domain::meta::Recorded;
use domain::run::{Filter, Owner as Holder};
use ports::{Error, Log, Offset, Store, Table, Write};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// How far each projection has come, per partition.
pub const CHECKPOINTS: Table = Table("projection.checkpoint");
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

    /// The tables that it alone writes.
    fn tables(&self) -> &'static [Table];

    /// The rows that folding the events reads.
    fn touches(&self, partition: u16, events: &[Standing]) -> Vec<(Table, Bytes)>;

    /// Folds events that stand, in their order. Into which batches they come is chance.
    ///
    /// # Errors
    /// `Corrupt`: a row does not decode.
    fn fold(&self, partition: u16, rows: &mut Loaded, events: &[Standing]) -> Result<(), Error>;
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Checkpoint {
    identity: Uuid,
    applied: Offset,
    epoch: i64,
    incarnation: i64,
    decided: Offset,
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
        // What is ordered and not durable yet may still be lost; rows must not know it.
        let end = self.log.end(self.seat.events).await?;
        let mut batch = self.log.read(self.seat.events, from, BATCH_BYTES_MAX).await?;
        batch.retain(|stored| stored.offset < end);
        let Some(last) = batch.last().map(|stored| stored.offset) else {
            self.at = Some((filter, from));
            return Ok((from, false));
        };
        let mut standing = Vec::new();
        for stored in &batch {
            if stored.record.headers.kind < domain::event::FIRST_SCHEMA_ID {
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
        let rows = self.store.get(CHECKPOINTS, &[self.key()]).await?;
        let Some(bytes) = rows.into_iter().next().flatten() else {
            return Ok((Filter::default(), 0));
        };
        let at: Checkpoint = postcard::from_bytes(&bytes)
            .map_err(|error| Error::Corrupt(format!("a checkpoint does not decode: {error}")))?;
        if at.identity != self.log.identity() {
            return Err(Error::Corrupt("the rows belong to another log: rebuild them".into()));
        }
        let end = self.log.end(self.seat.events).await?;
        if at.applied > end {
            let name = self.projection.name();
            let lost = format!("rows of {name} are at {}, the log ends at {end}", at.applied);
            return Err(Error::Corrupt(lost));
        }
        let holder = Holder { epoch: at.epoch, incarnation: at.incarnation, decided: at.decided };
        Ok((Filter::at(holder), at.applied))
    }

    async fn commit(
        &self,
        standing: &[Standing],
        filter: &Filter,
        applied: Offset,
    ) -> Result<(), Error> {
        let number = self.seat.number();
        let wanted = self.projection.touches(number, standing);
        let mut rows = Loaded::load(self.store.as_ref(), wanted).await?;
        self.projection.fold(number, &mut rows, standing)?;
        let holder = filter.owner();
        let at = Checkpoint {
            identity: self.log.identity(),
            applied,
            epoch: holder.epoch,
            incarnation: holder.incarnation,
            decided: holder.decided,
        };
        let value = postcard::to_allocvec(&at)
            .map_err(|error| Error::Corrupt(format!("a checkpoint does not encode: {error}")))?;
        let mut writes = rows.into_writes();
        writes.push(Write::Put { table: CHECKPOINTS, key: self.key(), value: value.into() });
        self.store.commit(writes).await
    }

    fn key(&self) -> Bytes {
        checkpoint_key(self.projection.name(), self.seat)
    }
}

/// Where the checkpoint of a projection lies.
pub fn checkpoint_key(name: &str, seat: Seat) -> Bytes {
    let mut key = name.as_bytes().to_vec();
    key.push(0);
    key.extend_from_slice(&seat.number().to_be_bytes());
    Bytes::from(key)
}

/// The offset after the last record that a projection has folded.
///
/// # Errors
/// `Unavailable`: the rows cannot be read now.
pub async fn applied(store: &dyn Store, name: &str, seat: Seat) -> Result<Offset, Error> {
    let rows = store.get(CHECKPOINTS, &[checkpoint_key(name, seat)]).await?;
    let at = rows.into_iter().next().flatten();
    let at = at.and_then(|bytes| postcard::from_bytes::<Checkpoint>(&bytes).ok());
    Ok(at.map_or(0, |at| at.applied))
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
