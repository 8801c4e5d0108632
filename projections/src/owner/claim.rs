//! Taking a partition over (design §3, ownership).

use super::checkpoint::{Checkpoint, Mark};
use super::rows;
use super::stamp::{claim_record, record};
use super::{Held, Owner};
use domain::codec;
use domain::event::Event;
use domain::meta::Recorded;
use domain::run::{Owner as Holder, Run};
use domain::state::{Rows, fold, touched_anyway, touched_by};
use domain::time::Timestamp;
use ports::{Error, Offset, Stored};

/// Bytes of events read in one go.
const READ_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Reads after which a claim that does not show up counts as lost.
const READ_BACK_TRIES_MAX: u32 = 10_000;

impl Owner {
    /// Folds what was decided before, claims, and reads the claim back. `false`: another claim won.
    pub(super) async fn claim(&mut self) -> Result<bool, Error> {
        self.world.feed.refresh().await?;
        let mut held = match self.standby.take() {
            Some(followed) => followed,
            None => self.checkpoint().await?.held(),
        };
        self.tell_again(&mut held).await?;
        self.catch_up(&mut held, Telling::Again).await?;
        let before = held.filter.owner();
        let incarnation = self.world.random_i64().max(1);
        let claim = Holder { epoch: before.epoch + 1, incarnation, ..before };
        let now = held.now.max(self.world.clock.now());
        let body = claim_record(&self.world, &self.node, claim, now);
        self.world.log.append(vec![(self.seat.events, record(&body)?)]).await?;
        if !self.read_claim(&mut held, claim).await? {
            self.rows = Rows::default();
            return Ok(false);
        }
        held.next = held.filter.owner().decided + 1;
        // A moment later than everything before: ids of this owner rise above older ones.
        held.now = held.now.max(now).plus_ms(1);
        held.recent.clear();
        if self.unsaved_since.is_some() {
            self.write(&held).await?;
        }
        self.held = Some(held);
        self.queues.recover(&self.world).await?;
        self.recover_started().await?;
        // What of it this node may not perform is among what was recovered.
        self.doubtful.clear();
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
    pub(super) async fn catch_up(
        &mut self,
        held: &mut Held,
        telling: Telling,
    ) -> Result<(), Error> {
        loop {
            let end = self.world.log.keepable(self.seat.events).await?;
            let mut batch =
                self.world.log.read(self.seat.events, held.applied, READ_BYTES_MAX).await?;
            batch.retain(|stored| stored.offset < end);
            let Some(last) = batch.last().map(|stored| stored.offset) else { return Ok(()) };
            let mut is_awaited = false;
            for stored in batch {
                let Some(event) = event_of(&stored)? else { continue };
                let at = event.meta.occurred_at;
                let began = Mark::of(&held.filter, stored.offset);
                if let Some(run) = held.filter.push(stored.offset, event) {
                    held.noted(&run, at);
                    held.now = held.now.max(at);
                    held.latest = held.latest.max(at);
                    if telling == Telling::Theirs {
                        held.told_by_another(began, &run);
                        is_awaited |= run.iter().any(|(_, event)| rows::is_awaited(&event.body));
                    }
                    self.fold_run(run, telling).await?;
                }
            }
            held.applied = last + 1;
            match telling {
                Telling::Again | Telling::Silent => self.write(held).await?,
                Telling::Theirs => self.write_some_time(held, is_awaited).await?,
            }
        }
    }

    /// Lets out the Tells of events that were folded by somebody who tells no one.
    async fn tell_again(&mut self, held: &mut Held) -> Result<(), Error> {
        let Some(from) = held.untold.take() else { return Ok(()) };
        let (mut filter, mut at) = (from.filter(), from.offset);
        while at < held.applied {
            let batch = self.world.log.read(self.seat.events, at, READ_BYTES_MAX).await?;
            let Some(last) = batch.last().map(|stored| stored.offset) else { break };
            let mut events = Vec::with_capacity(batch.len());
            for stored in batch.iter().filter(|stored| stored.offset < held.applied) {
                let Some(event) = event_of(stored)? else { continue };
                let run = filter.push(stored.offset, event).into_iter().flatten();
                events.extend(run.map(|(_, event)| event));
            }
            self.tell(events.iter()).await?;
            at = last + 1;
        }
        Ok(())
    }

    async fn fold_run(&mut self, run: Run, telling: Telling) -> Result<(), Error> {
        let events: Vec<Recorded<Event>> = run.into_iter().map(|(_, event)| event).collect();
        match telling {
            Telling::Silent => {
                let touched = events.iter().flat_map(|event| touched_by(&event.meta, &event.body));
                let keys = touched.chain(touched_anyway(&events)).collect();
                self.load(keys).await?;
                fold(&mut self.rows, &events);
                Ok(())
            }
            Telling::Theirs => self.fold_theirs(events).await.map(|_| ()),
            Telling::Again => {
                let events = self.fold_theirs(events).await?;
                #[cfg(feature = "canary")]
                if domain::canary::planted(domain::canary::Canary::ForgottenTell) {
                    return Ok(());
                }
                self.tell(events.iter()).await
            }
        }
    }
}

impl Held {
    /// Notes who claimed, and that something was decided.
    pub(super) fn noted(&mut self, run: &Run, at: Timestamp) {
        match run.first().map(|(_, event)| &event.body) {
            Some(Event::OwnershipClaimed(e)) => self.fruitless.claimed(&e.node, at),
            Some(event) if !event.is_of_owner() => self.fruitless.decided(),
            Some(_) | None => {}
        }
    }
}

/// The event in a record; `None` for a command, which shares the stream of the configuration.
pub(super) fn event_of(stored: &Stored) -> Result<Option<Recorded<Event>>, Error> {
    if stored.record.is_no_event() {
        return Ok(None);
    }
    codec::decode::<Event>(&stored.record.value)
        .map(Some)
        .map_err(|error| Error::Corrupt(format!("event at {}: {error}", stored.offset)))
}

impl Owner {
    /// Folds every event that is not in the rows yet, without claiming or telling anyone. For
    /// looking at rows while no node runs. Gives the offset after the last event.
    ///
    /// # Errors
    /// `Corrupt`: an event does not decode, or the rows are ahead of the log.
    pub async fn fold_rest(&mut self) -> Result<Offset, Error> {
        let checkpoint = self.checkpoint().await?;
        self.fold_from(&checkpoint).await
    }

    /// Folds every event again, into tables that were cleared. What was told before is not told
    /// again.
    ///
    /// # Errors
    /// `Corrupt`: an event does not decode.
    pub async fn fold_all(&mut self) -> Result<Offset, Error> {
        let checkpoint = self.last_checkpoint().await?.without_rows();
        self.fold_from(&checkpoint).await
    }

    async fn fold_from(&mut self, checkpoint: &Checkpoint) -> Result<Offset, Error> {
        let mut held = checkpoint.held();
        held.untold = Some(checkpoint.told);
        self.catch_up(&mut held, Telling::Silent).await?;
        loop {
            self.expire(held.latest).await?;
            if !self.may_expire_more() {
                return Ok(held.applied);
            }
        }
    }
}

/// Whether folding the decisions of others lets their Tells out again. Callers of this node get their
/// answers, unless it is silent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Telling {
    /// They are let out: the owner before may not have done it.
    Again,
    /// They are not, and who takes the partition over does it from here on.
    Silent,
    /// Their owner lets them out, on another node.
    Theirs,
}
