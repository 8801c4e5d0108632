//! Taking a partition over (design §3, ownership).

use super::stamp::{claim_record, record};
use super::table::{self, CHECKPOINTS};
use super::{Held, Owner};
use bytes::Bytes;
use domain::codec;
use domain::event::Event;
use domain::meta::Recorded;
use domain::run::{Filter, Owner as Holder, Run};
use domain::state::{Row, RowKey, fold, touched_by};
use domain::time::Timestamp;
use ports::{Error, Offset, Stored, Write};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Bytes of events read in one go.
const READ_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Reads after which a claim that does not show up counts as lost.
const READ_BACK_TRIES_MAX: u32 = 10_000;

/// How far the rows in the store are.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    identity: Uuid,
    applied: Offset,
    epoch: i64,
    incarnation: i64,
    decided: Offset,
    now: Timestamp,
}

impl Checkpoint {
    fn held(&self) -> Held {
        let (epoch, incarnation) = (self.epoch, self.incarnation);
        Held {
            filter: Filter::at(Holder { epoch, incarnation, decided: self.decided }),
            applied: self.applied,
            next: self.decided + 1,
            now: self.now,
            count: 0,
        }
    }
}

impl Owner {
    /// Folds what was decided before, claims, and reads the claim back. `false`: another claim won.
    pub(super) async fn claim(&mut self) -> Result<bool, Error> {
        self.world.feed.refresh().await?;
        let checkpoint = self.checkpoint().await?;
        let mut held = checkpoint.held();
        self.catch_up(&mut held, Telling::Again).await?;
        let claim = Holder {
            epoch: held.filter.owner().epoch + 1,
            incarnation: self.world.random_i64().max(1),
            decided: held.filter.owner().decided,
        };
        let now = held.now.max(self.world.clock.now());
        let body = claim_record(&self.world, &self.node, claim, now);
        self.world.log.append(vec![(self.seat.events, record(&body)?)]).await?;
        if !self.read_claim(&mut held, claim).await? {
            self.rows = domain::state::Rows::default();
            return Ok(false);
        }
        held.next = held.filter.owner().decided + 1;
        // A moment later than everything before: ids of this owner rise above older ones.
        held.now = held.now.max(now).plus_ms(1);
        self.held = Some(held);
        self.queues.recover(&self.world).await?;
        self.timers.recover();
        Ok(true)
    }

    async fn read_claim(&mut self, held: &mut Held, claim: Holder) -> Result<bool, Error> {
        for _ in 0..READ_BACK_TRIES_MAX {
            self.catch_up(held, Telling::Again).await?;
            let seen = held.filter.owner();
            if seen.epoch >= claim.epoch {
                return Ok(seen.incarnation == claim.incarnation && seen.epoch == claim.epoch);
            }
            self.world.log.changed(self.seat.events, held.applied).await?;
        }
        Err(Error::Unavailable("the claim does not become visible".into()))
    }

    /// Reads events to the end, folds the runs that stand, and lets their Tells out again: the
    /// owner before may have died between a decision and what it wanted told.
    async fn catch_up(&mut self, held: &mut Held, telling: Telling) -> Result<(), Error> {
        loop {
            // What is ordered and not durable yet may still be lost; rows must not know it.
            let end = self.world.log.end(self.seat.events).await?;
            let mut batch =
                self.world.log.read(self.seat.events, held.applied, READ_BYTES_MAX).await?;
            batch.retain(|stored| stored.offset < end);
            let Some(last) = batch.last().map(|stored| stored.offset) else { return Ok(()) };
            for stored in batch {
                let Some(event) = event_of(&stored)? else { continue };
                let at = event.meta.occurred_at;
                if let Some(run) = held.filter.push(stored.offset, event) {
                    held.now = held.now.max(at);
                    self.fold_run(run, telling).await?;
                }
            }
            held.applied = last + 1;
            self.save(held).await?;
        }
    }

    async fn fold_run(&mut self, run: Run, telling: Telling) -> Result<(), Error> {
        let events: Vec<Recorded<Event>> = run.into_iter().map(|(_, event)| event).collect();
        let keys = events.iter().flat_map(|event| touched_by(&event.meta, &event.body)).collect();
        self.load(keys).await?;
        fold(&mut self.rows, &events);
        match telling {
            Telling::Again => self.tell(&events).await,
            Telling::Silent => Ok(()),
        }
    }

    async fn checkpoint(&self) -> Result<Checkpoint, Error> {
        let identity = self.world.log.identity();
        let rows = self.world.store.get(CHECKPOINTS, &[self.checkpoint_key()]).await?;
        let Some(bytes) = rows.into_iter().next().flatten() else {
            let decided = -1;
            let now = Timestamp(0);
            let start = Checkpoint { identity, applied: 0, epoch: 0, incarnation: 0, decided, now };
            return Ok(start);
        };
        let checkpoint: Checkpoint = postcard::from_bytes(&bytes)
            .map_err(|error| Error::Corrupt(format!("a checkpoint does not decode: {error}")))?;
        if checkpoint.identity != identity {
            return Err(Error::Corrupt("the rows belong to another log: rebuild them".into()));
        }
        let end = self.world.log.end(self.seat.events).await?;
        if checkpoint.applied > end {
            let lost = format!(
                "the rows are at offset {}, but the log ends at {end}: the log lost records",
                checkpoint.applied
            );
            return Err(Error::Corrupt(lost));
        }
        Ok(checkpoint)
    }

    fn checkpoint_key(&self) -> Bytes {
        Bytes::copy_from_slice(&self.seat.number().to_be_bytes())
    }

    /// Writes the rows that changed, together with how far they are.
    pub(super) async fn save(&mut self, held: &Held) -> Result<(), Error> {
        let owner = held.filter.owner();
        let checkpoint = Checkpoint {
            identity: self.world.log.identity(),
            // After a crash, a run that was cut by a batch is read again from its beginning.
            applied: held.filter.open_since().unwrap_or(held.applied),
            epoch: owner.epoch,
            incarnation: owner.incarnation,
            decided: owner.decided,
            now: held.now,
        };
        let value = postcard::to_allocvec(&checkpoint)
            .map_err(|error| Error::Corrupt(format!("a checkpoint does not encode: {error}")))?;
        let mut writes = vec![Write::Put {
            table: CHECKPOINTS,
            key: self.checkpoint_key(),
            value: Bytes::from(value),
        }];
        for key in self.rows.take_dirty() {
            let (table, place) = table::place(self.seat.number(), &key);
            match self.rows.get(&key) {
                Some(row) => {
                    writes.push(Write::Put { table, key: place, value: table::encode(row)? });
                }
                None => writes.push(Write::Remove { table, key: place }),
            }
            if !matches!(key, RowKey::User(..) | RowKey::Execution(_) | RowKey::Budget(_)) {
                self.rows.evict(&key);
            }
        }
        self.world.store.commit(writes).await?;
        if self.rows.len() > super::ROWS_MAX {
            self.rows = domain::state::Rows::default();
        }
        Ok(())
    }

    /// Loads rows that are not at hand.
    pub(super) async fn load(&mut self, mut keys: Vec<RowKey>) -> Result<(), Error> {
        // What was removed and not written yet must not come back from the store.
        keys.retain(|key| !self.rows.contains(key) && !self.rows.is_dirty(key));
        keys.sort();
        keys.dedup();
        let mut by_table = std::collections::BTreeMap::<_, Vec<(RowKey, Bytes)>>::new();
        for key in keys {
            let (table, place) = table::place(self.seat.number(), &key);
            by_table.entry(table).or_default().push((key, place));
        }
        for (table, wanted) in by_table {
            let places: Vec<Bytes> = wanted.iter().map(|(_, place)| place.clone()).collect();
            let found = self.world.store.get(table, &places).await?;
            for ((key, _), bytes) in wanted.into_iter().zip(found) {
                if let Some(bytes) = bytes {
                    let row: Row = table::decode(&bytes)?;
                    self.rows.load(key, row);
                }
            }
        }
        Ok(())
    }
}

/// The event in a record; `None` for a command, which shares the stream of the configuration.
pub(super) fn event_of(stored: &Stored) -> Result<Option<Recorded<Event>>, Error> {
    if stored.record.headers.kind < domain::event::FIRST_SCHEMA_ID {
        return Ok(None);
    }
    codec::decode::<Event>(&stored.record.value)
        .map(Some)
        .map_err(|error| Error::Corrupt(format!("event at {}: {error}", stored.offset)))
}

impl Owner {
    /// Folds every event that stands, without claiming or telling anyone. For rebuilding rows
    /// while no node runs. Gives the offset after the last event.
    ///
    /// # Errors
    /// `Corrupt`: an event does not decode, or the rows are ahead of the log.
    pub async fn fold_all(&mut self) -> Result<Offset, Error> {
        let checkpoint = self.checkpoint().await?;
        let mut held = checkpoint.held();
        self.catch_up(&mut held, Telling::Silent).await?;
        Ok(held.applied)
    }
}

/// Whether folding old decisions lets their Tells out again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Telling {
    Again,
    Silent,
}
