//! Bringing records over.

use super::cut::Cut;
use super::draft::Draft;
use super::tally::{Sum, Tally};
use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use ports::{Log, Offset, Partition, Record, Stored, Stream};

/// Bytes read, and appended, in one go.
const BATCH_BYTES: usize = 1 << 20;
/// Gaps appended in one go.
const GAPS: Offset = 20_000;

/// What a partition of the new log holds.
pub(crate) struct Carried {
    pub(super) partition: Partition,
    /// Behind the last record.
    pub(super) end: Offset,
    pub(super) sum: Sum,
}

/// Brings every partition over but the keys, up to a cut, and reads all of it back. What an earlier
/// try has brought must be the beginning of the same.
///
/// # Errors
/// A log cannot be read or written, or the new one holds something else.
pub(crate) async fn carry(source: &dyn Log, cut: &Cut, draft: &Draft) -> Result<Vec<Carried>> {
    let bar = bar("copy", cut.records())?;
    let before = draft.look()?;
    let mut all = Vec::new();
    for (partition, end) in cut.ends() {
        let mut hand = Hand { source, draft, partition, end, at: 0, tally: Tally::new() };
        let there = draft.log().end(partition).await?;
        hand.compare(before.as_ref(), there).await?;
        bar.inc(there.unsigned_abs());
        hand.bring(&bar).await.with_context(|| format!("{partition} at {}", hand.at))?;
        tracing::debug!(%partition, end, "brought over");
        all.push(Carried { partition, end, sum: hand.tally.sum() });
    }
    bar.finish_and_clear();
    check(&all, draft).await?;
    Ok(all)
}

/// How many records were brought over.
pub(crate) fn records(carried: &[Carried]) -> u64 {
    carried.iter().map(|one| one.sum.records).sum()
}

/// Reads back what was brought over.
async fn check(all: &[Carried], draft: &Draft) -> Result<()> {
    let log = draft.look()?;
    let total = all.iter().map(|one| one.end.unsigned_abs()).sum();
    let bar = bar("read back", total)?;
    for one in all {
        let mut tally = Tally::new();
        tally.add_all(log.as_ref(), one.partition, (0, one.end)).await?;
        let found = tally.sum();
        if found != one.sum {
            bail!(
                "{} does not hold what was written to it ({} of {} records): the copy is of no \
                 use; make another one elsewhere",
                one.partition,
                found.records,
                one.sum.records
            );
        }
        bar.inc(one.end.unsigned_abs());
    }
    bar.finish_and_clear();
    Ok(())
}

pub(super) fn bar(name: &'static str, total: u64) -> Result<ProgressBar> {
    let style = "{msg:>10} {wide_bar} {pos}/{len} records {per_sec}";
    let bar = ProgressBar::new(total).with_message(name);
    bar.set_style(ProgressStyle::with_template(style)?);
    Ok(bar)
}

/// One partition on its way.
struct Hand<'a> {
    source: &'a dyn Log,
    draft: &'a Draft,
    partition: Partition,
    /// It is brought over up to here.
    end: Offset,
    /// It was brought over up to here.
    at: Offset,
    tally: Tally,
}

impl Hand<'_> {
    /// What is there already must be the beginning of what is to be there.
    async fn compare(&mut self, there: &dyn Log, end: Offset) -> Result<()> {
        let partition = self.partition;
        let mut theirs = Tally::new();
        if end > 0 {
            theirs.add_all(there, partition, (0, end)).await?;
            self.tally.add_all(self.source, partition, (0, end.min(self.end))).await?;
        }
        if end > self.end || theirs.sum() != self.tally.sum() {
            bail!(
                "{partition} of {} is not the beginning of this log: it was filled by something \
                 else; choose another place",
                self.draft
            );
        }
        self.at = end;
        Ok(())
    }

    async fn bring(&mut self, bar: &ProgressBar) -> Result<()> {
        let mut reader = Reader::new(self.source, self.partition, (self.at, self.end)).await?;
        while let Some(batch) = reader.next().await? {
            let from = self.at;
            if let Some(first) = batch.first() {
                self.begin(first.offset).await?;
            }
            self.append(batch).await?;
            bar.inc((self.at - from).unsigned_abs());
        }
        self.begin(self.end).await?;
        self.fill(self.end).await
    }

    /// Begins where the source does, if its first commands are forgotten.
    async fn begin(&mut self, first: Offset) -> Result<()> {
        let has_begun = self.tally.records() > 0 || self.partition.stream != Stream::Commands;
        if has_begun || first <= self.at {
            return Ok(());
        }
        self.draft.begin(self.partition, first).await?;
        self.at = first;
        Ok(())
    }

    async fn append(&mut self, batch: Vec<Stored>) -> Result<()> {
        let mut records = Vec::with_capacity(batch.len());
        let from = self.at;
        let mut place = self.at;
        for stored in batch {
            if stored.offset - place > GAPS {
                self.put(std::mem::take(&mut records)).await?;
                self.fill(stored.offset).await?;
                place = stored.offset;
            }
            for _ in place..stored.offset {
                records.push((self.partition, Record::gap()));
            }
            place = stored.offset + 1;
            self.tally.add(&stored);
            records.push((self.partition, stored.record));
        }
        self.put(records).await.with_context(|| format!("from {from} on"))
    }

    /// Keeps the places up to an offset.
    async fn fill(&mut self, until: Offset) -> Result<()> {
        while self.at < until {
            let count = usize::try_from((until - self.at).min(GAPS))?;
            self.put(vec![(self.partition, Record::gap()); count]).await?;
        }
        Ok(())
    }

    async fn put(&mut self, records: Vec<(Partition, Record)>) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let next = self.at + Offset::try_from(records.len())?;
        let offsets = self.draft.log().append(records).await?;
        if !offsets.into_iter().eq(self.at..next) {
            bail!("somebody else writes to {}: stop it, and begin anew elsewhere", self.draft);
        }
        self.at = next;
        Ok(())
    }
}

/// The records of a partition between two offsets, without gaps.
pub(super) struct Reader<'a> {
    log: &'a dyn Log,
    partition: Partition,
    at: Offset,
    until: Offset,
}

impl<'a> Reader<'a> {
    /// # Errors
    /// The log does not tell where it begins.
    pub(super) async fn new(
        log: &'a dyn Log,
        partition: Partition,
        (from, until): (Offset, Offset),
    ) -> Result<Self> {
        let at = if from == 0 { log.start(partition).await? } else { from };
        Ok(Self { log, partition, at, until })
    }

    /// The next records; `None`: there are no more.
    ///
    /// # Errors
    /// The log cannot be read.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Stored>>> {
        if self.at >= self.until {
            return Ok(None);
        }
        let mut batch = self.log.read(self.partition, self.at, BATCH_BYTES).await?;
        let Some(last) = batch.last() else { return Ok(None) };
        self.at = last.offset + 1;
        batch.retain(|stored| stored.offset < self.until && !stored.record.is_gap());
        Ok(Some(batch))
    }
}
