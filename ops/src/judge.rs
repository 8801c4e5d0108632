//! Functions of projects that say whether a webhook is genuine.

use async_trait::async_trait;
use connectors::sandbox::{Call, Fault, Sandbox, Tenant};
use ingest::{NoVerdict, Question};
use serde_json::Value;
use std::sync::Arc;

/// How long a function may take over a webhook, whose provider waits.
const TIMEOUT_MS: u32 = 2_000;
/// It says yes or no.
const ANSWER_BYTES_MAX: u64 = 1_024;

pub(crate) struct Judge(pub(crate) Arc<Sandbox>);

#[async_trait]
impl ingest::Judge for Judge {
    async fn judge(&self, question: Question<'_>) -> Result<Value, NoVerdict> {
        let call = Call {
            id: question.integration.0,
            // Strangers send webhooks: all of a project take one turn beside its users.
            tenant: Tenant { project: question.project, user: String::new() },
            code: question.code.to_owned(),
            parameters: question.webhook.to_string(),
            timeout_ms: TIMEOUT_MS,
            output_bytes_max: ANSWER_BYTES_MAX,
            runs: 1,
        };
        self.0.call(call).await.map_err(|fault| match fault {
            Fault::Busy => NoVerdict::Busy,
            fault => NoVerdict::Failed(fault.code()),
        })
    }
}
