use super::*;
use ports::conformance;

struct Files(tempfile::TempDir);

fn open(path: &Path) -> FileBlobs {
    FileBlobs::open(path, &Options::default()).unwrap()
}

#[async_trait]
impl conformance::blob::Subject for Files {
    async fn open(&self) -> Arc<dyn Blob> {
        Arc::new(open(self.0.path()))
    }

    async fn reopen(&self, blobs: Arc<dyn Blob>) -> Arc<dyn Blob> {
        drop(blobs);
        Arc::new(open(self.0.path()))
    }
}

#[tokio::test]
async fn files_pass_the_suite() {
    conformance::blob::suite(&Files(tempfile::tempdir().unwrap())).await;
}

#[tokio::test]
async fn a_damaged_file_is_corrupt_until_it_is_put_again() {
    let root = tempfile::tempdir().unwrap();
    let blobs = open(root.path());
    let id = blobs.put("ab", Bytes::from_static(b"sealed")).await.unwrap();
    let name = id.to_string();
    let file = root.path().join("scopes/ab").join(&name[..2]).join(&name[2..]);
    assert_eq!(fs::read(&file).unwrap(), b"sealed", "the hash is the path");
    for damaged in [&b"sealeD"[..], b"seal", b"sealed and more", b""] {
        fs::write(&file, damaged).unwrap();
        let read = blobs.get("ab", id).await;
        assert!(matches!(read, Err(Error::Corrupt(_))), "{read:?}");
    }
    assert_eq!(blobs.put("ab", Bytes::from_static(b"sealed")).await.unwrap(), id);
    assert_eq!(blobs.get("ab", id).await.unwrap(), Some(Bytes::from_static(b"sealed")));
}

#[tokio::test]
async fn a_blob_over_the_bound_is_refused_and_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let options = Options { blob_bytes_max: 10, ..Options::default() };
    let blobs = FileBlobs::open(root.path(), &options).unwrap();
    blobs.put("ab", Bytes::from_static(&[1; 10])).await.unwrap();
    let outcome = blobs.put("cd", Bytes::from_static(&[1; 11])).await;
    assert!(matches!(outcome, Err(Error::Corrupt(_))), "{outcome:?}");
    assert!(!root.path().join("scopes/cd").exists());
}

#[test]
fn what_a_crash_left_under_way_is_removed() {
    let root = tempfile::tempdir().unwrap();
    drop(open(root.path()));
    let left = root.path().join("under_way/0");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("part"), b"half of it").unwrap();
    drop(open(root.path()));
    assert!(!left.exists());
}

#[test]
fn a_second_owner_and_a_newer_format_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let first = open(root.path());
    let second = FileBlobs::open(root.path(), &Options::default()).map(|_| ());
    assert!(second.unwrap_err().to_string().contains("is in use by process"));
    drop(first);
    fs::write(root.path().join("FORMAT"), "blobs 2\n").unwrap();
    let newer = FileBlobs::open(root.path(), &Options::default()).map(|_| ());
    assert!(newer.unwrap_err().to_string().contains("written by a newer version"));
}

#[tokio::test]
async fn a_put_beside_an_erase_is_whole_or_gone() {
    let root = tempfile::tempdir().unwrap();
    let blobs = Arc::new(open(root.path()));
    for round in 0..20_u8 {
        let puts = (0..4_u8).map(|i| {
            let blobs = blobs.clone();
            tokio::spawn(async move { blobs.put("ab", vec![round, i].into()).await.unwrap() })
        });
        let puts: Vec<_> = puts.collect();
        let eraser = blobs.clone();
        let erase = tokio::spawn(async move { eraser.erase("ab").await.unwrap() });
        for (i, put) in puts.into_iter().enumerate() {
            let id = put.await.unwrap();
            let found = blobs.get("ab", id).await.unwrap();
            let expected = Bytes::from(vec![round, u8::try_from(i).unwrap()]);
            assert!(found.is_none_or(|found| found == expected));
        }
        erase.await.unwrap();
    }
    assert_eq!(fs::read_dir(root.path().join("under_way")).unwrap().count(), 0);
}

#[tokio::test]
async fn whoever_only_looks_reads_beside_the_owner_and_writes_nothing() {
    let root = tempfile::tempdir().unwrap();
    assert!(FileBlobs::look(root.path(), &Options::default()).is_err());
    let owner = open(root.path());
    let id = owner.put("ab", Bytes::from_static(b"kept")).await.unwrap();
    let looker = FileBlobs::look(root.path(), &Options::default()).unwrap();
    assert_eq!(looker.get("ab", id).await.unwrap(), Some(Bytes::from_static(b"kept")));
    assert!(looker.put("ab", Bytes::from_static(b"mine")).await.is_err());
    assert!(looker.erase("ab").await.is_err());
}

#[tokio::test]
async fn nodes_share_a_folder_and_see_what_each_other_puts() {
    let root = tempfile::tempdir().unwrap();
    let share = || FileBlobs::share(root.path(), &Options::default()).unwrap();
    let (one, other) = (share(), share());
    let first = one.put("ab", Bytes::from_static(b"by one")).await.unwrap();
    let second = other.put("ab", Bytes::from_static(b"by the other")).await.unwrap();
    assert_eq!(other.get("ab", first).await.unwrap(), Some(Bytes::from_static(b"by one")));
    assert_eq!(one.get("ab", second).await.unwrap(), Some(Bytes::from_static(b"by the other")));
    let alone = FileBlobs::open(root.path(), &Options::default());
    assert!(matches!(alone, Err(Error::Unavailable(_))), "{alone:?}");
    drop((one, other));
    let alone = open(root.path());
    assert_eq!(alone.get("ab", first).await.unwrap(), Some(Bytes::from_static(b"by one")));
}

#[test]
fn a_folder_that_one_process_has_to_itself_is_not_shared() {
    let root = tempfile::tempdir().unwrap();
    let _alone = open(root.path());
    let shared = FileBlobs::share(root.path(), &Options::default());
    assert!(matches!(shared, Err(Error::Unavailable(_))), "{shared:?}");
}
