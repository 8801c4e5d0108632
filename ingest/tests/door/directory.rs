//! What the door reads, as tests set it.

use crate::owner::Owner;
use async_trait::async_trait;
use domain::command::{Command, ReplayExecution};
use domain::id::{CommandId, EventId, ExecutionId, ProjectId, StepId};
use domain::meta::Recorded;
use domain::payload::Payload;
use domain::state::{RowKey, Seen, User};
use domain::time::Month;
use domain::view::{
    Deliveries, Delivery, DeliveryFilter, Execution, ExecutionFilter, Executions, ExecutionsReplay,
    Parked, Replay, Run, Sort, StepContents, Unkept, Usage, UserUsage,
};
use ports::Error;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uuid::Uuid;

/// Users as they were when rows were last saved: behind the owner, as in a node.
#[derive(Default)]
pub(crate) struct Users {
    rows: Mutex<Vec<(RowKey, User)>>,
    seen: Mutex<BTreeMap<CommandId, Seen>>,
}

impl Users {
    /// Saves the owner's users.
    pub(crate) fn save(&self, owner: &Owner, known: &[(ProjectId, String)]) {
        let keys = known.iter().map(|(project, user)| RowKey::User(*project, user.clone()));
        let users = keys.filter_map(|key| Some((key.clone(), owner.rows.user(&key)?.clone())));
        *self.rows.lock().unwrap() = users.collect();
        let seen = owner.decided.iter().filter_map(|id| Some((*id, owner.rows.seen(*id)?.clone())));
        *self.seen.lock().unwrap() = seen.collect();
    }
}

#[async_trait]
impl ingest::Directory for Users {
    async fn user(&self, project: ProjectId, user: &str) -> Result<Option<User>, Error> {
        let wanted = RowKey::User(project, user.to_owned());
        let users = self.rows.lock().unwrap();
        Ok(users.iter().find(|(key, _)| *key == wanted).map(|(_, user)| user.clone()))
    }

    async fn seen(&self, _: ProjectId, _: &str, id: CommandId) -> Result<Option<Seen>, Error> {
        Ok(self.seen.lock().unwrap().get(&id).cloned())
    }
}

/// Executions that a test puts in.
#[derive(Default)]
pub(crate) struct Tasks {
    pub(crate) rows: Mutex<Vec<Execution>>,
    pub(crate) run: Mutex<Option<Run>>,
    /// A run that is durable and not folded yet.
    pub(crate) coming: Mutex<Option<Run>>,
    /// Nothing is folded any more.
    pub(crate) stuck: AtomicBool,
    pub(crate) steps: Mutex<Vec<StepContents>>,
    /// What a replay of the run is.
    pub(crate) replay: Mutex<Option<Result<ReplayExecution, Unkept>>>,
    pub(crate) replays: Mutex<Vec<ExecutionsReplay>>,
    /// Commands that were parked, as the log has them.
    pub(crate) parked: Mutex<Vec<(Parked, Option<Recorded<Command>>)>>,
    pub(crate) asked: Mutex<Vec<ExecutionFilter>>,
}

#[async_trait]
impl ingest::History for Tasks {
    async fn settle(&self, id: ExecutionId) -> Result<(), Error> {
        if self.stuck.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        let mut coming = self.coming.lock().unwrap();
        if coming.as_ref().is_some_and(|run| run.execution.id == id) {
            *self.run.lock().unwrap() = coming.take();
        }
        Ok(())
    }

    async fn list(&self, _: ProjectId, filter: &ExecutionFilter) -> Result<Executions, Error> {
        self.asked.lock().unwrap().push(filter.clone());
        let rows = self.rows.lock().unwrap();
        let passes = |row: &&Execution| {
            (filter.statuses.is_empty() || filter.statuses.contains(&row.status))
                && filter.user.as_ref().is_none_or(|user| *user == row.user)
        };
        let mut found: Vec<Execution> = rows.iter().filter(passes).cloned().collect();
        if filter.sort == Sort::Descending {
            found.reverse();
        }
        let total = found.len() as u64;
        let skip = usize::try_from(filter.offset).unwrap_or(usize::MAX);
        let rows = found.into_iter().skip(skip).take(filter.limit).collect();
        Ok(Executions { rows, total })
    }

    async fn run(&self, _: ProjectId, id: ExecutionId) -> Result<Option<Run>, Error> {
        Ok(self.run.lock().unwrap().clone().filter(|run| run.execution.id == id))
    }

    async fn items(&self, _: &Run) -> Result<Vec<Run>, Error> {
        Ok(Vec::new())
    }

    async fn step(
        &self,
        _: ProjectId,
        _: ExecutionId,
        step: Uuid,
        attempt: Option<usize>,
    ) -> Result<Option<StepContents>, Error> {
        let steps = self.steps.lock().unwrap();
        let wanted = |known: &&StepContents| {
            known.step.id == step && attempt.is_none_or(|number| number == known.number)
        };
        Ok(steps.iter().rev().find(wanted).cloned())
    }

    async fn replay(
        &self,
        _: ProjectId,
        _: &Run,
        from: Option<StepId>,
    ) -> Result<Result<ReplayExecution, Unkept>, Error> {
        let replay = self.replay.lock().unwrap().clone();
        Ok(replay.unwrap_or(Err(Unkept::Gone)).map(|c| ReplayExecution { from, ..c }))
    }

    async fn usage(&self, _: ProjectId, _: Month) -> Result<Vec<Usage>, Error> {
        Ok(Vec::new())
    }

    async fn usage_of_users(
        &self,
        _: ProjectId,
        _: Month,
        _: (&str, usize),
    ) -> Result<Vec<UserUsage>, Error> {
        Ok(Vec::new())
    }

    async fn replays(&self, _: ProjectId) -> Result<Vec<ExecutionsReplay>, Error> {
        Ok(self.replays.lock().unwrap().clone())
    }

    async fn parked(&self, _: ProjectId) -> Result<Vec<Parked>, Error> {
        Ok(self.parked.lock().unwrap().iter().map(|(row, _)| row.clone()).collect())
    }

    async fn command(&self, parked: &Parked) -> Result<Option<Recorded<Command>>, Error> {
        let rows = self.parked.lock().unwrap();
        Ok(rows.iter().find(|(row, _)| row == parked).and_then(|(_, command)| command.clone()))
    }
}

/// Webhooks that a test puts in.
#[derive(Default)]
pub(crate) struct Webhooks {
    /// What each of them sent, sealed.
    pub(crate) sent: Mutex<Option<Payload>>,
    pub(crate) rows: Mutex<Vec<Delivery>>,
    pub(crate) asked: Mutex<Vec<DeliveryFilter>>,
    pub(crate) replays: Mutex<Vec<Replay>>,
}

#[async_trait]
impl ingest::Inbox for Webhooks {
    async fn list(&self, _: ProjectId, filter: &DeliveryFilter) -> Result<Deliveries, Error> {
        self.asked.lock().unwrap().push(filter.clone());
        let rows = self.rows.lock().unwrap().clone();
        Ok(Deliveries { total: rows.len() as u64, rows })
    }

    async fn read(&self, _: ProjectId, id: EventId) -> Result<Option<(Delivery, Payload)>, Error> {
        let rows = self.rows.lock().unwrap();
        let found = rows.iter().find(|row| row.id == id).cloned();
        let sent = self.sent.lock().unwrap().clone();
        Ok(found.zip(sent))
    }

    async fn replays(&self, _: ProjectId) -> Result<Vec<Replay>, Error> {
        Ok(self.replays.lock().unwrap().clone())
    }
}

/// An identity provider that publishes keys, or is down.
#[derive(Default)]
pub(crate) struct Provider {
    pub(crate) document: Mutex<Option<String>>,
    pub(crate) fetches: Mutex<u32>,
    /// Where it was asked last.
    pub(crate) asked_at: Mutex<String>,
}

#[async_trait]
impl ingest::KeySource for Provider {
    async fn fetch(&self, url: &str) -> Result<String, Error> {
        url.clone_into(&mut self.asked_at.lock().unwrap());
        *self.fetches.lock().unwrap() += 1;
        let document = self.document.lock().unwrap().clone();
        document.ok_or_else(|| Error::Unavailable("down".into()))
    }
}

/// Functions have no room.
#[derive(Default)]
pub(crate) struct Functions {
    pub(crate) asked: Mutex<Vec<Value>>,
}

#[async_trait]
impl ingest::Judge for Functions {
    async fn judge(&self, question: ingest::Question<'_>) -> Result<Value, ingest::NoVerdict> {
        self.asked.lock().unwrap().push(question.webhook);
        Err(ingest::NoVerdict::Busy)
    }
}

/// Everything that the door reads.
#[derive(Clone, Default)]
pub(crate) struct Readers {
    pub(crate) users: Arc<Users>,
    pub(crate) tasks: Arc<Tasks>,
    pub(crate) webhooks: Arc<Webhooks>,
    pub(crate) provider: Arc<Provider>,
    pub(crate) functions: Arc<Functions>,
}
