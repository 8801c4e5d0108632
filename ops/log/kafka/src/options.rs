//! What a log is opened with.

use std::path::PathBuf;
use zeroize::Zeroizing;

/// How to reach a cluster, and the log in it.
#[derive(Clone, Debug)]
pub struct Options {
    /// Brokers to ask first: `host:port`, separated by commas.
    pub brokers: String,
    /// What the topics' names begin with; the rest is a dot and the name of the stream.
    pub prefix: String,
    /// TLS, unless the connection is in clear.
    pub tls: Option<Tls>,
    /// Who this is, unless the brokers do not ask.
    pub sasl: Option<Sasl>,
    /// Whether settings are accepted under which a cluster may lose what it acknowledged.
    pub dev: bool,
    /// An append whose outcome is not known after so long is given up, in milliseconds.
    pub append_timeout_ms: u64,
    /// How long a question to the brokers may take, in milliseconds.
    pub request_timeout_ms: u64,
    /// Largest record, in bytes.
    pub record_bytes_max: usize,
    /// Records that wait to be sent, per producer.
    pub queue_records_max: usize,
    /// Bytes of records that wait to be sent, per producer.
    pub queue_bytes_max: usize,
    /// How much of the newest records of each partition stays in memory for readers, in bytes.
    pub tail_bytes_max: usize,
    /// Consumers for readers that are further back than that.
    pub cursors_max: usize,
}

/// How to know the brokers, and how they know this node.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// Certificates of the authorities that vouch for the brokers, PEM; those of the system if
    /// `None`.
    pub authority_file: Option<PathBuf>,
    /// This node's certificate, PEM, if the brokers ask for one.
    pub certificate_file: Option<PathBuf>,
    /// Its private key, PEM.
    pub key_file: Option<PathBuf>,
}

/// A user of the cluster.
#[derive(Clone)]
pub struct Sasl {
    /// How the password is shown.
    pub mechanism: Mechanism,
    /// The name.
    pub user: String,
    /// The password.
    pub password: Zeroizing<String>,
}

impl std::fmt::Debug for Sasl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the password.
        f.debug_struct("Sasl").field("user", &self.user).finish_non_exhaustive()
    }
}

/// How a password is shown to a broker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mechanism {
    /// As it is; use TLS with it.
    Plain,
    /// SCRAM with SHA-256.
    ScramSha256,
    /// SCRAM with SHA-512.
    ScramSha512,
}

impl Mechanism {
    /// The name that Kafka gives it.
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

impl Options {
    /// Defaults for a log at these brokers.
    pub fn new(brokers: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            prefix: prefix.into(),
            tls: None,
            sasl: None,
            dev: false,
            append_timeout_ms: 5_000,
            request_timeout_ms: 10_000,
            record_bytes_max: 2 << 20,
            queue_records_max: 100_000,
            queue_bytes_max: 64 << 20,
            tail_bytes_max: 2 << 20,
            cursors_max: 8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_the_options_has_no_password() {
        let (mechanism, user) = (Mechanism::Plain, "me".to_owned());
        let sasl = Some(Sasl { mechanism, user, password: "a secret".to_owned().into() });
        let shown = format!("{:?}", Options { sasl, ..Options::new("b:1", "m") });
        assert!(shown.contains("me") && !shown.contains("a secret"), "{shown}");
    }
}
