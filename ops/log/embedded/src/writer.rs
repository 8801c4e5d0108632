//! The thread that writes: one group, one write, one sync.

use crate::archive::Archive;
use crate::folder::Folder;
use crate::frame::{Codec, Mark, Stamp};
use crate::index::{Index, Place};
use crate::keeper::Keeper;
use crate::order::{Group, Order, Ticket, Voided};
use crate::segment::{MARK_BYTES, START, Segment};
use ports::log::{Offset, Partition};
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;

/// From so many appends in a group on, many append.
const SHARED_MIN: usize = 8;

/// What became of the appends of a group.
pub(crate) enum Done {
    Durable(Vec<Ticket>),
    Void(Vec<(Ticket, Voided)>),
}

pub(crate) struct Writer {
    pub(crate) folder: Arc<Folder>,
    pub(crate) order: Arc<Order>,
    pub(crate) archive: Arc<Archive>,
    pub(crate) keeper: Arc<Keeper>,
    /// Answers go to a task, one message a group: waking each waiter from here costs more. The
    /// queue's bounds bound it.
    pub(crate) done: UnboundedSender<Done>,
    pub(crate) group_bytes_max: usize,
    /// The least time between the beginnings of two groups while many append.
    pub(crate) spacing: Duration,
    pub(crate) current: Option<Current>,
    /// The last durable group.
    pub(crate) group: u64,
}

/// The segment in use.
pub(crate) struct Current {
    pub(crate) segment: Arc<Segment>,
    /// Behind the last durable group.
    pub(crate) end: u64,
    /// A group was lost: its offsets are missing, and what the disk holds of its bytes is unknown.
    /// The next group begins another segment, which says where this one ends.
    pub(crate) spoiled: bool,
}

/// A group as it is to be written.
#[derive(Default)]
struct Encoded {
    bytes: Vec<u8>,
    places: Vec<(Partition, Offset, Place)>,
}

impl Writer {
    /// The thread; ends when the log is closed.
    pub(crate) fn run(mut self) {
        let mut encoded = Encoded::default();
        let mut pause = Duration::ZERO;
        loop {
            thread::sleep(pause);
            let begun = Instant::now();
            let Some(group) = self.order.gather() else { return };
            let is_shared = group.batches.len() >= SHARED_MIN;
            let done = match self.commit(&group, &mut encoded) {
                Ok(()) => {
                    self.order.durable(&group);
                    Done::Durable(group.tickets())
                }
                Err(error) => {
                    let why = describe(&error);
                    tracing::error!(%error, "a group of appends could not be made durable");
                    Done::Void(self.order.void(group, &why))
                }
            };
            // Without its runtime no one waits for an answer.
            let _ = self.done.send(done);
            if encoded.bytes.capacity() > 2 * self.group_bytes_max {
                encoded = Encoded::default();
            }
            pause = if is_shared {
                self.spacing.saturating_sub(begun.elapsed())
            } else {
                Duration::ZERO
            };
        }
    }

    fn commit(&mut self, group: &Group, encoded: &mut Encoded) -> io::Result<()> {
        let fits = self.current.as_ref().is_some_and(|current| {
            !current.spoiled && current.end + group.bytes as u64 <= current.segment.bytes
        });
        let written = if fits { self.go_on(group, encoded) } else { self.begin(group, encoded) };
        if written.is_err()
            && let Some(current) = &mut self.current
        {
            current.spoiled = true;
        }
        written?;
        self.group += 1;
        self.archive.push(&encoded.places);
        if let Some(current) = &self.current {
            self.keeper.used(current.end, current.segment.bytes);
        }
        Ok(())
    }

    /// Writes behind the last group.
    fn go_on(&mut self, group: &Group, encoded: &mut Encoded) -> io::Result<()> {
        let Some(current) = &mut self.current else { return Ok(()) };
        let segment = &current.segment;
        encoded.encode(&segment.codec, group, (self.group + 1, current.end), None);
        if let Err(error) = store(segment, &encoded.bytes, current.end) {
            // So that a crash before the next segment begins does not bring it back. If this
            // fails too, a crash may: the outcome was called unknown.
            let _ = segment.erase(current.end, current.end + encoded.bytes.len() as u64);
            return Err(error);
        }
        current.end += encoded.bytes.len() as u64;
        Ok(())
    }

    /// Writes into a new segment, and only then closes the one in use.
    fn begin(&mut self, group: &Group, encoded: &mut Encoded) -> io::Result<()> {
        let mut segment = self.keeper.take()?;
        let mark = match &self.current {
            Some(current) => Mark { previous: current.segment.number, end: current.end },
            None => Mark { previous: 0, end: 0 },
        };
        encoded.encode(&segment.codec, group, (self.group + 1, START), Some(mark));
        let end = START + encoded.bytes.len() as u64;
        let written = segment.grow(end).and_then(|()| store(&segment, &encoded.bytes, START));
        if let Err(error) = written {
            // Nothing refers to it; if it stays, opening removes it.
            let _ = self.folder.disk.remove(&self.folder.segment(segment.number));
            return Err(error);
        }
        if let Some(current) = &self.current {
            self.archive.seal(current.end, self.group);
        }
        let segment = Arc::new(segment);
        self.archive.activate(segment.clone(), Index::default());
        self.current = Some(Current { segment, end, spoiled: false });
        Ok(())
    }
}

impl Encoded {
    fn encode(
        &mut self,
        codec: &Codec,
        group: &Group,
        (number, start): (u64, u64),
        mark: Option<Mark>,
    ) {
        self.bytes.clear();
        self.places.clear();
        self.bytes.reserve(group.bytes + MARK_BYTES);
        if let Some(mark) = mark {
            codec.put_mark(&mut self.bytes, number, mark);
        }
        let mut items = group.items().peekable();
        while let Some(item) = items.next() {
            let position = start + self.bytes.len() as u64;
            let stamp = Stamp { group: number, closes: items.peek().is_none() };
            let bytes = codec.put(&mut self.bytes, stamp, item.partition, &item.stored);
            let place = Place { position: position as u32, bytes };
            self.places.push((item.partition, item.stored.offset, place));
        }
    }
}

fn store(segment: &Segment, bytes: &[u8], position: u64) -> io::Result<()> {
    segment.file.write_at(bytes, position)?;
    segment.file.sync()
}

fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => format!("disk full: {error}"),
        _ => format!("the disk refuses: {error}"),
    }
}
