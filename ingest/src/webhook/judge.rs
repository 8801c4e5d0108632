//! Functions of projects that say whether a webhook is genuine.

use super::arrival::Arrival;
use crate::door::Door;
use crate::problem::{Outcome, VERIFIER_BUSY};
use crate::sdk::trigger::headers_map;
use async_trait::async_trait;
use domain::event::Verdict;
use domain::id::{IntegrationId, ProjectId};
use serde_json::{Value, json};

/// Runs the functions.
#[async_trait]
pub trait Judge: Send + Sync {
    /// What the function gives for a webhook: `{method, url, headers, params, body, secret}`, the
    /// body as text.
    ///
    /// # Errors
    /// There is no room for it now, or it gave nothing.
    async fn judge(&self, question: Question<'_>) -> Result<Value, NoVerdict>;
}

/// What a function is asked. It holds the secret.
pub struct Question<'a> {
    /// Whose it is.
    pub project: ProjectId,
    /// The integration that the webhook is for.
    pub integration: IntegrationId,
    /// JavaScript that defines `yourFunction`.
    pub code: &'a str,
    /// What it is given.
    pub webhook: Value,
}

/// Why there is no verdict.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoVerdict {
    /// There is no room now: ask again.
    Busy,
    /// It failed: the code. What it said may hold the secret.
    Failed(&'static str),
}

impl Door {
    /// Asks the integration's function. What it fails over is not genuine.
    pub(super) async fn asked(
        &self,
        (project, integration): (ProjectId, IntegrationId),
        (code, secret): (&str, &[u8]),
        arrival: &Arrival<'_>,
    ) -> Outcome<Verdict> {
        let webhook = json!({
            "method": arrival.method.as_str(),
            "url": arrival.url,
            "headers": headers_map(arrival.headers),
            "params": arrival.params,
            "body": String::from_utf8_lossy(arrival.body),
            "secret": String::from_utf8_lossy(secret),
        });
        match self.app.judge.judge(Question { project, integration, code, webhook }).await {
            Ok(Value::Bool(true)) => Ok(Verdict::Verified),
            Ok(_) => Ok(Verdict::Forged),
            Err(NoVerdict::Busy) => Err(VERIFIER_BUSY.plain()),
            Err(NoVerdict::Failed(code)) => {
                tracing::warn!(%integration, code, "the function that verifies webhooks failed");
                Ok(Verdict::Forged)
            }
        }
    }
}
