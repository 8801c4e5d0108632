//! What the door reads, over what the projections wrote.

use async_trait::async_trait;
use domain::id::{ExecutionId, ProjectId};
use domain::state::User;
use domain::view::{
    Deliveries, DeliveryFilter, ExecutionFilter, Executions, Run, StepContents,
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
}

pub(crate) struct Tasks(pub(crate) HistoryReader);

#[async_trait]
impl ingest::History for Tasks {
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

    async fn step(
        &self,
        project: ProjectId,
        id: ExecutionId,
        step: Uuid,
    ) -> Result<Option<StepContents>, Error> {
        self.0.step(project, id, step).await
    }
}

pub(crate) struct Webhooks(pub(crate) InboxReader);

#[async_trait]
impl ingest::Inbox for Webhooks {
    async fn list(&self, project: ProjectId, filter: &DeliveryFilter) -> Result<Deliveries, Error> {
        self.0.list(project, filter).await
    }
}
