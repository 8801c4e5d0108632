//! What every store does, whatever it is made of.
//!
//! The caller brings the runtime.

mod changes;
mod crowd;
mod durable;
mod scans;

use crate::store::{Range, Store, Table, Write};
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;

/// A kind of store, as its suite needs it.
#[async_trait]
pub trait Subject: Send + Sync {
    /// Gives a store. It need not be empty, but no one else uses tables named `suite.…` in it.
    async fn open(&self) -> Arc<dyn Store>;

    /// Lets go of a store that no one uses any more and opens the same one again, best as after a
    /// crash.
    async fn reopen(&self, store: Arc<dyn Store>) -> Arc<dyn Store>;
}

/// Runs every case, each on tables of its own, on one store.
///
/// # Panics
/// When the store breaks a promise of the port.
pub async fn suite(subject: &dyn Subject) {
    let store = subject.open().await;
    changes::a_table_that_no_one_wrote_is_empty(&*store).await;
    changes::a_commit_is_read_back(&*store).await;
    changes::the_last_change_of_a_row_holds(&*store).await;
    changes::any_bytes_are_a_key_and_a_row(&*store).await;
    changes::a_removed_row_is_gone_and_may_come_back(&*store).await;
    changes::a_cleared_table_is_empty_and_the_others_are_not(&*store).await;
    changes::a_refused_commit_changes_nothing(&*store).await;
    scans::rows_come_in_the_order_of_their_bytes(&*store).await;
    scans::ends_and_limits_hold_in_both_directions(&*store).await;
    scans::a_prefix_is_a_range(&*store).await;
    scans::ranges_without_rows_are_empty(&*store).await;
    crowd::many_tables_live_side_by_side(&*store).await;
    crowd::a_hundred_thousand_rows_are_all_found(&*store).await;
    crowd::readers_see_whole_commits(&*store).await;
    durable::synced_rows_survive_reopening(subject, store).await;
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn put(table: Table, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Write {
    let key = Bytes::copy_from_slice(key.as_ref());
    Write::Put { table, key, value: Bytes::copy_from_slice(value.as_ref()) }
}

fn remove(table: Table, key: impl AsRef<[u8]>) -> Write {
    Write::Remove { table, key: Bytes::copy_from_slice(key.as_ref()) }
}

/// Rows in `[from, until)`, forwards, as many as there are.
fn range(from: &[u8], until: &[u8]) -> Range {
    let (from, until) = (Bytes::copy_from_slice(from), Bytes::copy_from_slice(until));
    Range { from, until, limit: usize::MAX, backwards: false }
}

async fn fresh(store: &dyn Store, table: Table) -> Table {
    if let Err(error) = store.clear(table).await {
        unreachable!("clear of {table:?}: {error}");
    }
    table
}

async fn commit(store: &dyn Store, writes: Vec<Write>) {
    if let Err(error) = store.commit(writes).await {
        unreachable!("commit: {error}");
    }
}

async fn get(store: &dyn Store, table: Table, keys: &[Bytes]) -> Vec<Option<Bytes>> {
    match store.get(table, keys).await {
        Ok(found) => {
            assert_eq!(found.len(), keys.len(), "one answer for each key");
            found
        }
        Err(error) => unreachable!("get from {table:?}: {error}"),
    }
}

async fn scan(store: &dyn Store, table: Table, range: Range) -> Vec<(Bytes, Bytes)> {
    match store.scan(table, range).await {
        Ok(found) => found,
        Err(error) => unreachable!("scan of {table:?}: {error}"),
    }
}

async fn all(store: &dyn Store, table: Table) -> Vec<(Bytes, Bytes)> {
    scan(store, table, range(b"", b"")).await
}

/// Lets other tasks of the caller's runtime go on.
async fn pass() {
    let mut passed = false;
    std::future::poll_fn(|context| {
        if passed {
            return std::task::Poll::Ready(());
        }
        passed = true;
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
