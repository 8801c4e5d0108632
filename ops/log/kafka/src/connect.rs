//! Clients of the cluster, and what their errors mean.

use crate::options::Options;
use ports::Error;
use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a client may take to say why nothing works, in so many turns.
const LISTEN: Duration = Duration::from_millis(20);
const LISTENS_MAX: u32 = 50;

/// What every client is made with.
pub(crate) fn config(options: &Options) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &options.brokers)
        .set("client.id", "millrace")
        .set("socket.nagle.disable", "true")
        .set("socket.keepalive.enable", "true")
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "1000")
        .set_log_level(RDKafkaLogLevel::Warning);
    let protocol = match (&options.tls, &options.sasl) {
        (None, None) => "plaintext",
        (Some(_), None) => "ssl",
        (None, Some(_)) => "sasl_plaintext",
        (Some(_), Some(_)) => "sasl_ssl",
    };
    config.set("security.protocol", protocol);
    if let Some(tls) = &options.tls {
        let files = [
            ("ssl.ca.location", &tls.authority_file),
            ("ssl.certificate.location", &tls.certificate_file),
            ("ssl.key.location", &tls.key_file),
        ];
        for (name, file) in files {
            if let Some(file) = file {
                config.set(name, file.to_string_lossy());
            }
        }
    }
    if let Some(sasl) = &options.sasl {
        config.set("sasl.mechanism", sasl.mechanism.name());
        config.set("sasl.username", &sasl.user).set("sasl.password", sasl.password.as_str());
    }
    config
}

/// What every reading client is made with: it is told where to read, and commits nothing.
pub(crate) fn reader(options: &Options) -> ClientConfig {
    let mut config = config(options);
    config
        // A reader without a group is refused; it never joins one.
        .set("group.id", format!("{}.readers", options.prefix))
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("isolation.level", "read_uncommitted")
        .set("fetch.wait.max.ms", "100")
        .set("fetch.error.backoff.ms", "50")
        .set("queued.max.messages.kbytes", "16384")
        // Who has as much as that at hand waits this long before it fetches again; by default a second.
        .set("fetch.queue.backoff.ms", "10");
    config
}

/// Follows what a client says about itself.
#[derive(Clone, Default)]
pub(crate) struct Ear {
    last: Arc<Mutex<Option<(RDKafkaErrorCode, String)>>>,
}

impl Ear {
    /// Lets a client that could not be asked say why: it does so only when it is polled.
    pub(crate) fn listen(&self, consumer: &BaseConsumer<Ear>) {
        for _ in 0..LISTENS_MAX {
            if self.last.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
                return;
            }
            let _ = consumer.poll(LISTEN);
        }
    }

    /// Why nothing works, as far as the client has said.
    pub(crate) fn why(&self, options: &Options, otherwise: &KafkaError) -> String {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match last {
            Some((code, reason)) => explain(options, code, &reason),
            None => described(options, otherwise),
        }
    }
}

impl ClientContext for Ear {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, message, "kafka client");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let Some(code) = error.rdkafka_error_code() else { return };
        if code == RDKafkaErrorCode::PartitionEOF {
            return; // what its reader asked to be told
        }
        tracing::warn!(%code, reason, "kafka");
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // That no broker is left follows from what was said before.
        if code != RDKafkaErrorCode::AllBrokersDown || last.is_none() {
            *last = Some((code, reason.to_owned()));
        }
    }
}

impl ConsumerContext for Ear {}

/// One line: what is wrong, and the mend.
fn explain(options: &Options, code: RDKafkaErrorCode, reason: &str) -> String {
    match code {
        RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed => {
            "Kafka refuses the user or the password: check kafka.sasl_user, kafka.sasl_password and \
             kafka.sasl_mechanism"
                .to_owned()
        }
        RDKafkaErrorCode::SSL => {
            format!("TLS with Kafka fails ({reason}): check kafka.tls and kafka.tls_authority_file")
        }
        RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic => {
            format!("a topic of {}.* is missing in Kafka: run `millrace migrate`", options.prefix)
        }
        RDKafkaErrorCode::NotEnoughReplicas | RDKafkaErrorCode::NotEnoughReplicasAfterAppend => {
            "too few replicas of a topic are in sync: bring the brokers back, or lower its \
             min.insync.replicas"
                .to_owned()
        }
        RDKafkaErrorCode::TopicAuthorizationFailed
        | RDKafkaErrorCode::GroupAuthorizationFailed
        | RDKafkaErrorCode::ClusterAuthorizationFailed => format!(
            "Kafka does not allow this user to use {}.*: grant it read, write and describe",
            options.prefix
        ),
        _ => format!(
            "no answer from Kafka at {} ({reason}): check kafka.brokers, and that the brokers run",
            options.brokers
        ),
    }
}

/// One line for an error of the client.
pub(crate) fn described(options: &Options, error: &KafkaError) -> String {
    match error.rdkafka_error_code() {
        Some(code) => explain(options, code, &error.to_string()),
        None => format!("Kafka: {error}"),
    }
}

/// What to do about an error: most pass by themselves.
pub(crate) fn unavailable(options: &Options, error: &KafkaError) -> Error {
    Error::Unavailable(described(options, error))
}
