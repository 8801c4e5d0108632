//! What a partition holds, as a count and a checksum.

use super::carry::Reader;
use anyhow::Result;
use aws_lc_rs::digest::{Context, SHA256};
use ports::{Log, Offset, Partition, Stored};

/// Counts the records of a partition, and sums them up with their offsets.
pub(super) struct Tally {
    records: u64,
    hash: Context,
}

/// What a partition holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Sum {
    /// How many records.
    pub(super) records: u64,
    /// SHA-256 of all of them with their offsets, in order; hex.
    pub(super) sha256: String,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self { records: 0, hash: Context::new(&SHA256) }
    }

    /// Adds a record; gaps do not count.
    pub(super) fn add(&mut self, stored: &Stored) {
        let Stored { offset, record } = stored;
        let headers = &record.headers;
        self.records += 1;
        for number in [
            *offset,
            i64::from(headers.kind),
            headers.epoch,
            headers.incarnation,
            i64::from(headers.i),
            i64::from(headers.n),
        ] {
            self.hash.update(&number.to_be_bytes());
        }
        for bytes in [&record.key, &record.value] {
            self.hash.update(&(bytes.len() as u64).to_be_bytes());
            self.hash.update(bytes);
        }
    }

    /// What was added so far.
    pub(super) fn sum(&self) -> Sum {
        let sha256 = hex::encode(self.hash.clone().finish().as_ref());
        Sum { records: self.records, sha256 }
    }

    /// How many records were added so far.
    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// Adds what lies between two offsets of a partition.
    ///
    /// # Errors
    /// The log cannot be read.
    pub(super) async fn add_all(
        &mut self,
        log: &dyn Log,
        partition: Partition,
        (from, until): (Offset, Offset),
    ) -> Result<()> {
        let mut reader = Reader::new(log, partition, (from, until)).await?;
        while let Some(batch) = reader.next().await? {
            batch.iter().for_each(|stored| self.add(stored));
        }
        Ok(())
    }
}
