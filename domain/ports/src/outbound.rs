//! The way out: everything that a step wants of the world.

use async_trait::async_trait;
use domain::config::{IntegrationSettings, ProjectSettings};
use domain::effect::Call;
use domain::time::Timestamp;
use domain::workflow::{Scope, Workflow};
use serde_json::Value;
use std::sync::Arc;

/// An effect to perform, with everything opened that it needs.
#[derive(Clone, Debug)]
pub struct Job {
    /// Which step, for whom, which attempt.
    pub call: Call,
    /// The version that the run is pinned to; the step is `workflow.steps[call.index]`.
    pub workflow: Arc<Workflow>,
    /// The integration that the workflow belongs to.
    pub integration: Arc<IntegrationSettings>,
    /// The project's limits.
    pub settings: Arc<ProjectSettings>,
    /// What `{{…}}` in the step can refer to.
    pub scope: Scope,
}

/// The world's answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Outcome {
    /// When the attempt began.
    pub started_at: Timestamp,
    /// What was sent, as history shows it. It holds no secret that the step did not spell out.
    pub input: Value,
    /// The step's output (`{"response": …}`, `{"result": …}`), or `{"error": …}`.
    pub output: Value,
    /// `None` when it went well; else why not.
    pub failure: Option<Failure>,
    /// HTTP status, where there was one.
    pub status: Option<u16>,
    /// Whether this was a page of a paginated request, and there are more.
    pub goes_on: bool,
}

/// Why an attempt failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// A public error code.
    pub code: &'static str,
    /// Whether trying again could help.
    pub retryable: bool,
    /// The provider's own word on when to come back, in milliseconds.
    pub retry_after_ms: Option<i64>,
}

/// Performs effects. At least once: it may be called again with the same effect key after a crash.
#[async_trait]
pub trait Outbound: Send + Sync {
    /// Performs one attempt. It always comes back, with a failure at the latest at the step's
    /// time-out.
    async fn perform(&self, job: Job) -> Outcome;
}
