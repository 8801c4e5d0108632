//! The door: what it works with, and what it remembers between requests.

use crate::app::App;
use crate::auth::{KeySets, Published, TokenCache};
use crate::problem::{Outcome, PROJECT_UNKNOWN};
use crate::webhook::{Refusals, Secrets};
use bytes::Bytes;
use domain::config::{Config, Project};
use domain::id::{ExecutionId, ProjectId};
use domain::key::Key;
use domain::payload::Payload;
use domain::state::User;
use domain::time::Timestamp;
use ports::VaultError;
use std::sync::Arc;
use std::time::Duration;

/// The door, as every handler gets it.
pub(crate) type Shared = Arc<Door>;

/// What the door works with, and what it remembers between requests. All of it can be forgotten.
pub(crate) struct Door {
    pub(crate) app: App,
    pub(crate) tokens: TokenCache,
    pub(crate) key_sets: KeySets,
    pub(crate) published: Published,
    pub(crate) secrets: Secrets,
    pub(crate) refusals: Refusals,
}

impl Door {
    pub(crate) fn new(app: App) -> Self {
        let tokens = TokenCache::new(app.limits.token_cache_max);
        let secrets = Secrets::new(app.limits.secret_fresh_ms);
        let refusals = Refusals::new(app.limits.refused_per_minute_max);
        let (key_sets, published) = (KeySets::default(), Published::default());
        Self { app, tokens, key_sets, published, secrets, refusals }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    pub(crate) fn config(&self) -> Arc<Config> {
        self.app.feed.current()
    }

    pub(crate) fn project(&self, id: ProjectId) -> Outcome<Arc<Project>> {
        let config = self.config();
        config.projects.get(&id).cloned().ok_or_else(|| PROJECT_UNKNOWN.plain().of(id))
    }

    /// Seals bytes of any size under a key.
    pub(crate) async fn seal(&self, key: &Key, clear: &[u8]) -> Outcome<Payload> {
        self.app.vault.prepare(key).await?;
        Ok(self.app.vault.store(key, clear).await?)
    }

    /// Opens what was sealed under a key, also one that another node made since.
    pub(crate) async fn open(&self, key: &Key, payload: &Payload) -> Outcome<Bytes> {
        match self.app.vault.fetch(key, payload).await {
            Err(VaultError::KeyGone { .. }) => {
                self.app.vault.refresh().await?;
                Ok(self.app.vault.fetch(key, payload).await?)
            }
            fetched => Ok(fetched?),
        }
    }

    /// Waits until history shows the execution as it was when somebody asked for it: whoever was
    /// told its id, or has just cancelled it, finds it so. After `visible_timeout_ms` history is
    /// as it is.
    pub(crate) async fn settle(&self, id: ExecutionId) -> Outcome<()> {
        let wait = Duration::from_millis(self.app.limits.visible_timeout_ms);
        match tokio::time::timeout(wait, self.app.history.settle(id)).await {
            Ok(settled) => Ok(settled?),
            Err(_) => Ok(()),
        }
    }

    /// The connected user; one that was never heard of has nothing.
    pub(crate) async fn user(&self, project: ProjectId, user: &str) -> Outcome<User> {
        Ok(self.app.directory.user(project, user).await?.unwrap_or_default())
    }

    /// The connected user once it shows what was just decided. An owner answers a little before
    /// its rows are saved; whoever reads after it wrote must not see the old ones. After
    /// `visible_timeout_ms` it is the user as it is.
    pub(crate) async fn user_with(
        &self,
        project: ProjectId,
        user: &str,
        shows: impl Fn(&User) -> bool,
    ) -> Outcome<User> {
        let (mut waited_ms, mut pause_ms) = (0, 1);
        loop {
            let row = self.user(project, user).await?;
            if shows(&row) || waited_ms >= self.app.limits.visible_timeout_ms {
                return Ok(row);
            }
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            waited_ms += pause_ms;
            pause_ms = (pause_ms * 2).min(100);
        }
    }
}
