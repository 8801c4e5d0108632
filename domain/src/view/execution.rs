//! Task History: executions and their steps (behaviours.md 25-28).

use crate::event::{Ending, ExecutionsReplayRequested, StepKind, TriggerKind};
use crate::id::{CommandId, CredentialId, ExecutionId, IntegrationId, StepId, WorkflowId};
use crate::payload::Payload;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How far an execution or a step of it has come, as people see it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Status {
    /// It waits for its turn.
    Queued,
    /// It is being worked on.
    Running,
    /// It waits for a moment: a delay, a retry.
    Waiting,
    /// It waits until something lets it go on: its integration is inactive.
    Paused,
    /// It ended well.
    Succeeded,
    /// It failed for good.
    Errored,
    /// Somebody ended it.
    Cancelled,
}

impl Status {
    /// Every status.
    pub const ALL: [Status; 7] = [
        Status::Queued,
        Status::Running,
        Status::Waiting,
        Status::Paused,
        Status::Succeeded,
        Status::Errored,
        Status::Cancelled,
    ];

    /// How a run that ended so is shown.
    pub fn ended(ending: Ending) -> Self {
        match ending {
            Ending::Succeeded => Status::Succeeded,
            Ending::Failed => Status::Errored,
            Ending::Cancelled => Status::Cancelled,
        }
    }

    /// Whether the run is over.
    pub fn is_end(self) -> bool {
        matches!(self, Status::Succeeded | Status::Errored | Status::Cancelled)
    }

    /// The word of the Task History API.
    pub fn public(self) -> &'static str {
        match self {
            Status::Queued | Status::Running => "EXECUTING",
            Status::Waiting | Status::Paused => "DELAYED",
            Status::Succeeded => "SUCCEEDED",
            Status::Errored | Status::Cancelled => "FAILED",
        }
    }

    /// What the word of the Task History API stands for; none if it is no such word.
    pub fn of_public(word: &str) -> Vec<Status> {
        Self::ALL.into_iter().filter(|status| status.public() == word).collect()
    }
}

/// One run of a workflow version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Execution {
    /// The run.
    pub id: ExecutionId,
    /// `sub` of the user.
    pub user: String,
    /// The workflow.
    pub workflow: WorkflowId,
    /// The version it stays on.
    pub version: i32,
    /// The integration that the workflow belongs to.
    pub integration: IntegrationId,
    /// The connected account it works for.
    pub credential: CredentialId,
    /// How it began.
    pub trigger: TriggerKind,
    /// The name of the app event or webhook trigger.
    pub trigger_detail: String,
    /// How far it has come.
    pub status: Status,
    /// Why it failed, as a public error code; empty if it did not.
    pub code: String,
    /// Metered tasks.
    pub task_count: i32,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What it repeats.
    pub original: Option<Original>,
    /// Whether somebody paused it.
    pub is_paused: bool,
    /// Whether it only tries a workflow out.
    pub is_test: bool,
}

/// The run that another one repeats.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Original {
    /// The run.
    pub execution: ExecutionId,
    /// The step that it was repeated from; `None`: the first.
    pub from: Option<StepId>,
    /// Whether the trigger's output was not the same.
    pub is_edited: bool,
    /// The replay of many that it was part of.
    pub replay: Option<CommandId>,
}

/// What kind of step was run; the trigger counts as the first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum StepType {
    /// The trigger.
    Trigger(TriggerKind),
    /// A step.
    Step(StepKind),
    /// An item of a fan out; it counts as the first step of its run.
    Item,
}

impl StepType {
    /// The word of the Task History API.
    pub fn public(self) -> &'static str {
        match self {
            StepType::Trigger(TriggerKind::AppEvent) => "TRIGGER/EVENT",
            StepType::Trigger(TriggerKind::Request) => "TRIGGER/ENDPOINT",
            StepType::Trigger(TriggerKind::Webhook) => "TRIGGER/WEBHOOK",
            StepType::Trigger(TriggerKind::Schedule) => "TRIGGER/CRON",
            StepType::Trigger(TriggerKind::IntegrationEnabled) => "TRIGGER/INTEGRATION_ENABLED",
            StepType::Trigger(TriggerKind::Other) => "TRIGGER/OTHER",
            StepType::Step(StepKind::Request) => "ACTION/REQUEST",
            StepType::Step(StepKind::IntegrationRequest) => "ACTION/CUSTOM_INTEGRATION_REQUEST",
            StepType::Step(StepKind::Function) => "ACTION/FUNCTION",
            StepType::Step(StepKind::Conditional) => "TRANSITION/IFELSE",
            StepType::Step(StepKind::Delay) => "TRANSITION/DELAY",
            StepType::Step(StepKind::Response) => "ACTION/RESPONSE",
            StepType::Step(StepKind::FanOut) => "TRANSITION/MAP",
            StepType::Item => "TRANSITION/MAP_ITEM",
            StepType::Step(StepKind::Other) => "ACTION/OTHER",
        }
    }
}

/// One attempt of a step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Attempt {
    /// How far it has come.
    pub status: Status,
    /// Why it failed, as a public error code; empty if it did not.
    pub code: String,
    /// When it began; until it does, since when it waits for its turn.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// When the next attempt is due, if it failed and there is one.
    pub retry_at: Option<Timestamp>,
    /// Bytes of the input.
    pub input_size: i64,
    /// Bytes of the output.
    pub output_size: i64,
}

impl Attempt {
    /// It ended well, and took in and gave so many bytes.
    pub fn gave(&mut self, at: Timestamp, (input_size, output_size): (i32, i32)) {
        self.status = Status::Succeeded;
        self.ended_at = Some(at);
        self.input_size = i64::from(input_size);
        self.output_size = i64::from(output_size);
    }
}

/// One step of a run, over all its attempts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StepExecution {
    /// The step execution; unique over all executions.
    pub id: Uuid,
    /// The step; for the trigger the id of the workflow.
    pub step: StepId,
    /// How far it has come.
    pub status: Status,
    /// What kind of step it is.
    pub kind: StepType,
    /// Whether it was not performed: what it gave in the run that is repeated counts.
    pub is_kept: bool,
    /// Its attempts, the first one first; none while it only waits for a moment.
    pub attempts: Vec<Attempt>,
    /// When the first attempt began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The step executions after it.
    pub next: Vec<Uuid>,
    /// The step execution before it.
    pub prev: Option<Uuid>,
}

impl StepExecution {
    /// Bytes of the input and the output of its last attempt.
    pub fn sizes(&self) -> (i32, i32) {
        let last = self.attempts.last();
        let size = |bytes: i64| i32::try_from(bytes).unwrap_or(i32::MAX);
        last.map_or((0, 0), |attempt| (size(attempt.input_size), size(attempt.output_size)))
    }
}

/// One run with its steps, in the order in which they began.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Run {
    /// The run.
    pub execution: Execution,
    /// Its steps.
    pub steps: Vec<StepExecution>,
}

/// Why a run cannot be repeated, or not from a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unkept {
    /// It is an item of a fan out, and no execution of its own.
    Item,
    /// A step before it fanned out, and what its items gave is not kept.
    FannedOut,
    /// A step before it asked for several pages, and they are not kept together.
    Paged,
    /// What the steps before it gave is too much for one record.
    TooLarge,
    /// What it began with, or a step gave, is gone.
    Gone,
}

impl Run {
    /// The step that the run ended with, because it failed.
    pub fn failed_step(&self) -> Option<StepId> {
        let last = self.steps.last().filter(|_| self.execution.status == Status::Errored)?;
        (last.status == Status::Errored).then_some(last.step)
    }

    /// The steps whose results count when the run is repeated from a step, in their order.
    ///
    /// # Errors
    /// [`Unkept`]: what one of them gave is not at hand as a whole.
    pub fn kept_before(&self, from: StepId) -> Result<Vec<(&StepExecution, StepKind)>, Unkept> {
        let before = self.steps.iter().take_while(|step| step.step != from);
        let mut kept = Vec::new();
        for step in before.filter(|step| step.ended_at.is_some()) {
            let StepType::Step(kind) = step.kind else { continue };
            let pages = step.attempts.iter().filter(|attempt| attempt.status == Status::Succeeded);
            match kind {
                StepKind::FanOut => return Err(Unkept::FannedOut),
                _ if pages.count() > 1 => return Err(Unkept::Paged),
                _ => kept.push((step, kind)),
            }
        }
        Ok(kept)
    }
}

/// What one attempt of a step took in and gave, sealed under the user's key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StepContents {
    /// `sub` of the user.
    pub user: String,
    /// Whether the run is a test.
    pub is_test: bool,
    /// The step execution.
    pub step: StepExecution,
    /// The attempt, from 1.
    pub number: usize,
    /// Of the trigger: its output as JSON. Of a step: see [`crate::exchange`].
    pub sealed: Payload,
}

/// A replay of many executions, over all partitions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ExecutionsReplay {
    /// What was asked for.
    pub asked: ExecutionsReplayRequested,
    /// When.
    pub requested_at: Timestamp,
    /// Executions that were replayed so far; whether each could start, it shows itself.
    pub replayed: u64,
    /// Executions that could not be: their records are gone, or what came before the step is not
    /// kept.
    pub skipped: u64,
    /// Whether there are no more.
    pub is_done: bool,
}

/// In which order executions are listed, by when they began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Sort {
    /// Oldest first.
    Ascending,
    /// Newest first.
    #[default]
    Descending,
}

/// Which executions to list; a field that is not set lets all pass.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ExecutionFilter {
    /// Of one user.
    pub user: Option<String>,
    /// Of one workflow.
    pub workflow: Option<WorkflowId>,
    /// Of the workflows of one integration.
    pub integration: Option<IntegrationId>,
    /// With one of these; empty lets all pass.
    pub statuses: Vec<Status>,
    /// Begun before.
    pub before: Option<Timestamp>,
    /// Begun after.
    pub after: Option<Timestamp>,
    /// Skip so many.
    pub offset: u64,
    /// At most so many.
    pub limit: usize,
    /// In which order.
    pub sort: Sort,
}

/// A page of executions.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Executions {
    /// The page.
    pub rows: Vec<Execution>,
    /// How many the filter lets pass, over all pages.
    pub total: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_word_and_every_word_its_statuses() {
        for status in Status::ALL {
            assert!(Status::of_public(status.public()).contains(&status));
        }
        assert_eq!(Status::of_public("DELAYED"), [Status::Waiting, Status::Paused]);
        assert!(Status::of_public("delayed").is_empty());
    }
}
