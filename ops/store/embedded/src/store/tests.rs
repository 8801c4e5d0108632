mod crash;
mod damage;

use super::*;
use ports::conformance;
use std::path::Path;

const ROWS: Table = Table("rows");
const INDEX: Table = Table("index");

struct Fjall {
    root: tempfile::TempDir,
    options: Options,
}

#[async_trait]
impl conformance::store::Subject for Fjall {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(EmbeddedStore::open(self.root.path(), self.options.clone()).unwrap())
    }

    async fn reopen(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        drop(store);
        Arc::new(EmbeddedStore::open(self.root.path(), self.options.clone()).unwrap())
    }
}

/// So small that every case goes through flushes and compactions.
fn tiny() -> Options {
    Options {
        cache_bytes_max: 64 << 10,
        memtable_bytes_max: 64 << 10,
        memtables_bytes_max: 128 << 10,
        ..Options::default()
    }
}

fn open(path: &Path) -> EmbeddedStore {
    EmbeddedStore::open(path, tiny()).unwrap()
}

fn put(table: Table, key: u32, value: &[u8]) -> Write {
    let key = Bytes::copy_from_slice(&key.to_be_bytes());
    Write::Put { table, key, value: Bytes::copy_from_slice(value) }
}

fn range(limit: usize) -> Range {
    Range { from: Bytes::new(), until: Bytes::new(), limit, backwards: false }
}

async fn keys(store: &EmbeddedStore, table: Table) -> Vec<u32> {
    let rows = store.scan(table, range(usize::MAX)).await.unwrap();
    rows.iter().map(|(key, _)| u32::from_be_bytes(key.as_ref().try_into().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fjall_passes_the_suite() {
    let root = tempfile::tempdir().unwrap();
    conformance::store::suite(&Fjall { root, options: Options::default() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fjall_with_tiny_memtables_passes_the_suite() {
    let root = tempfile::tempdir().unwrap();
    conformance::store::suite(&Fjall { root, options: tiny() }).await;
}

#[test]
fn a_store_works_outside_a_runtime() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    let mut commit = std::pin::pin!(store.commit(vec![put(ROWS, 1, b"1")]));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(commit.as_mut().poll(&mut context).is_ready(), "one poll is enough");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn threads_never_see_half_of_a_commit_while_flushes_run() {
    let root = tempfile::tempdir().unwrap();
    let store = Arc::new(open(root.path()));
    let keys: Vec<Bytes> = (0..40_u32).map(|key| key.to_be_bytes().to_vec().into()).collect();
    let round = |number: u32| -> Vec<Write> {
        let value = [&number.to_be_bytes()[..], &[0; 60]].concat();
        (0..40).flat_map(|key| [put(ROWS, key, &value), put(INDEX, key, &value)]).collect()
    };
    store.commit(round(0)).await.unwrap();
    let writing = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let readers: Vec<_> = (0..2)
        .map(|reader| {
            let (store, keys, writing) = (store.clone(), keys.clone(), writing.clone());
            tokio::spawn(async move {
                while writing.load(std::sync::atomic::Ordering::SeqCst) {
                    let rows: Vec<Bytes> = match reader {
                        0 => store.get(ROWS, &keys).await.unwrap().into_iter().flatten().collect(),
                        _ => {
                            let rows = store.scan(INDEX, range(100)).await.unwrap();
                            rows.into_iter().map(|(_, row)| row).collect()
                        }
                    };
                    assert_eq!(rows.len(), 40);
                    assert!(rows.iter().all(|row| *row == rows[0]), "half a commit");
                }
            })
        })
        .collect();
    for number in 1..=3_000 {
        store.commit(round(number)).await.unwrap();
    }
    writing.store(false, std::sync::atomic::Ordering::SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test]
async fn all_memtables_together_stay_in_bounds() {
    let root = tempfile::tempdir().unwrap();
    let options =
        Options { memtable_bytes_max: 1 << 20, memtables_bytes_max: 2 << 20, ..Options::default() };
    let store = EmbeddedStore::open(root.path(), options).unwrap();
    let tables = ["t.0", "t.1", "t.2", "t.3", "t.4", "t.5", "t.6", "t.7", "t.8", "t.9"].map(Table);
    let mut largest = 0;
    for key in 0..400 {
        let writes = tables
            .iter()
            .flat_map(|table| (0..10).map(move |i| put(*table, key * 10 + i, &[7; 200])));
        store.commit(writes.collect()).await.unwrap();
        let state = store.0.state.read().unwrap();
        let State::Open(database, _) = &*state else { panic!("it is open") };
        largest = largest.max(database.memtable_bytes());
    }
    // None reaches its own limit before all of them reach theirs: 8 MB were written in all.
    assert!(largest < 3 << 20, "{largest} bytes of active memtables");
    for table in tables {
        assert_eq!(keys(&store, table).await.len(), 4_000);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_small_commits_never_stops_the_worker() {
    let root = tempfile::tempdir().unwrap();
    let store = Arc::new(open(root.path()));
    let writers: Vec<_> = [ROWS, INDEX]
        .map(|table| {
            let store = store.clone();
            tokio::spawn(async move {
                for key in 0..60_000 {
                    store.commit(vec![put(table, key % 5_000, &[7; 40])]).await.unwrap();
                }
            })
        })
        .into();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(keys(&store, ROWS).await.len(), 5_000);
    assert_eq!(keys(&store, INDEX).await.len(), 5_000);
}

#[tokio::test]
async fn a_second_store_on_the_folder_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let first = open(root.path());
    let refusal = EmbeddedStore::open(root.path(), tiny()).unwrap_err().to_string();
    let owner = format!("is in use by process {}", std::process::id());
    assert!(refusal.contains(&owner), "{refusal}");
    let refusal = EmbeddedStore::open_or_reset(root.path(), tiny()).unwrap_err().to_string();
    assert!(refusal.contains(&owner), "{refusal}");
    first.commit(vec![put(ROWS, 1, b"1")]).await.unwrap();
}

#[tokio::test]
async fn a_clear_that_was_cut_off_leaves_no_rows_behind() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    store.commit(vec![put(ROWS, 1, b"1")]).await.unwrap();
    store.clear(ROWS).await.unwrap();
    store.commit(vec![put(ROWS, 2, b"2")]).await.unwrap();
    drop(store);
    // The process ended when the next keyspace was there and nothing pointed to it.
    let fjall = fjall::Database::builder(root.path().join("rows")).open().unwrap();
    let next = fjall.keyspace("rows#2", fjall::KeyspaceCreateOptions::default).unwrap();
    next.insert("stray", "row").unwrap();
    drop((next, fjall));
    let store = open(root.path());
    assert_eq!(keys(&store, ROWS).await, vec![2]);
    store.clear(ROWS).await.unwrap();
    assert_eq!(keys(&store, ROWS).await, Vec::<u32>::new());
    store.commit(vec![put(ROWS, 3, b"3")]).await.unwrap();
    drop(store);
    let store = open(root.path());
    assert_eq!(keys(&store, ROWS).await, vec![3]);
    drop(store);
    let keyspaces = std::fs::read_dir(root.path().join("rows/keyspaces")).unwrap().count();
    assert_eq!(keyspaces, 3, "fjall's own, the generations and one table");
}
