//! Failed writes, damaged files and starting anew.

use super::*;
use std::fs;
use std::path::PathBuf;

fn incompressible(seed: u32) -> Vec<u8> {
    let mix =
        |i: u32| (i.wrapping_mul(0x9e37_79b9) ^ seed.wrapping_mul(0x85eb_ca6b)).rotate_left(13);
    (0..64).flat_map(|i| mix(i).to_le_bytes()).collect()
}

async fn fill(store: &EmbeddedStore, count: u32) {
    for key in 0..count {
        store.commit(vec![put(ROWS, key, &incompressible(key))]).await.unwrap();
    }
    store.sync().await.unwrap();
}

/// Where fjall keeps the files of the only table.
fn table_files(root: &Path) -> PathBuf {
    let keyspaces = root.join("rows/keyspaces");
    let mut found: Vec<PathBuf> = fs::read_dir(&keyspaces)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("tables"))
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found.pop().unwrap()
}

fn journal(root: &Path) -> PathBuf {
    let entries = fs::read_dir(root.join("rows")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|kind| kind == "jnl")).max().unwrap()
}

fn reset(root: &Path) -> (EmbeddedStore, String) {
    match EmbeddedStore::open_or_reset(root, tiny()).unwrap() {
        (store, WasReset::Yes(why)) => (store, why),
        (_, WasReset::No) => panic!("it should have been damaged"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_whose_disk_failed_opens_itself_again_with_all_its_rows() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    fill(&store, 10).await;
    let files = table_files(root.path());
    let away = files.with_file_name("away");
    // The next flush finds no folder for its file; fjall then refuses every write.
    fs::rename(&files, &away).unwrap();
    let mut acknowledged = 10;
    let error = loop {
        let key = acknowledged;
        match store.commit(vec![put(ROWS, key, &incompressible(key))]).await {
            Ok(()) => acknowledged += 1,
            Err(error) => break error,
        }
        assert!(acknowledged < 100_000, "the failure is noticed");
    };
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
    fs::rename(&away, &files).ok();
    let mut refusals = 0;
    while let Err(error) = store.commit(vec![put(INDEX, 1, b"1")]).await {
        refusals += 1;
        assert!(refusals < 10, "{error}");
    }
    let found = keys(&store, ROWS).await;
    assert!(found.len() >= usize::try_from(acknowledged).unwrap(), "{} rows", found.len());
    assert!(found.iter().copied().eq(0..u32::try_from(found.len()).unwrap()));
}

#[tokio::test]
async fn a_flipped_byte_in_the_journal_resets_the_store_instead_of_stopping_it() {
    let root = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(root.path(), Options::default()).unwrap();
    fill(&store, 200).await;
    drop(store);
    let path = journal(root.path());
    let mut bytes = fs::read(&path).unwrap();
    bytes[20_000] ^= 0x10;
    fs::write(&path, &bytes).unwrap();
    let refusal = EmbeddedStore::open(root.path(), tiny()).map(|_| ());
    assert!(matches!(refusal, Err(Error::Corrupt(_))), "{refusal:?}");
    let (store, why) = reset(root.path());
    assert!(why.contains("ChecksumMismatch"), "{why}");
    assert_eq!(keys(&store, ROWS).await, Vec::<u32>::new());
    fill(&store, 5).await;
    drop(store);
    let (store, was) = EmbeddedStore::open_or_reset(root.path(), tiny()).unwrap();
    assert_eq!(was, WasReset::No);
    assert_eq!(keys(&store, ROWS).await.len(), 5);
}

#[tokio::test]
async fn a_torn_journal_keeps_the_commits_before_the_tear_or_resets() {
    for cut in [0, 7, 1_000, 10_001, 25_000] {
        let root = tempfile::tempdir().unwrap();
        let store = EmbeddedStore::open(root.path(), Options::default()).unwrap();
        fill(&store, 100).await;
        drop(store);
        let file = fs::OpenOptions::new().write(true).open(journal(root.path())).unwrap();
        file.set_len(cut).unwrap();
        let (store, _) = EmbeddedStore::open_or_reset(root.path(), tiny()).unwrap();
        let found = keys(&store, ROWS).await;
        assert!(found.len() < 100);
        assert!(found.iter().copied().eq(0..u32::try_from(found.len()).unwrap()), "{found:?}");
    }
}

#[tokio::test]
async fn a_damaged_row_is_corrupt_and_the_next_opening_starts_anew() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    fill(&store, 2_000).await;
    drop(store);
    for entry in fs::read_dir(table_files(root.path())).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 3;
        bytes[middle] ^= 0x10;
        fs::write(&path, &bytes).unwrap();
    }
    match EmbeddedStore::open(root.path(), tiny()) {
        Ok(store) => {
            let read = store.scan(ROWS, range(usize::MAX)).await;
            assert!(matches!(read, Err(Error::Corrupt(_))), "{:?}", read.map(|rows| rows.len()));
        }
        Err(error) => assert!(matches!(error, Error::Corrupt(_)), "{error}"),
    }
    let (store, why) = reset(root.path());
    assert!(!why.is_empty());
    assert_eq!(keys(&store, ROWS).await, Vec::<u32>::new());
}

#[tokio::test]
async fn a_missing_file_resets_the_store() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    fill(&store, 2_000).await;
    drop(store);
    let file = fs::read_dir(table_files(root.path())).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(file).unwrap();
    let (store, _) = reset(root.path());
    assert_eq!(keys(&store, ROWS).await, Vec::<u32>::new());
}

#[tokio::test]
async fn openings_that_end_the_process_lead_to_a_reset() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    fill(&store, 3).await;
    drop(store);
    let marker = root.path().join("OPENING");
    fs::write(&marker, "2").unwrap();
    let (store, was) = EmbeddedStore::open_or_reset(root.path(), tiny()).unwrap();
    assert_eq!((was, keys(&store, ROWS).await.len()), (WasReset::No, 3));
    drop(store);
    assert!(!marker.exists(), "an opening that came to its end counts no more");
    fs::write(&marker, "3").unwrap();
    let (_, why) = reset(root.path());
    assert!(why.contains("ended the process"), "{why}");
    assert!(!marker.exists());
}

#[tokio::test]
async fn a_newer_format_is_refused_and_never_reset() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    fill(&store, 3).await;
    drop(store);
    fs::write(root.path().join("FORMAT"), "rows 2\n").unwrap();
    let refusal = EmbeddedStore::open_or_reset(root.path(), tiny()).map(|_| ()).unwrap_err();
    assert!(refusal.to_string().contains("written by a newer version"), "{refusal}");
    fs::write(root.path().join("FORMAT"), "rows 1\n").unwrap();
    assert_eq!(keys(&open(root.path()), ROWS).await, vec![0, 1, 2]);
}

#[tokio::test]
async fn a_store_that_lost_what_it_acknowledged_stops() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    fill(&store, 3).await;
    // As if the last commit had never reached the journal when it is opened again.
    store.0.latest().acknowledged = Arc::new(vec![put(ROWS, 3, b"acknowledged")]);
    let again = store.0.open_again(0);
    assert!(matches!(again, Err(Error::Corrupt(_))), "{again:?}");
    let read = store.get(ROWS, &[Bytes::from_static(b"k")]).await;
    assert!(matches!(read, Err(Error::Corrupt(_))), "{read:?}");
    let commit = store.commit(vec![put(ROWS, 4, b"4")]).await;
    assert!(matches!(commit, Err(Error::Corrupt(_))), "{commit:?}");
}

#[tokio::test]
async fn a_commit_of_unknown_outcome_may_have_replaced_the_last_one() {
    for unknown in [b"0", b"1"] {
        let root = tempfile::tempdir().unwrap();
        let store = open(root.path());
        store.commit(vec![put(ROWS, 0, b"0")]).await.unwrap();
        store.commit(vec![put(ROWS, 0, unknown)]).await.unwrap();
        store.0.latest().acknowledged = Arc::new(vec![put(ROWS, 0, b"0")]);
        store.0.latest().unknown = vec![put(ROWS, 0, unknown)];
        store.0.open_again(0).unwrap();
        store.0.open_again(0).unwrap();
        assert_eq!(keys(&store, ROWS).await, vec![0]);
    }
}
