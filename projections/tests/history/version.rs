//! Rows of another version are thrown away and folded anew.

use crate::story::Story;
use crate::{PARTITIONS, fold, now, readers, rows};
use async_trait::async_trait;
use bytes::Bytes;
use ports::model::store::ModelStore;
use ports::{Error, Log, Offset, Range, Store, Table, Write};
use projections::Seat;
use projections::history::{History, STARTS};
use projections::runner::{self, CHECKPOINTS, Projection, checkpoint_key};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

fn story() -> Story {
    let mut story = Story::new(9);
    (0..300).for_each(|_| story.go_on());
    story
}

/// Rows as the first version left them, which named none.
fn old(log: &dyn Log) -> Arc<ModelStore> {
    let store = Arc::new(ModelStore::new(5));
    let mut writes = Vec::new();
    for number in 0..PARTITIONS {
        let at: (_, Offset, i64, i64, Offset) = (log.identity(), 1, 0, 0, 1);
        let value = Bytes::from(postcard::to_allocvec(&at).unwrap());
        let key = checkpoint_key("history", Seat::of(number));
        writes.push(Write::Put { table: CHECKPOINTS, key, value });
        let key = Bytes::copy_from_slice(&number.to_be_bytes());
        writes.push(Write::Put { table: STARTS, key, value: Bytes::from_static(b"old") });
    }
    now(store.commit(writes)).unwrap();
    now(store.sync()).unwrap();
    store
}

fn applied(store: &ModelStore) -> Vec<Offset> {
    let of = |number| now(runner::applied(store, &History, Seat::of(number))).unwrap();
    (0..PARTITIONS).map(of).collect()
}

fn fresh(log: &Arc<dyn Log>) -> Arc<ModelStore> {
    let store = Arc::new(ModelStore::default());
    fold(&mut readers(log, &store));
    store
}

#[test]
fn old_rows_count_for_nothing_and_no_reader_goes_on_with_them() {
    let story = story();
    let store = old(story.log.as_ref());
    assert_eq!(applied(&store), [0, 0, 0]);
    for reader in &mut readers(&story.log, &store) {
        let stopped = now(reader.step());
        let old = format!("version 1, not {}", History.version());
        assert!(matches!(&stopped, Err(Error::Corrupt(why)) if why.contains(&old)));
    }
    now(runner::renew(story.log.as_ref(), store.as_ref(), &History)).unwrap();
    assert!(rows(&store).is_empty());
    fold(&mut readers(&story.log, &store));
    let fresh = fresh(&story.log);
    assert_eq!((rows(&store), applied(&store)), (rows(&fresh), applied(&fresh)));
}

#[test]
fn rows_of_this_version_stay() {
    let story = story();
    let store = fresh(&story.log);
    let before = (rows(&store), applied(&store));
    now(runner::renew(story.log.as_ref(), store.as_ref(), &History)).unwrap();
    assert_eq!((rows(&store), applied(&store)), before);
}

/// A store whose process ends after so many calls.
struct Failing {
    store: Arc<ModelStore>,
    left: AtomicU32,
}

impl Failing {
    fn go_on(&self) -> Result<&ModelStore, Error> {
        let next = |left: u32| left.checked_sub(1);
        match self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next) {
            Ok(_) => Ok(&self.store),
            Err(_) => Err(Error::Unavailable("it ended".into())),
        }
    }
}

#[async_trait]
impl Store for Failing {
    async fn get(&self, table: Table, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, Error> {
        self.go_on()?.get(table, keys).await
    }

    async fn scan(&self, table: Table, range: Range) -> Result<Vec<(Bytes, Bytes)>, Error> {
        self.go_on()?.scan(table, range).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        self.go_on()?.commit(writes).await
    }

    async fn sync(&self) -> Result<(), Error> {
        self.go_on()?.sync().await
    }

    async fn clear(&self, table: Table) -> Result<(), Error> {
        self.go_on()?.clear(table).await
    }
}

#[test]
fn a_crash_while_rows_are_thrown_away_leaves_none_of_them() {
    let story = story();
    let log = story.log.as_ref();
    let expected = rows(&fresh(&story.log));
    let mut done_count = 0;
    for calls in 0..16 {
        // What is thrown away because it is old, and what somebody asked to have folded anew.
        for is_old in [true, false] {
            let store = if is_old { old(log) } else { fresh(&story.log) };
            now(store.sync()).unwrap();
            let ending = Failing { store: store.clone(), left: AtomicU32::new(calls) };
            let done = match is_old {
                true => now(runner::renew(log, &ending, &History)),
                false => now(runner::clear(log, &ending, &History)),
            };
            done_count += u32::from(done.is_ok());
            store.crash();
            now(runner::renew(log, store.as_ref(), &History)).unwrap();
            fold(&mut readers(&story.log, &store));
            assert_eq!(rows(&store), expected, "it ended after {calls} calls");
        }
    }
    assert!((1..32).contains(&done_count), "{done_count}");
}
