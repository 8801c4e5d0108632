//! The configuration as it stands, folded from `config` and shared with everyone who reads it.

use crate::error::Error;
use crate::log::{Log, Partition};
use domain::codec;
use domain::config::Config;
use domain::event::Event;
use domain::run::Filter;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// Bytes read from `config` at a time.
const READ_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The configuration as it stands.
pub struct Feed {
    log: Arc<dyn Log>,
    current: RwLock<Arc<Config>>,
    reader: Mutex<Reader>,
}

struct Reader {
    next: i64,
    filter: Filter,
    config: Config,
}

impl Feed {
    /// A feed that has read nothing yet; call [`Feed::refresh`].
    pub fn new(log: Arc<dyn Log>) -> Self {
        let config = Config::default();
        let reader = Reader { next: 0, filter: Filter::default(), config: config.clone() };
        Self { log, current: RwLock::new(Arc::new(config)), reader: Mutex::new(reader) }
    }

    /// The configuration as of the last refresh.
    pub fn current(&self) -> Arc<Config> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads what was decided and is durable since the last time; returns the offset after the last
    /// record read.
    ///
    /// # Errors
    /// `Corrupt`: a record cannot be decoded; the node must not go on with an old configuration.
    pub async fn refresh(&self) -> Result<i64, Error> {
        loop {
            let from = self.reader().next;
            let end = self.log.keepable(Partition::CONFIG).await?;
            let mut batch = self.log.read(Partition::CONFIG, from, READ_BYTES_MAX).await?;
            batch.retain(|stored| stored.offset < end);
            let Some(last) = batch.last().map(|stored| stored.offset) else { return Ok(from) };
            let mut reader = self.reader();
            if reader.next != from {
                continue; // somebody else has read the same
            }
            for stored in &batch {
                let record = &stored.record;
                if record.is_no_event() {
                    continue;
                }
                let event = codec::decode::<Event>(&record.value)
                    .map_err(|error| Error::Corrupt(error.to_string()))?;
                let reader = &mut *reader;
                if let Some(run) = reader.filter.push(stored.offset, event) {
                    for (offset, recorded) in &run {
                        let folded = reader.config.fold(*offset, recorded);
                        folded.map_err(|error| Error::Corrupt(error.to_string()))?;
                    }
                }
            }
            reader.next = last + 1;
            let config = Arc::new(reader.config.clone());
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = config;
        }
    }

    fn reader(&self) -> MutexGuard<'_, Reader> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
