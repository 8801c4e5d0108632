//! The ports that every consumer of the log works with.

use crate::handover::Handover;
use crate::under_way::UnderWay;
use ports::{Answers, Backlog, Clock, Feed, Level, Log, Meter, Random, Store, Vault};
use std::sync::Arc;

/// The ports that every consumer of the log works with.
#[derive(Clone)]
pub struct World {
    /// The log.
    pub log: Arc<dyn Log>,
    /// Rows.
    pub store: Arc<dyn Store>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Entropy.
    pub random: Arc<dyn Random>,
    /// Seals and opens.
    pub vault: Arc<Vault>,
    /// The configuration.
    pub feed: Arc<Feed>,
    /// Who waits for answers.
    pub answers: Answers,
    /// What tenants have waiting.
    pub backlog: Backlog,
    /// Who hears what is done.
    pub meter: Arc<dyn Meter>,
    /// The attempts of steps that this process performs.
    pub under_way: UnderWay,
    /// Outcomes on their way to owners.
    pub handover: Handover,
    /// What may be written.
    pub level: Level,
}

impl World {
    /// A positive random number.
    pub(crate) fn random_i64(&self) -> i64 {
        let mut bytes = [0u8; 8];
        self.random.fill(&mut bytes);
        i64::from_be_bytes(bytes) & i64::MAX
    }

    /// Entropy for a UUIDv7.
    pub(crate) fn entropy(&self) -> [u8; 10] {
        let mut bytes = [0u8; 10];
        self.random.fill(&mut bytes);
        bytes
    }
}
