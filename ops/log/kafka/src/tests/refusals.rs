//! What goes wrong is one line that says what to do.

use super::options;
use crate::{KafkaLog, Options};
use ports::Error;

async fn refused(options: Options) -> String {
    match KafkaLog::open(options).await {
        Err(Error::Unavailable(line) | Error::Corrupt(line) | Error::Conflict(line)) => line,
        Ok(_) => unreachable!("it opens"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_not_there() {
    let line = refused(options()).await;
    assert!(line.ends_with("run `millrace migrate`"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_does_not_answer() {
    let quick = Options { request_timeout_ms: 1_500, ..Options::new("127.0.0.1:1", "m") };
    let line = refused(quick).await;
    assert!(line.contains("no answer from Kafka at 127.0.0.1:1"), "{line}");
    assert!(line.contains("check kafka.brokers"), "{line}");
}
