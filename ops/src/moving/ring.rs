//! The data keys of a log, wrapped.

use super::draft::Draft;
use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ports::{Headers, Log, MasterKey, Partition, Record, Stored};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Bytes read, and appended, in one go.
const BATCH_BYTES: usize = 1 << 20;
/// Keys appended in one go.
const BATCH_KEYS: usize = 1_000;

/// The data keys that count: of each generation the first record, unless it was forgotten.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Ring(BTreeMap<Bytes, Bytes>);

/// A key in a file.
#[derive(Serialize, Deserialize)]
struct Line {
    /// Whose, and which generation.
    key: String,
    /// The data key, encrypted under the master key; Base64.
    wrapped: String,
}

impl Ring {
    /// Reads the keys of a log.
    ///
    /// # Errors
    /// The log cannot be read.
    pub(crate) async fn read(log: &dyn Log) -> Result<Self> {
        let mut ring = BTreeMap::new();
        let mut from = log.start(Partition::KEYS).await?;
        loop {
            let batch = log.read(Partition::KEYS, from, BATCH_BYTES).await?;
            let Some(last) = batch.last() else { return Ok(Self(ring)) };
            from = last.offset + 1;
            for Stored { record: Record { key, value, .. }, .. } in batch {
                if value.is_empty() {
                    ring.remove(&key);
                } else {
                    ring.entry(key).or_insert(value);
                }
            }
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Brings them to a new log, and reads them back.
    ///
    /// # Errors
    /// The log cannot be written, or has other keys.
    pub(crate) async fn carry(&self, draft: &Draft) -> Result<()> {
        let there = Self::read(draft.look()?.as_ref()).await?;
        let is_other = |(key, value): (&Bytes, &Bytes)| self.0.get(key) != Some(value);
        if there.0.iter().any(is_other) {
            bail!("keys/0 of {draft} holds other keys: choose another place");
        }
        let missing: Vec<_> =
            self.records().filter(|one| !there.0.contains_key(&one.key)).collect();
        for some in missing.chunks(BATCH_KEYS) {
            let some = some.iter().map(|record| (Partition::KEYS, record.clone())).collect();
            draft.log().append(some).await?;
        }
        if Self::read(draft.look()?.as_ref()).await? != *self {
            bail!("keys/0 of {draft} does not hold what was written to it: begin anew elsewhere");
        }
        Ok(())
    }

    /// Checks that a master key opens every one of them.
    ///
    /// # Errors
    /// It does not.
    pub(crate) fn check(&self, master: MasterKey) -> Result<()> {
        ports::vault::check(master, self.records()).context("the master key is another log's")
    }

    fn records(&self) -> impl Iterator<Item = Record> {
        let record = |(key, value): (&Bytes, &Bytes)| Record {
            headers: Headers::default(),
            key: key.clone(),
            value: value.clone(),
        };
        self.0.iter().map(record)
    }

    /// The keys as text, a JSON object a line.
    ///
    /// # Errors
    /// A key's name is no text.
    pub(super) fn to_text(&self) -> Result<String> {
        let mut text = String::new();
        for (key, value) in &self.0 {
            let key = String::from_utf8(key.to_vec()).context("the name of a data key")?;
            let line = Line { key, wrapped: STANDARD.encode(value) };
            writeln!(text, "{}", serde_json::to_string(&line)?)?;
        }
        Ok(text)
    }

    /// Reads what [`Ring::to_text`] wrote.
    ///
    /// # Errors
    /// It is something else.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let entry = |line: &str| {
            let Line { key, wrapped } = serde_json::from_str(line)?;
            Ok((Bytes::from(key), Bytes::from(STANDARD.decode(wrapped)?)))
        };
        text.lines().map(entry).collect::<Result<_>>().map(Self)
    }
}
