//! The rows of an owner in the store.

use super::checkpoint::{Checkpoint, Mark};
use super::table::{self, CHECKPOINTS};
use super::{Decided, Held, Owner};
use bytes::Bytes;
use domain::event::{Event, StepKind};
use domain::state::{self, Row, RowKey, Rows};
use domain::time::Timestamp;
use ports::{Error, Write};

/// Rows wait at most so long to be saved.
pub const SAVE_AFTER_MS: i64 = 200;
/// So many changed rows are saved at once.
const UNSAVED_ROWS_MAX: usize = 8_192;

impl Owner {
    /// How far the rows are.
    pub(super) async fn checkpoint(&self) -> Result<Checkpoint, Error> {
        let identity = self.world.log.identity();
        let checkpoint = match self.stored_checkpoint().await? {
            None => return Ok(Checkpoint::start(identity)),
            Some(Ok(checkpoint)) => checkpoint,
            Some(Err(error)) => {
                return Err(Error::Corrupt(format!("a checkpoint does not decode: {error}")));
            }
        };
        if checkpoint.identity != identity {
            return Err(Error::Corrupt("the rows belong to another log: rebuild them".into()));
        }
        let end = self.world.log.end(self.seat.events).await?;
        let at = checkpoint.folded.offset;
        if at > end {
            let lost = format!(
                "the rows are at offset {at}, but the log ends at {end}: the log lost records"
            );
            return Err(Error::Corrupt(lost));
        }
        Ok(checkpoint)
    }

    /// How far rows were before they were cleared; one that makes no sense counts for nothing.
    pub(super) async fn last_checkpoint(&self) -> Result<Checkpoint, Error> {
        let identity = self.world.log.identity();
        let known = self.stored_checkpoint().await?.and_then(Result::ok);
        let known = known.filter(|checkpoint| checkpoint.identity == identity);
        Ok(known.unwrap_or_else(|| Checkpoint::start(identity)))
    }

    async fn stored_checkpoint(&self) -> Result<Option<postcard::Result<Checkpoint>>, Error> {
        let rows = self.world.store.get(CHECKPOINTS, &[self.checkpoint_key()]).await?;
        let bytes = rows.into_iter().next().flatten();
        Ok(bytes.map(|bytes| Checkpoint::decode(&bytes)))
    }

    fn checkpoint_key(&self) -> Bytes {
        Bytes::copy_from_slice(&self.seat.number().to_be_bytes())
    }

    /// Since when rows wait to be saved, if any do.
    pub fn unsaved_since(&self) -> Option<Timestamp> {
        self.unsaved_since
    }

    /// Writes the rows that changed, together with how far they are. What is not saved yet is
    /// folded again after a crash, so most rows of a short run are never written at all.
    ///
    /// # Errors
    /// As [`Owner::turn`]; its memory is dropped.
    pub async fn save(&mut self) -> Result<(), Error> {
        let saved = if let Some(held) = self.held.take() {
            let saved = self.write(&held).await;
            self.held = Some(held);
            saved
        } else if let Some(followed) = self.standby.take() {
            let saved = self.write(&followed).await;
            self.standby = Some(followed);
            saved
        } else {
            Ok(())
        };
        if saved.is_err() {
            self.resign();
        }
        saved
    }

    /// Saves, if others wait for what the run changed, or enough has changed.
    pub(super) async fn save_after(&mut self, decided: &[Decided]) -> Result<(), Error> {
        let is_awaited = decided.iter().flat_map(|one| &one.run).any(|e| is_awaited(&e.body));
        if self.must_save(is_awaited) { self.save().await } else { Ok(()) }
    }

    /// As [`Owner::save_after`], for decisions of another node.
    pub(super) async fn write_some_time(
        &mut self,
        held: &Held,
        is_awaited: bool,
    ) -> Result<(), Error> {
        if self.must_save(is_awaited) { self.write(held).await } else { Ok(()) }
    }

    fn must_save(&mut self, is_awaited: bool) -> bool {
        let now = self.world.clock.now();
        let since = *self.unsaved_since.get_or_insert(now);
        let is_late = now.since_ms(since) >= SAVE_AFTER_MS;
        is_awaited || is_late || self.rows.dirty_len() >= UNSAVED_ROWS_MAX
    }

    /// Writes the rows that changed, together with how far they are, and drops what has expired.
    pub(super) async fn write(&mut self, held: &Held) -> Result<(), Error> {
        let mut writes = vec![self.checkpoint_write(held)?];
        for key in self.rows.take_dirty() {
            let (table, place) = table::place(self.seat.number(), &key);
            let row = self.rows.get(&key);
            let is_kept = row.is_some_and(|row| is_kept(&key, row, held.latest));
            writes.push(match row {
                Some(row) => Write::Put { table, key: place, value: table::encode(row)? },
                None => Write::Remove { table, key: place },
            });
            if !is_kept {
                self.rows.evict(&key);
            }
        }
        self.world.store.commit(writes).await?;
        self.rows.evict_closed(held.latest);
        self.unsaved_since = None;
        if self.rows.len() > super::ROWS_MAX {
            self.rows = Rows::default();
        }
        self.expire(held.latest).await
    }

    fn checkpoint_write(&self, held: &Held) -> Result<Write, Error> {
        let folded = Mark::of(&held.filter, held.applied);
        let told = held.untold.unwrap_or(folded);
        #[cfg(feature = "canary")]
        let told = match domain::canary::planted(domain::canary::Canary::OverstatedMark) {
            true => folded,
            false => told,
        };
        let checkpoint = Checkpoint {
            identity: self.world.log.identity(),
            folded,
            told,
            now: held.now,
            latest: held.latest,
            fruitless: held.fruitless.clone(),
        };
        let value = checkpoint.encode()?.into();
        Ok(Write::Put { table: CHECKPOINTS, key: self.checkpoint_key(), value })
    }

    /// Loads rows that are not at hand, with those that they are of no use without.
    pub(super) async fn load(&mut self, mut keys: Vec<RowKey>) -> Result<(), Error> {
        while !keys.is_empty() {
            self.load_just(keys.clone()).await?;
            keys = keys.iter().flat_map(|key| self.rows.implied(key)).collect();
        }
        Ok(())
    }

    async fn load_just(&mut self, mut keys: Vec<RowKey>) -> Result<(), Error> {
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
                    let row = table::decode(&bytes)?;
                    self.rows.load(key, row);
                }
            }
        }
        Ok(())
    }
}

/// Whether others read the changed rows in the store, and wait for them.
pub(super) fn is_awaited(event: &Event) -> bool {
    matches!(
        event,
        Event::CredentialConnected(_)
            | Event::CredentialRemoved(_)
            | Event::WorkflowSwitched(_)
            | Event::SettingsSaved(_)
            | Event::IntegrationEnabled(_)
            | Event::UserDescribed(_)
            | Event::UserSwitched(_)
            | Event::UserDeleted(_)
    ) || is_joined(event)
}

/// Whether steps may refer from now on to what the items of a fan out gave, or to pages, which lie
/// in the store.
fn is_joined(event: &Event) -> bool {
    match event {
        // Another page is due, and the last one may end the step.
        Event::PageFetched(_) => true,
        Event::StepSucceeded(e) => e.kind == StepKind::FanOut,
        Event::StepFailed(e) => e.kind == StepKind::FanOut && e.continued,
        _ => false,
    }
}

/// Whether a row that was saved is likely to be needed again soon. What is parked is not.
fn is_kept(key: &RowKey, row: &Row, latest: Timestamp) -> bool {
    match row {
        Row::User(_) | Row::Budget(_) | Row::Heard(_) | Row::Replays(_) => true,
        Row::Execution(run) => run.pending.as_ref().is_some_and(|pending| pending.due.is_up()),
        // What fans out is asked for by each of its items.
        Row::Nested(nested) => {
            nested.run.pending.as_ref().is_none_or(|pending| pending.due.is_up())
        }
        // What is decided in this second is still to be named in it.
        Row::Expiring(_) => state::is_open(key, latest),
        Row::Seen(_)
        | Row::Link(_)
        | Row::Delivery(_)
        | Row::Waits
        | Row::Started(_)
        | Row::Part(_)
        | Row::Schedule(_) => false,
    }
}
