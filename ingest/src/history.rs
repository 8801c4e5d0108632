//! What projections fold for the door to serve.

use async_trait::async_trait;
use domain::command::{Command, ReplayExecution};
use domain::id::{EventId, ExecutionId, ProjectId, StepId};
use domain::meta::Recorded;
use domain::payload::Payload;
use domain::time::Month;
use domain::view::{
    Deliveries, Delivery, DeliveryFilter, ExecutionFilter, Executions, ExecutionsReplay, Parked,
    Replay, Run, StepContents, Unkept, Usage, UserUsage,
};
use ports::Error;
use uuid::Uuid;

/// Executions and their steps.
#[async_trait]
pub trait History: Send + Sync {
    /// Returns when history shows everything about the execution that was durable at the call.
    ///
    /// # Errors
    /// As [`History::list`].
    async fn settle(&self, id: ExecutionId) -> Result<(), Error>;

    /// A page of executions.
    ///
    /// # Errors
    /// `Unavailable`: it cannot be read now.
    async fn list(&self, project: ProjectId, filter: &ExecutionFilter)
    -> Result<Executions, Error>;

    /// One execution with its steps; `None` if the project has no such execution.
    ///
    /// # Errors
    /// As [`History::list`].
    async fn run(&self, project: ProjectId, id: ExecutionId) -> Result<Option<Run>, Error>;

    /// The runs of the items of its fan outs, each with its steps, in the order of their arrays; the
    /// first ones, if there are many.
    ///
    /// # Errors
    /// As [`History::list`].
    async fn items(&self, run: &Run) -> Result<Vec<Run>, Error>;

    /// What one attempt of a step took in and gave, the last one if none is named; `None` if the
    /// execution has no such step, or the step no such attempt.
    ///
    /// # Errors
    /// As [`History::list`].
    async fn step(
        &self,
        project: ProjectId,
        id: ExecutionId,
        step: Uuid,
        attempt: Option<usize>,
    ) -> Result<Option<StepContents>, Error>;

    /// The command that runs an execution again, from a step if one is named.
    ///
    /// # Errors
    /// As [`History::list`]; within it, why it cannot be run again so.
    async fn replay(
        &self,
        project: ProjectId,
        run: &Run,
        from: Option<StepId>,
    ) -> Result<Result<ReplayExecution, Unkept>, Error>;

    /// What the project used, month by month up to `now`, newest first.
    ///
    /// # Errors
    /// As [`History::list`].
    async fn usage(&self, project: ProjectId, now: Month) -> Result<Vec<Usage>, Error>;

    /// What users used in a month: at most so many behind a user, in the order of their ids.
    ///
    /// # Errors
    /// As [`History::list`].
    async fn usage_of_users(
        &self,
        project: ProjectId,
        month: Month,
        page: (&str, usize),
    ) -> Result<Vec<UserUsage>, Error>;

    /// Replays of many executions, newest first.
    ///
    /// # Errors
    /// As [`History::list`].
    async fn replays(&self, project: ProjectId) -> Result<Vec<ExecutionsReplay>, Error>;

    /// Commands that were parked, newest first.
    ///
    /// # Errors
    /// As [`History::list`].
    async fn parked(&self, project: ProjectId) -> Result<Vec<Parked>, Error>;

    /// A parked command as it stands in the log; `None` if the log has forgotten it.
    ///
    /// # Errors
    /// As [`History::list`].
    async fn command(&self, parked: &Parked) -> Result<Option<Recorded<Command>>, Error>;
}

/// Webhooks that came, also refused and unmatched ones.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// A page of deliveries, newest first.
    ///
    /// # Errors
    /// `Unavailable`: it cannot be read now.
    async fn list(&self, project: ProjectId, filter: &DeliveryFilter) -> Result<Deliveries, Error>;

    /// One delivery, with what was sent, sealed under the key of its integration's address;
    /// `None` if the project has no such delivery.
    ///
    /// # Errors
    /// As [`Inbox::list`].
    async fn read(
        &self,
        project: ProjectId,
        id: EventId,
    ) -> Result<Option<(Delivery, Payload)>, Error>;

    /// Replays of many deliveries, newest first.
    ///
    /// # Errors
    /// As [`Inbox::list`].
    async fn replays(&self, project: ProjectId) -> Result<Vec<Replay>, Error>;
}
