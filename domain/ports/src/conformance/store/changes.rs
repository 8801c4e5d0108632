//! Putting, removing and clearing.

use super::{all, bytes, commit, fresh, get, put, remove};
use crate::error::Error;
use crate::store::{KEY_BYTES_MAX, Store, Table, VALUE_BYTES_MAX, Write};
use bytes::Bytes;

pub(super) async fn a_table_that_no_one_wrote_is_empty(store: &dyn Store) {
    let table = Table("suite.unwritten");
    assert_eq!(get(store, table, &[bytes("a"), bytes("b")]).await, vec![None, None]);
    assert_eq!(get(store, table, &[]).await, Vec::new());
    assert_eq!(all(store, table).await, Vec::new());
    fresh(store, table).await;
    commit(store, vec![remove(table, "a")]).await;
    commit(store, Vec::new()).await;
    assert_eq!(all(store, table).await, Vec::new());
}

pub(super) async fn a_commit_is_read_back(store: &dyn Store) {
    let table = fresh(store, Table("suite.read_back")).await;
    let other = fresh(store, Table("suite.read_back.2")).await;
    commit(store, vec![put(table, "b", "1"), put(table, "a", "2"), put(other, "a", "3")]).await;
    let asked = [bytes("b"), bytes("none"), bytes("a"), bytes("b")];
    let expected = vec![Some(bytes("1")), None, Some(bytes("2")), Some(bytes("1"))];
    assert_eq!(get(store, table, &asked).await, expected, "in the order asked");
    assert_eq!(get(store, other, &asked[2..3]).await, vec![Some(bytes("3"))]);
    commit(store, vec![put(table, "b", "4")]).await;
    assert_eq!(get(store, table, &asked[..1]).await, vec![Some(bytes("4"))]);
}

pub(super) async fn the_last_change_of_a_row_holds(store: &dyn Store) {
    let table = fresh(store, Table("suite.last_change")).await;
    let writes = vec![
        put(table, "twice", "1"),
        put(table, "gone", "1"),
        remove(table, "back"),
        put(table, "twice", "2"),
        remove(table, "gone"),
        put(table, "back", "2"),
    ];
    commit(store, writes).await;
    let expected = vec![(bytes("back"), bytes("2")), (bytes("twice"), bytes("2"))];
    assert_eq!(all(store, table).await, expected);
    let asked = [bytes("back"), bytes("gone"), bytes("twice")];
    assert_eq!(get(store, table, &asked).await, vec![Some(bytes("2")), None, Some(bytes("2"))]);
}

pub(super) async fn any_bytes_are_a_key_and_a_row(store: &dyn Store) {
    let table = fresh(store, Table("suite.any_bytes")).await;
    let long = vec![0xff; KEY_BYTES_MAX];
    let large: Vec<u8> =
        (0..1_u32 << 20).map(|i| (i.wrapping_mul(31) >> 3).to_le_bytes()[0]).collect();
    let keys: Vec<&[u8]> = vec![&[0], &[0, 0], &[0, 0xff], &[0x7f], &[0xff], &[0xff, 0], &long];
    let rows: Vec<&[u8]> = vec![&[], &[0], &[0xff, 0, 0xff], &large, b"row", &[], &large];
    let writes = keys.iter().zip(&rows).map(|(key, row)| put(table, key, row)).collect();
    commit(store, writes).await;
    let asked: Vec<Bytes> = keys.iter().map(|key| Bytes::copy_from_slice(key)).collect();
    let found = get(store, table, &asked).await;
    for (at, row) in rows.iter().enumerate() {
        assert!(found[at].as_deref() == Some(*row), "row {at} is another");
    }
    let scanned = all(store, table).await;
    let in_order: Vec<&[u8]> = scanned.iter().map(|(key, _)| key.as_ref()).collect();
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    assert!(in_order == sorted, "keys in the order of their bytes");
}

pub(super) async fn a_removed_row_is_gone_and_may_come_back(store: &dyn Store) {
    let table = fresh(store, Table("suite.removed")).await;
    commit(store, vec![put(table, "a", "1"), put(table, "b", "1")]).await;
    commit(store, vec![remove(table, "a"), remove(table, "none")]).await;
    assert_eq!(get(store, table, &[bytes("a")]).await, vec![None]);
    assert_eq!(all(store, table).await, vec![(bytes("b"), bytes("1"))]);
    commit(store, vec![put(table, "a", "2")]).await;
    assert_eq!(get(store, table, &[bytes("a")]).await, vec![Some(bytes("2"))]);
}

pub(super) async fn a_cleared_table_is_empty_and_the_others_are_not(store: &dyn Store) {
    let table = fresh(store, Table("suite.cleared")).await;
    let other = fresh(store, Table("suite.cleared.not")).await;
    let writes = (0..500).map(|i| put(table, format!("{i}"), "old"));
    commit(store, writes.chain([put(other, "a", "1")]).collect()).await;
    for round in 0..3 {
        fresh(store, table).await;
        assert_eq!(all(store, table).await, Vec::new(), "round {round}");
        assert_eq!(get(store, table, &[bytes("7")]).await, vec![None]);
        commit(store, vec![put(table, "7", format!("{round}"))]).await;
        assert_eq!(all(store, table).await, vec![(bytes("7"), bytes(&format!("{round}")))]);
    }
    assert_eq!(all(store, other).await, vec![(bytes("a"), bytes("1"))]);
}

pub(super) async fn a_refused_commit_changes_nothing(store: &dyn Store) {
    let table = fresh(store, Table("suite.refused")).await;
    let bad = [
        put(table, "", "1"),
        remove(table, ""),
        put(table, vec![1; KEY_BYTES_MAX + 1], "1"),
        put(table, "large", vec![1; VALUE_BYTES_MAX + 1]),
        put(Table("Suite Refused"), "a", "1"),
        put(Table(""), "a", "1"),
    ];
    for write in bad {
        let outcome = store.commit(vec![put(table, "good", "1"), write]).await;
        assert!(matches!(outcome, Err(Error::Corrupt(_))), "{outcome:?}");
    }
    assert_eq!(all(store, table).await, Vec::<(Bytes, Bytes)>::new());
    let none: Vec<Write> = Vec::new();
    commit(store, none).await;
}
