//! What is still there afterwards.

use super::{Subject, all, commit, fresh, put, remove};
use crate::store::{Store, Table};
use std::sync::Arc;

pub(super) async fn synced_rows_survive_reopening(subject: &dyn Subject, store: Arc<dyn Store>) {
    let table = fresh(&*store, Table("suite.synced")).await;
    let cleared = Table("suite.synced.cleared");
    commit(&*store, vec![put(cleared, "old", "1")]).await;
    fresh(&*store, cleared).await;
    for part in 0..20 {
        let puts = (0..500).map(|i| put(table, format!("{part}.{i}"), format!("row {i}")));
        commit(&*store, puts.collect()).await;
    }
    commit(
        &*store,
        vec![remove(table, "3.3"), put(table, "4.4", "another"), put(cleared, "new", "2")],
    )
    .await;
    if let Err(error) = store.sync().await {
        unreachable!("sync: {error}");
    }
    let expected = (all(&*store, table).await, all(&*store, cleared).await);
    assert_eq!((expected.0.len(), expected.1.len()), (9_999, 1));
    let mut store = store;
    for round in 0..3 {
        store = subject.reopen(store).await;
        assert!(all(&*store, table).await == expected.0, "other rows after reopening {round}");
        assert_eq!(all(&*store, cleared).await, expected.1);
    }
    commit(&*store, vec![put(table, "3.3", "back")]).await;
    assert_eq!(all(&*store, table).await.len(), 10_000);
}
