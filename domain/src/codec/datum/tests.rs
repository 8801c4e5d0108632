//! What the golden bytes do not show.

use super::*;
use crate::payload::Payload;
use bytes::Bytes;
use proptest::prelude::*;
use serde::Deserialize;
use uuid::Uuid;

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Sample {
    id: Uuid,
    other: Option<Uuid>,
    small: i32,
    large: Option<i64>,
    text: String,
    sealed: Payload,
    many: Vec<Inner>,
    flag: Option<bool>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Inner {
    kind: Kind,
    id: Uuid,
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone, Copy)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Kind {
    First,
    Second,
}

fn sample() -> impl Strategy<Value = Sample> {
    let inner = (any::<bool>(), any::<u128>()).prop_map(|(second, id)| Inner {
        kind: if second { Kind::Second } else { Kind::First },
        id: Uuid::from_u128(id),
    });
    let ids = (any::<u128>(), any::<Option<u128>>());
    let numbers = (any::<i32>(), any::<Option<i64>>(), any::<Option<bool>>());
    let bytes = proptest::collection::vec(any::<u8>(), 0..300);
    let rest = (".{0,40}", bytes, proptest::collection::vec(inner, 0..5));
    (ids, numbers, rest).prop_map(|((id, other), (small, large, flag), (text, bytes, many))| {
        Sample {
            id: Uuid::from_u128(id),
            other: other.map(Uuid::from_u128),
            small,
            large,
            text,
            sealed: Payload::Sealed(Bytes::from(bytes)),
            many,
            flag,
        }
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(sample in sample()) {
        let mut out = Vec::new();
        write(&mut out, &sample).unwrap();
        let mut rest = &out[..];
        prop_assert_eq!(read::<Sample>(&mut rest).unwrap(), sample);
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn whatever_the_bytes_are_reading_ends(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read::<Sample>(&mut &bytes[..]);
    }

    #[test]
    fn bytes_that_were_cut_off_do_not_read(sample in sample()) {
        let mut out = Vec::new();
        write(&mut out, &sample).unwrap();
        for end in 0..out.len() {
            prop_assert!(read::<Sample>(&mut &out[..end]).is_err());
        }
    }
}

#[test]
fn an_array_in_several_blocks_reads_as_one() {
    // Two elements with the block's size in front, one without it, and the end.
    let mut bytes: &[u8] = &[3, 4, 2, 4, 2, 6, 0];
    assert_eq!(read::<Vec<i32>>(&mut bytes).unwrap(), [1, 2, 3]);
    assert!(bytes.is_empty());
}

#[test]
fn an_open_payload_is_not_written() {
    let open = Payload::Open(Bytes::from_static(b"clear"));
    assert!(write(&mut Vec::new(), &open).is_err());
}
