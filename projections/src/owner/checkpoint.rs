//! How far the rows of an owner are.

use super::Held;
use super::crash::Fruitless;
use domain::id::EventId;
use domain::run::{Filter, Owner as Holder};
use domain::time::Timestamp;
use ports::{Error, Offset};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use uuid::Uuid;

/// How far the rows in the store are.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    pub(super) identity: Uuid,
    /// Every event before it is in the rows.
    pub(super) folded: Mark,
    /// Every event before it had its Tells let out. Who only folds does not move it.
    pub(super) told: Mark,
    pub(super) now: Timestamp,
    /// When the last folded event happened.
    pub(super) latest: Timestamp,
    pub(super) fruitless: Fruitless,
}

/// A place in the events, and who held the partition there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) offset: Offset,
    epoch: i64,
    incarnation: i64,
    decided: Offset,
    /// It stands behind the checkpoint.
    #[serde(skip, default = "EventId::nil")]
    handed: EventId,
}

impl Mark {
    /// Before everything.
    fn start() -> Self {
        Self::of(&Filter::default(), 0)
    }

    /// Where a reader stands. A run that is cut is read again from its beginning.
    pub(super) fn of(filter: &Filter, applied: Offset) -> Self {
        let Holder { epoch, incarnation, decided, handed } = filter.owner();
        Self { offset: filter.open_since().unwrap_or(applied), epoch, incarnation, decided, handed }
    }

    pub(super) fn filter(&self) -> Filter {
        let Self { epoch, incarnation, decided, handed, .. } = *self;
        Filter::at(Holder { epoch, incarnation, decided, handed })
    }
}

impl Checkpoint {
    pub(super) fn start(identity: Uuid) -> Self {
        let (folded, told) = (Mark::start(), Mark::start());
        let (now, latest) = (Timestamp(0), Timestamp(0));
        Self { identity, folded, told, now, latest, fruitless: Fruitless::default() }
    }

    /// The same, with no rows.
    pub(super) fn without_rows(self) -> Self {
        Self { told: self.told, ..Self::start(self.identity) }
    }

    pub(super) fn held(&self) -> Held {
        Held {
            filter: self.folded.filter(),
            applied: self.folded.offset,
            untold: Some(self.told).filter(|told| told.offset < self.folded.offset),
            next: self.folded.decided + 1,
            now: self.now,
            latest: self.latest,
            fruitless: self.fruitless.clone(),
            count: 0,
            recent: VecDeque::new(),
        }
    }

    /// The row. What came later than the first builds stands behind it, where those do not look.
    pub(super) fn encode(&self) -> Result<Vec<u8>, Error> {
        postcard::to_allocvec(&(self, self.folded.handed, self.told.handed))
            .map_err(|error| Error::Corrupt(format!("a checkpoint does not encode: {error}")))
    }

    pub(super) fn decode(bytes: &[u8]) -> postcard::Result<Self> {
        let (mut checkpoint, rest) = postcard::take_from_bytes::<Self>(bytes)?;
        if !rest.is_empty() {
            (checkpoint.folded.handed, checkpoint.told.handed) = postcard::from_bytes(rest)?;
        }
        Ok(checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_of_an_older_build_is_read_and_one_of_this_build_by_it() {
        let mut checkpoint = Checkpoint::start(Uuid::from_u128(1));
        checkpoint.folded.decided = 7;
        let old = postcard::to_allocvec(&checkpoint).expect("a checkpoint encodes");
        assert_eq!(Checkpoint::decode(&old).expect("an old one decodes"), checkpoint);
        checkpoint.folded.handed = EventId(Uuid::from_u128(2));
        let new = checkpoint.encode().expect("a checkpoint encodes");
        assert_eq!(Checkpoint::decode(&new).expect("a new one decodes"), checkpoint);
        let seen: Checkpoint = postcard::from_bytes(&new).expect("an older build decodes it");
        assert_eq!(seen.folded.decided, 7);
    }
}
