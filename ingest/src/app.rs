//! What the door works with.

use crate::auth::KeySource;
use crate::directory::Directory;
use crate::history::{History, Inbox};
use crate::webhook::Judge;
use ports::{Answers, Backlog, Clock, Feed, Level, Log, Meter, Random, Vault};
use std::sync::Arc;

/// What the door works with.
pub struct App {
    /// Where commands go.
    pub log: Arc<dyn Log>,
    /// Seals and opens payloads.
    pub vault: Arc<Vault>,
    /// The configuration.
    pub feed: Arc<Feed>,
    /// Where decisions are waited for.
    pub answers: Answers,
    /// What tenants have waiting.
    pub backlog: Backlog,
    /// What may be written to the log.
    pub level: Level,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Entropy; it must be such that no one can guess it.
    pub random: Arc<dyn Random>,
    /// Connected users, as their owners know them.
    pub directory: Arc<dyn Directory>,
    /// Executions.
    pub history: Arc<dyn History>,
    /// Webhooks that came.
    pub inbox: Arc<dyn Inbox>,
    /// Fetches published key sets.
    pub key_source: Arc<dyn KeySource>,
    /// Runs functions that say whether a webhook is genuine.
    pub judge: Arc<dyn Judge>,
    /// Hears what is refused without a trace.
    pub meter: Arc<dyn Meter>,
    /// Where the schemas of the log are, if a registry of others has them.
    pub registry: Option<String>,
    /// Bounds.
    pub limits: Limits,
    /// SHA-256 of the key of the admin API; `None` turns the admin API off.
    pub admin_key_hash: Option<[u8; 32]>,
}

/// Bounds of the door.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Largest body of the SDK and admin APIs, in bytes.
    pub body_bytes_max: usize,
    /// Largest body of a webhook, in bytes. GitHub sends up to 25 MiB.
    pub webhook_bytes_max: usize,
    /// Bytes kept of the body of a refused webhook.
    pub refused_bytes_max: usize,
    /// Refused webhooks kept per integration and minute; more are only refused.
    pub refused_per_minute_max: u32,
    /// Events in one batch.
    pub batch_events_max: usize,
    /// How long a body may take to arrive, in milliseconds.
    pub body_timeout_ms: u64,
    /// How long a caller waits for a workflow's response, in milliseconds.
    pub response_timeout_ms: u64,
    /// How long a caller waits for a decision, in milliseconds.
    pub decision_timeout_ms: u64,
    /// How long owners may have to work on what a tenant has waiting, in milliseconds, before the
    /// door takes in no more of it.
    pub tenant_lag_ms_max: u64,
    /// How long a caller waits until it can read what it wrote, in milliseconds.
    pub visible_timeout_ms: u64,
    /// Longest life of a user token, in seconds.
    pub token_life_s_max: i64,
    /// Verified tokens remembered.
    pub token_cache_max: usize,
    /// How long a fetched key set counts as fresh, in milliseconds.
    pub key_set_fresh_ms: i64,
    /// How long an opened webhook secret is kept, in milliseconds.
    pub secret_fresh_ms: i64,
    /// Step input or output above this is not shown by the Task History API, in bytes.
    pub step_bytes_shown_max: i64,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self {
            body_bytes_max: 10 * MIB,
            webhook_bytes_max: 25 * MIB,
            refused_bytes_max: 16 * 1024,
            refused_per_minute_max: 60,
            batch_events_max: 1_000,
            body_timeout_ms: 60_000,
            response_timeout_ms: 55_000,
            decision_timeout_ms: 10_000,
            tenant_lag_ms_max: 1_000,
            visible_timeout_ms: 2_000,
            token_life_s_max: 30 * 24 * 3_600,
            token_cache_max: 65_536,
            key_set_fresh_ms: 300_000,
            secret_fresh_ms: 60_000,
            step_bytes_shown_max: 5 * 1024 * 1024,
        }
    }
}
