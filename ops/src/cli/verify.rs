//! `millrace verify`: everything folded again beside the live rows, and compared byte for byte.

use super::rebuild::{self, Fold, Rows};
use crate::config::Config;
use crate::node::projections;
use crate::wire;
use anyhow::{Context, Result};
use bytes::{BufMut, Bytes, BytesMut};
use ports::{Range, Table};
use projections::World;
use std::process::ExitCode;

/// Rows compared in one go.
const SCAN_ROWS_MAX: usize = 4_096;
/// Differences shown.
const SHOWN_MAX: usize = 20;

pub(super) async fn verify(config: &Config) -> Result<ExitCode> {
    let live = wire::open(config).await?.world;
    // What was appended after the last save is folded first: rows may trail the log.
    rebuild::fold_owners(&live, Fold::Rest).await?;
    for projection in projections() {
        rebuild::fold(&live, &projection).await?;
    }
    let beside = config.data.join("verify");
    let _ = std::fs::remove_dir_all(&beside);
    let store = wire::open_store(config, &beside)?;
    let fresh = World { store: store.clone(), ..live.clone() };
    rebuild::fold_owners(&fresh, Fold::All).await?;
    for projection in projections() {
        rebuild::fold(&fresh, &projection).await?;
    }
    let (mut rows, mut differing) = (0u64, 0u64);
    for table in rebuild::tables() {
        let (seen, bad) = compare(table, &live.store, &store).await?;
        rows += seen;
        differing += bad;
    }
    drop((fresh, store));
    std::fs::remove_dir_all(&beside).context("cannot remove the rows folded for comparison")?;
    println!("{rows} rows compared, {differing} differ from a rebuild");
    Ok(if differing == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Walks both tables in key order.
async fn compare(table: Table, live: &Rows, fresh: &Rows) -> Result<(u64, u64)> {
    let (mut a, mut b) = (Walk::new(table, live), Walk::new(table, fresh));
    let (mut left, mut right) = (a.next().await?, b.next().await?);
    let (mut rows, mut differing) = (0, 0);
    loop {
        let key = match (&left, &right) {
            (None, None) => return Ok((rows, differing)),
            (Some((x, _)), Some((y, _))) => x.min(y).clone(),
            (Some((x, _)), None) => x.clone(),
            (None, Some((y, _))) => y.clone(),
        };
        let x = left.as_ref().filter(|(k, _)| *k == key).map(|(_, v)| v.clone());
        let y = right.as_ref().filter(|(k, _)| *k == key).map(|(_, v)| v.clone());
        rows += 1;
        if x != y {
            differing += 1;
            if differing <= SHOWN_MAX as u64 {
                let key = hex::encode(&key);
                let side = |v: &Option<Bytes>| v.as_ref().map_or(-1, |v| v.len() as i64);
                println!("{} {key}: live {} bytes, rebuilt {}", table.0, side(&x), side(&y));
            }
        }
        if x.is_some() {
            left = a.next().await?;
        }
        if y.is_some() {
            right = b.next().await?;
        }
    }
}

struct Walk<'a> {
    table: Table,
    store: &'a Rows,
    from: Bytes,
    at_hand: std::vec::IntoIter<(Bytes, Bytes)>,
    ended: bool,
}

impl<'a> Walk<'a> {
    fn new(table: Table, store: &'a Rows) -> Self {
        Self { table, store, from: Bytes::new(), at_hand: Vec::new().into_iter(), ended: false }
    }

    async fn next(&mut self) -> Result<Option<(Bytes, Bytes)>> {
        if let Some(row) = self.at_hand.next() {
            return Ok(Some(row));
        }
        if self.ended {
            return Ok(None);
        }
        let range = Range {
            from: self.from.clone(),
            until: Bytes::new(),
            limit: SCAN_ROWS_MAX,
            backwards: false,
        };
        let rows = self.store.scan(self.table, range).await?;
        self.ended = rows.len() < SCAN_ROWS_MAX;
        if let Some((last, _)) = rows.last() {
            let mut next = BytesMut::from(&last[..]);
            next.put_u8(0);
            self.from = next.freeze();
        }
        self.at_hand = rows.into_iter();
        Ok(self.at_hand.next())
    }
}
