use super::*;

const ROWS: Format = Format { kind: "rows", version: 3 };

fn message(outcome: Result<Folder, Error>) -> String {
    outcome.expect_err("it should be refused").to_string()
}

#[test]
fn a_folder_and_its_parents_are_made_and_opened_again() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a/b");
    let folder = Folder::open(&path, ROWS).unwrap();
    assert_eq!(fs::read_to_string(folder.join("FORMAT")).unwrap(), "rows 3\n");
    drop(folder);
    Folder::open(&path, ROWS).unwrap();
}

#[test]
fn a_second_owner_is_refused_with_the_number_of_the_first() {
    let root = tempfile::tempdir().unwrap();
    let first = Folder::open(root.path(), ROWS).unwrap();
    let refusal = message(Folder::open(root.path(), ROWS));
    let owner = format!("is in use by process {}", std::process::id());
    assert!(refusal.contains(&owner), "{refusal}");
    drop(first);
    Folder::open(root.path(), ROWS).unwrap();
}

#[test]
fn a_newer_format_is_refused_and_an_older_one_is_not() {
    let root = tempfile::tempdir().unwrap();
    let stamp = root.path().join("FORMAT");
    fs::write(&stamp, "rows 4\n").unwrap();
    let refusal = message(Folder::open(root.path(), ROWS));
    assert!(refusal.contains("is in format 4, written by a newer version"), "{refusal}");
    assert!(refusal.contains("reads formats up to 3"), "{refusal}");
    fs::write(&stamp, "rows 2\n").unwrap();
    Folder::open(root.path(), ROWS).unwrap();
}

#[test]
fn a_folder_of_another_kind_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let stamp = root.path().join("FORMAT");
    for (text, expected) in [("blobs 1\n", "holds blobs, not rows"), ("?", "names no format")] {
        fs::write(&stamp, text).unwrap();
        let refusal = message(Folder::open(root.path(), ROWS));
        assert!(refusal.contains(expected), "{refusal}");
        assert_eq!(fs::read_to_string(&stamp).unwrap(), text, "and left as it is");
    }
}
