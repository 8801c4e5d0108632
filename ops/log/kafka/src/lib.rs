//! The log on Apache Kafka: streams are topics, and consensus, replication and retention are the
//! cluster's.
//!
//! Appends go through two shared idempotent producers with `acks=all`; each append resolves when
//! the delivery callbacks of its records have come. The newest records of every partition that
//! somebody reads are in memory: one consumer reads what others append, and what this process
//! appends is there without being read. So an owner and any number of projections at the end of a
//! partition cost one fetch, or none; who reads further back gets a consumer of its own for that
//! stretch.
//!
//! A completed append proves nothing about ownership by itself: any number of processes append
//! ([`ports::Log::exclusive`] is false). Offsets that follow what was read show that no claim came
//! in between.

mod append;
mod cold;
mod connect;
mod draft;
mod header;
mod identity;
mod log;
mod migrate;
mod options;
mod registered;
mod tail;
mod topic;

pub use draft::Draft;
pub use identity::Identity;
pub use log::KafkaLog;
pub use migrate::{Plan, Wanted, plan};
pub use options::{Mechanism, Options, Sasl, Tls};
pub use registered::Registered;

#[cfg(test)]
mod tests;
