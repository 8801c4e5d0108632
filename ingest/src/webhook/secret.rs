//! The secrets that webhooks are signed with, opened and kept for a moment.

use crate::auth::Open;
use crate::door::Door;
use crate::problem::{Outcome, WEBHOOK_UNCONFIGURED};
use domain::config::{IntegrationSettings, webhook_secret_name};
use domain::id::IntegrationId;
use domain::key::Key;
use domain::time::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

const SECRETS_MAX: usize = 10_000;

/// Opened secrets. A changed one has another fingerprint, and is opened anew at once.
pub(crate) struct Secrets {
    fresh_ms: i64,
    opened: Mutex<HashMap<IntegrationId, Opened>>,
}

struct Opened {
    fingerprint: String,
    at: Timestamp,
    secret: Secret,
}

pub(super) type Secret = Arc<Zeroizing<Vec<u8>>>;

impl Secrets {
    pub(crate) fn new(fresh_ms: i64) -> Self {
        Self { fresh_ms, opened: Mutex::new(HashMap::new()) }
    }

    fn get(&self, id: IntegrationId, fingerprint: &str, now: Timestamp) -> Option<Secret> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let known = opened.get(&id).filter(|known| known.fingerprint == fingerprint)?;
        (now.since_ms(known.at) < self.fresh_ms).then(|| Arc::clone(&known.secret))
    }

    fn put(&self, id: IntegrationId, entry: Opened) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.len() >= SECRETS_MAX {
            opened.clear();
        }
        opened.insert(id, entry);
    }
}

impl Door {
    /// The secret that the integration's webhooks are signed with.
    pub(super) async fn webhook_secret(
        &self,
        open: &Open,
        integration: &IntegrationSettings,
    ) -> Outcome<Secret> {
        let id = integration.id;
        let sealed = open.project.secrets.get(&webhook_secret_name(id));
        let (fingerprint, sealed) = sealed.ok_or_else(|| {
            tracing::error!(integration = %id, "an integration has no webhook secret");
            WEBHOOK_UNCONFIGURED.plain()
        })?;
        let now = self.now();
        if let Some(secret) = self.secrets.get(id, fingerprint, now) {
            return Ok(secret);
        }
        let clear = self.open(&Key::Project(open.id), sealed).await?;
        let secret = Arc::new(Zeroizing::new(clear.to_vec()));
        let fingerprint = fingerprint.clone();
        self.secrets.put(id, Opened { fingerprint, at: now, secret: Arc::clone(&secret) });
        Ok(secret)
    }
}
