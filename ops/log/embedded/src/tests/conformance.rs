use crate::{EmbeddedLog, Options};
use async_trait::async_trait;
use ports::Log;
use ports::conformance::log::{Subject, suite};
use std::sync::Arc;

struct Opened(Options);

#[async_trait]
impl Subject for Opened {
    async fn open(&self) -> Arc<dyn Log> {
        Arc::new(EmbeddedLog::open(self.0.clone()).expect("it opens"))
    }

    async fn reopen(&self, log: Arc<dyn Log>) -> Arc<dyn Log> {
        drop(log);
        self.open().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_a_log() {
    let folder = tempfile::tempdir().expect("a folder");
    suite(&Opened(Options::new(folder.path(), 8))).await;
}

/// Nothing stays in memory, little is in an index, and almost every group rolls.
#[tokio::test(flavor = "multi_thread")]
async fn it_is_a_log_when_everything_is_small() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options {
        segment_bytes: 16 << 10,
        group_bytes_max: 8 << 10,
        queue_bytes_max: 4 << 10,
        queue_records_max: 10,
        tail_bytes_max: 0,
        indexes_max: 1,
        ..Options::new(folder.path(), 8)
    };
    suite(&Opened(options)).await;
}

#[tokio::test]
async fn it_is_a_log_without_waiting_for_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    suite(&Opened(Options { together: false, ..Options::new(folder.path(), 8) })).await;
}
