//! The log itself.

use crate::archive::Archive;
use crate::disk::{Disk, Local};
use crate::error::OpenError;
use crate::folder::Folder;
use crate::keeper::Keeper;
use crate::options::Options;
use crate::order::{Limits, Order, Tail};
use crate::recovery::{self, Recovered};
use crate::segment::START;
use crate::writer::{Current, Done, Writer};
use async_trait::async_trait;
use ports::Error;
use ports::log::{Log, Offset, Partition, Record, Stored};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use uuid::Uuid;

/// A log in a folder that this process holds alone. Dropping it writes what is queued, and lets
/// go of the folder.
///
/// Records can be read as soon as their order is fixed. `end` is behind the last *durable* one: who
/// keeps anything elsewhere for good keeps only what lies before it.
///
/// When the disk refuses, everything that is ordered and not yet durable is void: its appends fail
/// with `Unavailable`, nothing of it can be read any more, and a reader who had seen some of it
/// gets `Conflict`. Offsets then have a gap. The next append tries again, in a new segment.
pub struct EmbeddedLog {
    folder: Arc<Folder>,
    order: Arc<Order>,
    archive: Arc<Archive>,
    keeper: Arc<Keeper>,
    recovered: Recovered,
    /// The writer's, then the keeper's.
    threads: Vec<JoinHandle<()>>,
}

impl EmbeddedLog {
    /// Opens a log, or creates it. Blocks while it reads what a crash may have left. Must be
    /// called within a tokio runtime, where answers are given.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(options: Options) -> Result<Self, OpenError> {
        Self::open_on(Arc::new(Local), options)
    }

    pub(crate) fn open_on(disk: Arc<dyn Disk>, options: Options) -> Result<Self, OpenError> {
        check(&options)?;
        let limits = Limits::new(&options);
        let runtime = Handle::try_current().map_err(|_| OpenError::Runtime)?;
        let folder = Arc::new(Folder::open(disk, options.folder, options.partitions)?);
        let opened = recovery::open(&folder)?;
        let keeper =
            Keeper::new(folder.clone(), options.segment_bytes, opened.unused, opened.number);
        let keeper = Arc::new(keeper);
        let kept = Some(keeper.clone());
        let archive = Arc::new(Archive::new(folder.clone(), options.indexes_max, kept));
        opened.sealed.into_iter().for_each(|summary| archive.add(summary));
        let current = opened.active.map(|(segment, index, end)| {
            let segment = Arc::new(segment);
            archive.activate(segment.clone(), index);
            Current { segment, end, spoiled: false }
        });
        let order = Arc::new(Order::new(folder.layout, &opened.next, limits));
        let (done, answers) = mpsc::unbounded_channel();
        runtime.spawn(answer(answers));
        let writer = Writer {
            folder: folder.clone(),
            order: order.clone(),
            archive: archive.clone(),
            keeper: keeper.clone(),
            done,
            group_bytes_max: options.group_bytes_max,
            spacing: Duration::from_micros(options.spacing_us),
            current,
            group: opened.group,
        };
        let recovered = opened.recovered;
        let mut log = Self { folder, order, archive, keeper, recovered, threads: Vec::new() };
        let keeper = log.keeper.clone();
        log.threads.push(start("log writer", &log.folder, move || writer.run())?);
        log.threads.push(start("log keeper", &log.folder, move || keeper.run())?);
        Ok(log)
    }

    /// The next record of a partition that never had one gets this offset: those of a log that is
    /// moved keep theirs, also where the first ones are forgotten. A gap stands in front of it.
    ///
    /// # Errors
    /// `Conflict`: the partition has records. Else as [`Log::append`].
    pub async fn begin(&self, partition: Partition, first: Offset) -> Result<(), Error> {
        if !self.order.begin(self.order.slot(partition)?, first - 1) {
            return Err(Error::Conflict(format!("{partition} has records")));
        }
        self.append(vec![(partition, Record::gap())]).await.map(|_| ())
    }

    #[cfg(test)]
    pub(crate) fn order(&self) -> &Order {
        &self.order
    }

    /// What opening found.
    pub const fn recovered(&self) -> Recovered {
        self.recovered
    }
}

fn check(options: &Options) -> Result<(), OpenError> {
    if !(1..=4096).contains(&options.partitions) {
        return Err(OpenError::Option("partitions must be between 1 and 4096"));
    }
    // Positions in a segment have 32 bits; a record of its own size may come on top.
    if !(2 * START..=2 << 30).contains(&options.segment_bytes) {
        return Err(OpenError::Option("segment_bytes must be between 1 KiB and 2 GiB"));
    }
    if options.group_bytes_max > 1 << 30 {
        return Err(OpenError::Option("group_bytes_max must be at most 1 GiB"));
    }
    if options.queue_bytes_max > 1 << 30 || options.queue_records_max > 1 << 28 {
        return Err(OpenError::Option("queue_bytes_max and queue_records_max are too large"));
    }
    Ok(())
}

fn start(
    name: &'static str,
    folder: &Folder,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, OpenError> {
    let thread = thread::Builder::new().name(name.into()).spawn(run);
    thread.map_err(OpenError::io("start a thread for", &folder.path))
}

/// Answers appends, until the writer ends.
async fn answer(mut answers: UnboundedReceiver<Done>) {
    while let Some(done) = answers.recv().await {
        // Whoever has gone away does not hear its answer.
        match done {
            Done::Durable(tickets) => {
                for ticket in tickets {
                    let _ = ticket.sender.send(Ok(ticket.offsets));
                }
            }
            Done::Void(tickets) => {
                for (ticket, voided) in tickets {
                    let _ = ticket.sender.send(Err(voided));
                }
            }
        }
    }
}

#[async_trait]
impl Log for EmbeddedLog {
    fn partitions(&self) -> u16 {
        self.folder.layout.partitions()
    }

    fn identity(&self) -> Uuid {
        self.folder.identity
    }

    fn exclusive(&self) -> bool {
        true
    }

    async fn append(&self, records: Vec<(Partition, Record)>) -> Result<Vec<Offset>, Error> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        match self.order.append(records).await?.await {
            Ok(Ok(offsets)) => Ok(offsets),
            Ok(Err(voided)) => Err(Error::Unavailable(voided.why().to_owned())),
            Err(_) => Err(Error::Unavailable("the log was closed".into())),
        }
    }

    async fn read(
        &self,
        partition: Partition,
        from: Offset,
        bytes_max: usize,
    ) -> Result<Vec<Stored>, Error> {
        let slot = self.order.slot(partition)?;
        match self.order.read(slot, from, bytes_max)? {
            Tail::Records(found) => Ok(found),
            Tail::Older => {
                let archive = self.archive.clone();
                let read = move || archive.read(partition, from, bytes_max);
                let read = tokio::task::spawn_blocking(read).await;
                let found = read.map_err(|_| Error::Unavailable("the log is closing".into()))??;
                if found.is_empty() {
                    return Err(Error::Corrupt(format!("nothing is left of what was at {from}")));
                }
                Ok(found)
            }
        }
    }

    async fn changed(&self, partition: Partition, from: Offset) -> Result<(), Error> {
        let slot = self.order.slot(partition)?;
        self.order.changed(slot, from).await;
        Ok(())
    }

    async fn end(&self, partition: Partition) -> Result<Offset, Error> {
        Ok(self.order.end(self.order.slot(partition)?))
    }
}

impl Drop for EmbeddedLog {
    fn drop(&mut self) {
        self.order.close();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
            // The writer may need the keeper until it has ended.
            self.keeper.close();
        }
    }
}
