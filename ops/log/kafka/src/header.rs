//! Headers of a record, as text that any Kafka tool shows. What is 0 is left out.

use ports::Headers;
use rdkafka::message::{BorrowedHeaders, Header, Headers as _, OwnedHeaders};
use std::fmt::Write;
use std::str::FromStr;

const TYPE: &str = "type";
const EPOCH: &str = "epoch";
const INCARNATION: &str = "incarnation";
const I: &str = "i";
const N: &str = "n";

pub(crate) fn to_kafka(headers: &Headers) -> OwnedHeaders {
    let fields = [
        (TYPE, i64::from(headers.kind)),
        (EPOCH, headers.epoch),
        (INCARNATION, headers.incarnation),
        (I, i64::from(headers.i)),
        (N, i64::from(headers.n)),
    ];
    let mut text = String::with_capacity(20);
    let mut all = OwnedHeaders::new_with_capacity(fields.len());
    for (key, value) in fields.into_iter().filter(|(_, value)| *value != 0) {
        text.clear();
        // Writing to a string does not fail.
        let _ = write!(text, "{value}");
        all = all.insert(Header { key, value: Some(&text) });
    }
    all
}

/// The headers of a record; `None` if one of them is not a number that fits.
pub(crate) fn from_kafka(headers: Option<&BorrowedHeaders>) -> Option<Headers> {
    let mut found = Headers::default();
    let Some(headers) = headers else { return Some(found) };
    for header in headers.iter() {
        let value = header.value.unwrap_or_default();
        match header.key {
            TYPE => found.kind = number(value)?,
            EPOCH => found.epoch = number(value)?,
            INCARNATION => found.incarnation = number(value)?,
            I => found.i = number(value)?,
            N => found.n = number(value)?,
            // Proxies and tracers add their own.
            _ => {}
        }
    }
    Some(found)
}

fn number<T: FromStr>(value: &[u8]) -> Option<T> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_comes_back() {
        for headers in [
            Headers::default(),
            Headers { kind: 1, epoch: 2, incarnation: 3, i: 4, n: 5 },
            Headers { kind: u32::MAX, epoch: i64::MAX, incarnation: i64::MIN, i: i32::MAX, n: -1 },
        ] {
            let kafka = to_kafka(&headers);
            assert_eq!(from_kafka(Some(kafka.as_borrowed())), Some(headers));
        }
    }

    #[test]
    fn a_header_that_is_no_number_is_noticed() {
        let kafka = OwnedHeaders::new().insert(Header { key: EPOCH, value: Some("seven") });
        assert_eq!(from_kafka(Some(kafka.as_borrowed())), None);
    }
}
