//! Following the owner of a partition, on another node.
//!
//! A follower folds what stands into rows of its own, so that it can take over at once, and
//! answers callers of its own node. It decides nothing and tells no one.
//!
//! What the owner's decisions want told, the owner lets out before it decides its next batch, and
//! a new owner lets out again before it decides anything. So of all decisions in the log, at most
//! the last batch was not told. Whoever takes over tells that many again; recipients drop repeats.

use super::checkpoint::Mark;
use super::replay::Replays;
use super::schedule::Look;
use super::{BATCH_COMMANDS_MAX, Held, Owner};
use domain::event::Event;
use domain::meta::{Actor, Recorded};
use domain::run::Run;
use domain::state::{RowKey, fold, touched_anyway, touched_by};
use ports::{Asked, Error, Offset};

use super::claim::Telling;

impl Owner {
    /// Folds what was decided on another node since the last time. Gives the offset after the last
    /// event. An owner that holds its partition lets go of it.
    ///
    /// # Errors
    /// As [`Owner::turn`]; its memory is dropped.
    pub async fn follow(&mut self) -> Result<Offset, Error> {
        let followed = self.follow_on().await;
        if followed.is_err() {
            self.resign();
        }
        followed
    }

    async fn follow_on(&mut self) -> Result<Offset, Error> {
        self.step_down().await?;
        let mut held = match self.standby.take() {
            Some(held) => held,
            None => {
                self.doubt_rows().await?;
                self.checkpoint().await?.held()
            }
        };
        self.catch_up(&mut held, Telling::Theirs).await?;
        let next = held.applied;
        self.standby = Some(held);
        self.disown().await?;
        Ok(next)
    }

    /// Lets go of the partition, and keeps its rows.
    async fn step_down(&mut self) -> Result<(), Error> {
        let Some(held) = self.held.take() else { return Ok(()) };
        tracing::info!(seat = self.seat.number(), "the partition is handed over");
        self.write(&held).await?;
        self.doubt_rows().await?;
        self.standby = Some(held);
        self.inbox = None;
        self.busy_since = None;
        self.taken_up_at = None;
        self.queues.clear();
        self.timers.clear();
        // Whoever holds the partition from now on goes on with them: what was sent of them, and
        // which schedules were looked at, means nothing when it is taken again.
        self.replays = Replays::default();
        self.schedules = Look::default();
        Ok(())
    }

    /// Folds a decision of another owner, answers who waits for it here, and gives it back.
    pub(super) async fn fold_theirs(
        &mut self,
        run: Vec<Recorded<Event>>,
    ) -> Result<Vec<Recorded<Event>>, Error> {
        let Some(cause) = run.first().map(|event| event.meta.clone()) else { return Ok(run) };
        self.doubt(&run);
        let is_waited = !self.world.answers.is_empty();
        let touched = run.iter().flat_map(|event| touched_by(&event.meta, &event.body));
        let asked = is_waited.then_some(RowKey::Seen(cause.command_id));
        let keys = touched.chain(touched_anyway(&run)).chain(asked).collect();
        self.load(keys).await?;
        if cause.actor != Actor::System {
            self.world.backlog.decided(std::iter::once(cause.key.as_str()), (0, 0));
        }
        if !is_waited {
            fold(&mut self.rows, &run);
            return Ok(run);
        }
        // Who is to be told is read off the rows as they were before.
        let mut decided = self.answers(&cause, run);
        fold(&mut self.rows, &decided.run);
        self.repeat_answer(Asked::of(&cause), &mut decided);
        self.answer_callers(&decided);
        Ok(decided.run)
    }
}

impl Held {
    /// Notes a decision of another owner, which lets out its Tells by itself: all but those of its
    /// last batch are out.
    pub(super) fn told_by_another(&mut self, began: Mark, run: &Run) {
        if run.first().is_none_or(|(_, event)| event.body.is_of_owner()) {
            return;
        }
        #[cfg(feature = "canary")]
        if domain::canary::planted(domain::canary::Canary::TrustingFollower) {
            self.untold = None;
            return;
        }
        self.untold.get_or_insert(began);
        self.recent.push_back(began);
        if self.recent.len() > BATCH_COMMANDS_MAX {
            self.recent.pop_front();
            self.untold = self.recent.front().copied();
        }
    }
}
