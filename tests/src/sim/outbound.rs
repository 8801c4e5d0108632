//! The world outside: it fails sometimes, and counts who asked for what.

use super::project::PAGES;
use async_trait::async_trait;
use domain::effect::EffectKey;
use domain::workflow::Action;
use ports::model::clock::ModelClock;
use ports::model::random::SeededRandom;
use ports::{Clock, Failure, Job, Outbound, Outcome};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Times that each attempt of an effect reached the world.
pub(super) type Attempts = BTreeMap<(EffectKey, i32), u32>;

/// The world outside, shared by all nodes.
pub(super) struct Outside {
    random: SeededRandom,
    attempts: Mutex<Attempts>,
}

impl Outside {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: SeededRandom::new(seed), attempts: Mutex::default() }
    }

    pub(super) fn attempts(&self) -> Attempts {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn failure(&self) -> Option<Failure> {
        match self.random.index(10) {
            0 => Some(Failure { code: "GONE", retryable: false, retry_after_ms: None }),
            1 => Some(Failure { code: "BUSY", retryable: true, retry_after_ms: None }),
            2 => Some(Failure { code: "LATER", retryable: true, retry_after_ms: Some(30_000) }),
            _ => None,
        }
    }
}

/// Whether a page was asked for, and there is another.
fn has_more(job: &Job) -> bool {
    let step = job.workflow.steps.get(usize::from(job.call.index));
    let is_page = step.is_some_and(|step| matches!(step.action, Action::Request(_)));
    is_page && job.call.page < PAGES
}

/// The way out of one node: the world, seen by the node's own clock.
pub(super) struct WayOut {
    pub(super) outside: Arc<Outside>,
    pub(super) clock: Arc<ModelClock>,
}

#[async_trait]
impl Outbound for WayOut {
    async fn perform(&self, job: Job) -> Outcome {
        let attempt = (job.call.key, job.call.attempt);
        let mut attempts = self.outside.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        *attempts.entry(attempt).or_default() += 1;
        let failure = self.outside.failure();
        let output = match &failure {
            None => json!({ "result": job.scope.trigger }),
            Some(failure) => json!({ "error": { "message": failure.code } }),
        };
        Outcome {
            started_at: self.clock.now(),
            input: json!({}),
            output,
            goes_on: failure.is_none() && has_more(&job),
            failure,
            status: None,
        }
    }
}
