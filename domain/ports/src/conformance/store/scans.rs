//! Order, ends and limits.

use super::{all, bytes, commit, fresh, put, range, scan};
use crate::store::{Range, Store, Table};
use bytes::Bytes;

fn keys(rows: &[(Bytes, Bytes)]) -> Vec<String> {
    rows.iter().map(|(key, _)| String::from_utf8_lossy(key).into_owned()).collect()
}

async fn letters(store: &dyn Store, table: Table) -> Table {
    let table = fresh(store, table).await;
    // In two commits and out of order, so that nothing is sorted by accident.
    commit(store, ["d", "b", "f"].map(|key| put(table, key, key.repeat(2))).to_vec()).await;
    commit(store, ["e", "a", "c"].map(|key| put(table, key, key.repeat(2))).to_vec()).await;
    table
}

pub(super) async fn rows_come_in_the_order_of_their_bytes(store: &dyn Store) {
    let table = fresh(store, Table("suite.order")).await;
    let keys: Vec<Vec<u8>> = (0..1_000_u32)
        .map(|i| {
            let mixed = i.wrapping_mul(0x9e37_79b9);
            let length = usize::try_from(1 + i % 4).unwrap_or(1);
            [&mixed.to_be_bytes()[..length], &i.to_be_bytes()].concat()
        })
        .collect();
    for part in keys.chunks(100) {
        commit(store, part.iter().map(|key| put(table, key, key)).collect()).await;
    }
    let mut sorted = keys;
    sorted.sort_unstable();
    let found = all(store, table).await;
    assert_eq!(found.len(), sorted.len());
    for ((key, value), expected) in found.iter().zip(&sorted) {
        assert_eq!(key.as_ref(), expected.as_slice());
        assert_eq!(value, key, "each row with its own key");
    }
    let backwards = scan(store, table, Range { backwards: true, ..range(b"", b"") }).await;
    assert!(backwards.iter().eq(found.iter().rev()), "backwards is the reverse");
}

pub(super) async fn ends_and_limits_hold_in_both_directions(store: &dyn Store) {
    let table = letters(store, Table("suite.ends")).await;
    let cases: [(&str, &str, usize, &str, &str); 8] = [
        ("", "", 100, "abcdef", "fedcba"),
        ("b", "e", 100, "bcd", "dcb"),
        ("b", "e", 2, "bc", "dc"),
        ("bb", "ee", 100, "cde", "edc"),
        ("c", "", 100, "cdef", "fedc"),
        ("c", "", 1, "c", "f"),
        ("", "c", 100, "ab", "ba"),
        ("a", "f", 0, "", ""),
    ];
    for (from, until, limit, forwards, backwards) in cases {
        let asked = Range { limit, ..range(from.as_bytes(), until.as_bytes()) };
        let found = scan(store, table, asked.clone()).await;
        assert_eq!(keys(&found).concat(), forwards, "{asked:?}");
        assert!(found.iter().all(|(key, value)| value.len() == 2 && value.starts_with(key)));
        let asked = Range { backwards: true, ..asked };
        assert_eq!(keys(&scan(store, table, asked.clone()).await).concat(), backwards, "{asked:?}");
    }
}

pub(super) async fn a_prefix_is_a_range(store: &dyn Store) {
    let table = fresh(store, Table("suite.prefix")).await;
    let keys: [&[u8]; 7] = [b"a", b"a\x00", b"a\x00\x00", b"a\x00\xff", b"a\x01", b"a\xff", b"b"];
    commit(store, keys.iter().map(|key| put(table, key, "")).collect()).await;
    let found = scan(store, table, range(b"a\x00", b"a\x01")).await;
    let found: Vec<&[u8]> = found.iter().map(|(key, _)| key.as_ref()).collect();
    assert_eq!(found, keys[1..4].to_vec());
    let last = scan(store, table, Range { limit: 1, backwards: true, ..range(b"a", b"b") }).await;
    assert_eq!(last.first().map(|(key, _)| key.as_ref()), Some(keys[5]));
}

pub(super) async fn ranges_without_rows_are_empty(store: &dyn Store) {
    let table = letters(store, Table("suite.without_rows")).await;
    for (from, until) in [("b", "b"), ("e", "b"), ("bb", "bc"), ("g", ""), ("\u{7f}", "\u{7e}")] {
        for backwards in [false, true] {
            let asked = Range { backwards, ..range(from.as_bytes(), until.as_bytes()) };
            let found = scan(store, table, asked.clone()).await;
            assert_eq!(found, Vec::<(Bytes, Bytes)>::new(), "{asked:?}");
        }
    }
    assert_eq!(all(store, table).await.first().map(|(key, _)| key.clone()), Some(bytes("a")));
}
