//! How far a projection has come, and of which version its rows are.

use super::Projection;
use crate::owner::Seat;
use bytes::Bytes;
use domain::id::EventId;
use domain::run::Owner as Holder;
use ports::{Error, Log, Offset, Store, Table, Write};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How far each projection has come, per partition.
pub const CHECKPOINTS: Table = Table("projection.checkpoint");

/// The version of rows whose checkpoint names none.
const FIRST_VERSION: u32 = 1;
/// The version of rows that are being thrown away; no projection has it.
const NO_VERSION: u32 = 0;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    pub(super) identity: Uuid,
    pub(super) applied: Offset,
    epoch: i64,
    incarnation: i64,
    decided: Offset,
    /// It stands behind the version.
    #[serde(skip, default = "EventId::nil")]
    handed: EventId,
}

impl Checkpoint {
    pub(super) fn new(identity: Uuid, applied: Offset, holder: Holder) -> Self {
        let Holder { epoch, incarnation, decided, handed } = holder;
        Self { identity, applied, epoch, incarnation, decided, handed }
    }

    pub(super) fn holder(&self) -> Holder {
        let Self { epoch, incarnation, decided, handed, .. } = *self;
        Holder { epoch, incarnation, decided, handed }
    }

    /// The row of a checkpoint: what came later than the first builds stands behind it, where older
    /// ones do not look.
    pub(super) fn write(&self, name: &str, version: u32, seat: Seat) -> Result<Write, Error> {
        let value = postcard::to_allocvec(&(self, version, self.handed))
            .map_err(|error| Error::Corrupt(format!("a checkpoint does not encode: {error}")))?;
        let key = checkpoint_key(name, seat);
        Ok(Write::Put { table: CHECKPOINTS, key, value: value.into() })
    }

    /// The checkpoint of a projection, and the version of its rows; `None` if there are none.
    ///
    /// # Errors
    /// `Corrupt`: it does not decode.
    pub(super) async fn read(
        store: &dyn Store,
        projection: &dyn Projection,
        seat: Seat,
    ) -> Result<Option<(Self, u32)>, Error> {
        let rows = store.get(CHECKPOINTS, &[checkpoint_key(projection.name(), seat)]).await?;
        let bytes = rows.into_iter().next().flatten();
        bytes.map(|bytes| Self::decode(&bytes)).transpose()
    }

    fn decode(bytes: &[u8]) -> Result<(Self, u32), Error> {
        let bad = |error| Error::Corrupt(format!("a checkpoint does not decode: {error}"));
        let (mut at, rest) = postcard::take_from_bytes::<Self>(bytes).map_err(bad)?;
        if rest.is_empty() {
            return Ok((at, FIRST_VERSION));
        }
        let (version, rest) = postcard::take_from_bytes(rest).map_err(bad)?;
        if !rest.is_empty() {
            at.handed = postcard::from_bytes(rest).map_err(bad)?;
        }
        Ok((at, version))
    }
}

/// Where the checkpoint of a projection lies.
pub fn checkpoint_key(name: &str, seat: Seat) -> Bytes {
    let mut key = name.as_bytes().to_vec();
    key.push(0);
    key.extend_from_slice(&seat.number().to_be_bytes());
    Bytes::from(key)
}

/// The offset after the last record that a projection has folded; 0 while its rows are of another
/// version.
///
/// # Errors
/// `Unavailable`: the rows cannot be read now. `Corrupt`: the checkpoint does not decode.
pub async fn applied(
    store: &dyn Store,
    projection: &dyn Projection,
    seat: Seat,
) -> Result<Offset, Error> {
    let found = Checkpoint::read(store, projection, seat).await?;
    let ours = found.filter(|(_, version)| *version == projection.version());
    Ok(ours.map_or(0, |(at, _)| at.applied))
}

/// What is known of the rows of a projection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kept {
    /// The log that they were folded from.
    pub identity: Uuid,
    /// The version of the projection that folded them.
    pub version: u32,
}

/// Looks of which log and version the rows of a projection are; `None`: there are none.
///
/// # Errors
/// `Unavailable`: the rows cannot be read now. `Corrupt`: the checkpoint does not decode.
pub async fn kept(
    store: &dyn Store,
    projection: &dyn Projection,
    seat: Seat,
) -> Result<Option<Kept>, Error> {
    let found = Checkpoint::read(store, projection, seat).await?;
    Ok(found.map(|(at, version)| Kept { identity: at.identity, version }))
}

/// Clears the rows of a projection if they are of another version: its runners then fold from the
/// beginning. To be called before any of them begins.
///
/// # Errors
/// `Unavailable`: the rows cannot be read or changed now; call it again. `Corrupt`: a checkpoint
/// does not decode.
pub async fn renew(
    log: &dyn Log,
    store: &dyn Store,
    projection: &dyn Projection,
) -> Result<(), Error> {
    let (name, wanted) = (projection.name(), projection.version());
    for number in 0..log.partitions() {
        let found = Checkpoint::read(store, projection, Seat::of(number)).await?;
        if let Some((_, version)) = found
            && version != wanted
        {
            tracing::warn!(projection = name, version, wanted, "rows are folded anew");
            return clear(log, store, projection).await;
        }
    }
    Ok(())
}

/// Throws away every row of a projection and how far it was.
///
/// # Errors
/// `Unavailable`: call it again.
pub async fn clear(
    log: &dyn Log,
    store: &dyn Store,
    projection: &dyn Projection,
) -> Result<(), Error> {
    let name = projection.name();
    let seats = || (0..log.partitions()).map(Seat::of);
    // Whoever is cut off in between finds rows of no version, and clears them again.
    let none = Checkpoint::new(log.identity(), 0, Holder::default());
    let marked: Result<_, Error> = seats().map(|seat| none.write(name, NO_VERSION, seat)).collect();
    store.commit(marked?).await?;
    store.sync().await?;
    for table in projection.tables() {
        store.clear(*table).await?;
    }
    let keys = seats().map(|seat| checkpoint_key(name, seat));
    store.commit(keys.map(|key| Write::Remove { table: CHECKPOINTS, key }).collect()).await
}
