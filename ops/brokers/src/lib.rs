//! A real Apache Kafka for development and tests: one broker or three, on loopback, each a process
//! of its own with its data in a folder; a schema registry; and Kafka's own console consumer.
//!
//! A [`Cluster`] is laid out first (ports, settings), then each [`Broker`] is formatted and run by
//! whoever needs it: `cargo x servers` lets brokers go on, `cargo x fault` kills them.

mod broker;
mod certificate;
mod cluster;
mod console;
mod jars;
mod maven;
mod registry;
mod settings;

pub use broker::{Broker, Listener, PASSWORD, Protocol, USER};
pub use certificate::Certificate;
pub use cluster::{Cluster, Ports};
pub use console::{Console, install_deserializer};
pub use jars::install;
pub use registry::{Registry, install_registry};
