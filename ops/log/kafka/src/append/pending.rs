//! Appends that are on their way, and the delivery reports that end them.

use crate::connect::Ear;
use crate::tail::Lanes;
use ports::{Offset, Partition, Record};
use rdkafka::ClientContext;
use rdkafka::Message;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::ProducerContext;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Hands delivery reports to the appends that they are about, on the client's thread.
#[derive(Default)]
pub(super) struct Reports(Ear);

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.0.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.error(error, reason);
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<Ticket>;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: Box<Ticket>) {
        match result {
            Ok(message) => ticket.delivered(message.offset()),
            Err((error, _)) => ticket.append.fail(error.clone(), 1),
        }
    }
}

/// The place of one record in its append.
pub(super) struct Ticket {
    pub(super) append: Arc<Pending>,
    pub(super) index: usize,
}

impl Ticket {
    fn delivered(&self, offset: Offset) {
        self.append.offsets[self.index].store(offset, Ordering::Relaxed);
        self.append.leave(1);
    }
}

/// An append whose records are on their way.
pub(super) struct Pending {
    pub(super) records: Vec<(Partition, Record)>,
    lanes: Arc<Lanes>,
    offsets: Vec<AtomicI64>,
    left: AtomicUsize,
    failure: Mutex<Option<KafkaError>>,
    done: Mutex<Option<oneshot::Sender<Outcome>>>,
}

/// Where the records of an append stand, or why it is not known that all do.
pub(super) type Outcome = Result<Vec<Offset>, KafkaError>;

impl Pending {
    /// An append, and who waits for it. What it appends, `lanes` take in.
    pub(super) fn new(
        records: Vec<(Partition, Record)>,
        lanes: &Arc<Lanes>,
    ) -> (Arc<Self>, oneshot::Receiver<Outcome>) {
        let (done, waiting) = oneshot::channel();
        let count = records.len();
        let pending = Self {
            records,
            lanes: lanes.clone(),
            offsets: (0..count).map(|_| AtomicI64::new(-1)).collect(),
            left: AtomicUsize::new(count),
            failure: Mutex::new(None),
            done: Mutex::new(Some(done)),
        };
        (Arc::new(pending), waiting)
    }

    /// So many of its records are not on their way, or are lost.
    pub(super) fn fail(&self, error: KafkaError, records: usize) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        self.leave(records);
    }

    fn leave(&self, records: usize) {
        if self.left.fetch_sub(records, Ordering::AcqRel) == records {
            self.end();
        }
    }

    /// Readers in this process have the records, and hear of them, before who appended them: a
    /// decision waits for the command and not for its sender.
    fn end(&self) {
        let outcome: Outcome =
            match self.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
                Some(error) => Err(error),
                None => Ok(self.offsets.iter().map(|at| at.load(Ordering::Relaxed)).collect()),
            };
        if let Ok(offsets) = &outcome {
            self.lanes.appended(&self.records, offsets);
        }
        if let Some(done) = self.done.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Who gave up waiting does not hear of it.
            let _ = done.send(outcome);
        }
    }
}
