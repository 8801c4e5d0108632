use super::*;
use crate::conformance;
use futures_util::FutureExt as _;
use std::sync::Arc;

const TABLE: Table = Table("numbers");

struct Model(Arc<ModelStore>);

#[async_trait]
impl conformance::store::Subject for Model {
    async fn open(&self) -> Arc<dyn Store> {
        self.0.clone()
    }

    async fn reopen(&self, _store: Arc<dyn Store>) -> Arc<dyn Store> {
        self.0.crash();
        self.0.clone()
    }
}

fn put(key: u8, value: u8) -> Write {
    Write::Put { table: TABLE, key: vec![key].into(), value: vec![value].into() }
}

fn commit(store: &ModelStore, writes: Vec<Write>) -> Result<(), Error> {
    store.commit(writes).now_or_never().expect("the model never pends")
}

fn sync(store: &ModelStore) {
    store.sync().now_or_never().unwrap().unwrap();
}

fn rows(store: &ModelStore) -> Vec<(u8, u8)> {
    let all = Range { from: Bytes::new(), until: Bytes::new(), limit: 1_000, backwards: false };
    let found = store.scan(TABLE, all).now_or_never().unwrap().unwrap();
    found.iter().map(|(key, value)| (key[0], value[0])).collect()
}

#[test]
fn the_model_passes_the_suite() {
    let model = Model(Arc::new(ModelStore::new(1)));
    // Nothing in it waits for anything but another poll.
    let mut suite = std::pin::pin!(conformance::store::suite(&model));
    while suite.as_mut().now_or_never().is_none() {}
}

#[test]
fn a_crash_loses_a_suffix_of_the_unsynced_commits_each_as_a_whole() {
    let mut outcomes = std::collections::BTreeSet::new();
    for seed in 0..100 {
        let store = ModelStore::new(seed);
        commit(&store, vec![put(0, 1), put(100, 1)]).unwrap();
        sync(&store);
        for number in 1..=5 {
            // The counter is overwritten each time, so that taking back must restore it.
            commit(&store, vec![put(number, number), put(100, number + 1)]).unwrap();
        }
        let lost = u8::try_from(store.crash()).unwrap();
        let kept = 5 - lost;
        let mut expected = vec![(0, 1)];
        expected.extend((1..=kept).map(|number| (number, number)));
        expected.push((100, kept + 1));
        assert_eq!(rows(&store), expected, "seed {seed}");
        outcomes.insert(lost);
    }
    assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), vec![0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_crash_may_take_back_a_clear() {
    let restored = (0..20).filter(|seed| {
        let store = ModelStore::new(*seed);
        commit(&store, vec![put(1, 1)]).unwrap();
        sync(&store);
        store.clear(TABLE).now_or_never().unwrap().unwrap();
        assert!(rows(&store).is_empty());
        store.crash();
        rows(&store) == vec![(1, 1)]
    });
    let count = restored.count();
    assert!(count > 0 && count < 20, "{count} of 20");
}

#[test]
fn what_a_restart_finds_the_next_crash_keeps() {
    let store = ModelStore::new(4);
    for number in 0..50 {
        commit(&store, vec![put(number, number)]).unwrap();
    }
    store.crash();
    let found = rows(&store);
    assert_eq!(store.crash(), 0);
    assert_eq!(rows(&store), found);
}

#[test]
fn an_interrupted_commit_is_done_or_not_and_never_half() {
    let mut done = 0;
    for seed in 0..40 {
        let store = ModelStore::new(seed);
        store.interrupt(1);
        let outcome = commit(&store, vec![put(1, 1), put(2, 2)]);
        assert!(matches!(outcome, Err(Error::Unavailable(_))));
        match rows(&store).len() {
            0 => {}
            2 => done += 1,
            half => panic!("{half} of 2 rows"),
        }
        commit(&store, vec![put(3, 3)]).unwrap();
    }
    assert!(done > 0 && done < 40, "{done} of 40");
}
