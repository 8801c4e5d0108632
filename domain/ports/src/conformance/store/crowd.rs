//! Many tables, many rows, many readers.

use super::{Range, all, bytes, commit, fresh, get, pass, put, range, remove, scan};
use crate::store::{Store, Table, Write};
use bytes::Bytes;
use futures_util::future::{join, join_all};
use std::sync::atomic::{AtomicBool, Ordering};

const MANY: [&str; 20] = [
    "suite.many.00",
    "suite.many.01",
    "suite.many.02",
    "suite.many.03",
    "suite.many.04",
    "suite.many.05",
    "suite.many.06",
    "suite.many.07",
    "suite.many.08",
    "suite.many.09",
    "suite.many.10",
    "suite.many.11",
    "suite.many.12",
    "suite.many.13",
    "suite.many.14",
    "suite.many.15",
    "suite.many.16",
    "suite.many.17",
    "suite.many.18",
    "suite.many.19",
];

const ROW_COUNT: u32 = 100_000;

pub(super) async fn many_tables_live_side_by_side(store: &dyn Store) {
    for name in MANY {
        fresh(store, Table(name)).await;
    }
    for round in 0..10 {
        let writes = MANY.map(|name| put(Table(name), format!("{round}"), name)).to_vec();
        commit(store, writes).await;
    }
    for name in MANY {
        let found = all(store, Table(name)).await;
        assert_eq!(found.len(), 10, "{name}");
        assert!(found.iter().all(|(_, value)| value == name), "{name}");
    }
}

fn row(number: u32) -> Vec<u8> {
    [&number.to_le_bytes()[..], &[7; 60]].concat()
}

pub(super) async fn a_hundred_thousand_rows_are_all_found(store: &dyn Store) {
    let table = fresh(store, Table("suite.hundred_thousand")).await;
    // 7919 has no divisor in common with the count: every number once, in no order.
    let scattered = |i: u32| u32::try_from(u64::from(i) * 7919 % u64::from(ROW_COUNT)).unwrap_or(0);
    let numbers: Vec<u32> = (0..ROW_COUNT).map(scattered).collect();
    for part in numbers.chunks(1_000) {
        let puts = part.iter().map(|number| put(table, number.to_be_bytes(), row(*number)));
        commit(store, puts.collect()).await;
    }
    // Every third row goes away again.
    let removed: Vec<Write> =
        (0..ROW_COUNT).step_by(3).map(|number| remove(table, number.to_be_bytes())).collect();
    for part in removed.chunks(5_000) {
        commit(store, part.to_vec()).await;
    }
    let expected: Vec<u32> = (0..ROW_COUNT).filter(|number| number % 3 != 0).collect();
    let mut found: Vec<u32> = Vec::new();
    let mut from = Bytes::new();
    loop {
        let page = Range { limit: 7_001, ..range(&from, b"") };
        let rows = scan(store, table, page).await;
        let Some((last, _)) = rows.last() else { break };
        from = Bytes::from([last, &[0][..]].concat());
        for (key, value) in &rows {
            let number = u32::from_be_bytes(key.as_ref().try_into().unwrap_or_default());
            assert_eq!(value.as_ref(), row(number).as_slice());
            found.push(number);
        }
    }
    assert!(found == expected, "{} of {} rows", found.len(), expected.len());
    let asked: Vec<Bytes> =
        (0..500_u32).map(|i| Bytes::copy_from_slice(&scattered(i).to_be_bytes())).collect();
    for (key, value) in asked.iter().zip(get(store, table, &asked).await) {
        let number = u32::from_be_bytes(key.as_ref().try_into().unwrap_or_default());
        let expected = (number % 3 != 0).then(|| Bytes::from(row(number)));
        assert_eq!(value, expected, "row {number}");
    }
}

pub(super) async fn readers_see_whole_commits(store: &dyn Store) {
    let table = fresh(store, Table("suite.whole")).await;
    let keys: Vec<Bytes> = (0..50).map(|i| bytes(&format!("{i:02}"))).collect();
    let round =
        |number: u32| keys.iter().map(|key| put(table, key, number.to_be_bytes())).collect();
    commit(store, round(0)).await;
    let writing = AtomicBool::new(true);
    let writer = async {
        for number in 1..=200 {
            commit(store, round(number)).await;
            pass().await;
        }
        writing.store(false, Ordering::SeqCst);
    };
    let readers = (0..4).map(|reader| {
        let (keys, writing) = (&keys, &writing);
        async move {
            let mut newest = Bytes::new();
            while writing.load(Ordering::SeqCst) {
                let values: Vec<Bytes> = match reader % 2 {
                    0 => get(store, table, keys).await.into_iter().flatten().collect(),
                    _ => all(store, table).await.into_iter().map(|(_, value)| value).collect(),
                };
                assert_eq!(values.len(), keys.len());
                assert!(
                    values.iter().all(|value| *value == values[0]),
                    "half a commit: {values:?}"
                );
                assert!(values[0] >= newest, "an older row after a newer one");
                newest = values[0].clone();
                pass().await;
            }
        }
    });
    join(writer, join_all(readers)).await;
}
