//! Task History: what lists find, against a look at every execution.

// A test fails by panicking, also in the functions around it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod list;
mod story;
mod usage;
mod version;

use ports::model::store::ModelStore;
use ports::{Log, Range, Store};
use projections::Seat;
use projections::history::History;
use projections::runner::{Projection, Runner};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

const PARTITIONS: u16 = 3;

/// The models never pend: one poll finishes every future.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a model pended"),
    }
}

/// The readers of every partition, over one store.
fn readers(log: &Arc<dyn Log>, store: &Arc<ModelStore>) -> Vec<Runner> {
    let reader =
        |number| Runner::new(log.clone(), store.clone(), Arc::new(History), Seat::of(number));
    (0..PARTITIONS).map(reader).collect()
}

fn fold(readers: &mut [Runner]) {
    for reader in readers {
        while now(reader.step()).unwrap().1 {}
    }
}

/// Every row of the projection.
fn rows(store: &ModelStore) -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    for table in History.tables() {
        let (from, until) = (bytes::Bytes::new(), bytes::Bytes::new());
        let range = Range { from, until, limit: usize::MAX, backwards: false };
        let found = now(store.scan(*table, range)).unwrap();
        rows.extend(found.into_iter().map(|(key, row)| (table.0, key.to_vec(), row.to_vec())));
    }
    rows
}
