//! What the door reads, over what the projections wrote.

use async_trait::async_trait;
use domain::command::{Command, ReplayExecution};
use domain::id::{CommandId, EventId, ExecutionId, ProjectId, StepId};
use domain::meta::Recorded;
use domain::payload::Payload;
use domain::state::{Seen, User};
use domain::time::Month;
use domain::view::{
    Deliveries, Delivery, DeliveryFilter, ExecutionFilter, Executions, ExecutionsReplay, Parked,
    Replay, Run, StepContents, Unkept, Usage, UserUsage,
};
use ports::Error;
use projections::directory::DirectoryReader;
use projections::history::HistoryReader;
use projections::inbox::InboxReader;
use uuid::Uuid;

pub(crate) struct Users(pub(crate) DirectoryReader);

#[async_trait]
impl ingest::Directory for Users {
    async fn user(&self, project: ProjectId, user: &str) -> Result<Option<User>, Error> {
        self.0.user(project, user).await
    }

    async fn seen(
        &self,
        project: ProjectId,
        user: &str,
        command: CommandId,
    ) -> Result<Option<Seen>, Error> {
        self.0.seen(project, user, command).await
    }
}

pub(crate) struct Tasks(pub(crate) HistoryReader);

#[async_trait]
impl ingest::History for Tasks {
    async fn settle(&self, id: ExecutionId) -> Result<(), Error> {
        self.0.settle(id).await
    }

    async fn list(
        &self,
        project: ProjectId,
        filter: &ExecutionFilter,
    ) -> Result<Executions, Error> {
        self.0.list(project, filter).await
    }

    async fn run(&self, project: ProjectId, id: ExecutionId) -> Result<Option<Run>, Error> {
        self.0.run(project, id).await
    }

    async fn items(&self, run: &Run) -> Result<Vec<Run>, Error> {
        self.0.items(run).await
    }

    async fn step(
        &self,
        project: ProjectId,
        id: ExecutionId,
        step: Uuid,
        attempt: Option<usize>,
    ) -> Result<Option<StepContents>, Error> {
        self.0.step(project, id, step, attempt).await
    }

    async fn replay(
        &self,
        project: ProjectId,
        run: &Run,
        from: Option<StepId>,
    ) -> Result<Result<ReplayExecution, Unkept>, Error> {
        self.0.replay(project, run, from).await
    }

    async fn usage(&self, project: ProjectId, now: Month) -> Result<Vec<Usage>, Error> {
        self.0.usage(project, now).await
    }

    async fn usage_of_users(
        &self,
        project: ProjectId,
        month: Month,
        page: (&str, usize),
    ) -> Result<Vec<UserUsage>, Error> {
        self.0.usage_of_users(project, month, page).await
    }

    async fn replays(&self, project: ProjectId) -> Result<Vec<ExecutionsReplay>, Error> {
        self.0.replays(project).await
    }

    async fn parked(&self, project: ProjectId) -> Result<Vec<Parked>, Error> {
        self.0.parked(project).await
    }

    async fn command(&self, parked: &Parked) -> Result<Option<Recorded<Command>>, Error> {
        self.0.command(parked).await
    }
}

pub(crate) struct Webhooks(pub(crate) InboxReader);

#[async_trait]
impl ingest::Inbox for Webhooks {
    async fn list(&self, project: ProjectId, filter: &DeliveryFilter) -> Result<Deliveries, Error> {
        self.0.list(project, filter).await
    }

    async fn read(
        &self,
        project: ProjectId,
        id: EventId,
    ) -> Result<Option<(Delivery, Payload)>, Error> {
        self.0.read(project, id).await
    }

    async fn replays(&self, project: ProjectId) -> Result<Vec<Replay>, Error> {
        self.0.replays(project).await
    }
}

/// Key sets of identity providers, fetched through the egress guard.
pub(crate) struct KeySets(pub(crate) connectors::http::Client);

/// A key set is small, and a caller waits for it.
const KEY_SET_BYTES_MAX: u64 = 256 * 1024;
const KEY_SET_TIMEOUT_MS: u32 = 5_000;

#[async_trait]
impl ingest::KeySource for KeySets {
    async fn fetch(&self, url: &str) -> Result<String, Error> {
        let call = connectors::http::Call::get(url, KEY_SET_TIMEOUT_MS, KEY_SET_BYTES_MAX)
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        let answer = self.0.send(call).await;
        let answer = answer.map_err(|error| Error::Unavailable(error.to_string()))?;
        if answer.status != 200 {
            return Err(Error::Unavailable(format!("status {}", answer.status)));
        }
        String::from_utf8(answer.body.to_vec())
            .map_err(|_| Error::Unavailable("the key set is not text".into()))
    }
}
