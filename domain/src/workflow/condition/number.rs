//! Numbers as rules compare them.

use serde_json::{Number, Value};
use std::cmp::Ordering;

/// A number that can be compared: exact while it is whole.
#[derive(Clone, Copy, Debug)]
pub(super) enum Comparable {
    Whole(i128),
    Double(f64),
}

impl Comparable {
    /// The number that a value is, or that all of its text is.
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => Self::of_number(number),
            Value::String(text) => Self::of_text(text),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    pub(super) fn of_text(text: &str) -> Option<Self> {
        let text = text.trim();
        // Words such as "inf" and "nan" parse as doubles; nobody means them.
        let plain = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
        if !text.bytes().all(plain) {
            return None;
        }
        if let Ok(whole) = text.parse::<i128>() {
            return Some(Comparable::Whole(whole));
        }
        text.parse::<f64>().ok().filter(|double| double.is_finite()).map(Comparable::Double)
    }

    fn of_number(number: &Number) -> Option<Self> {
        let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
        match whole {
            Some(whole) => Some(Comparable::Whole(whole)),
            None => number.as_f64().filter(|double| double.is_finite()).map(Comparable::Double),
        }
    }

    pub(super) fn double(self) -> f64 {
        match self {
            Comparable::Whole(whole) => whole as f64,
            Comparable::Double(double) => double,
        }
    }

    pub(super) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Comparable::Whole(a), Comparable::Whole(b)) => Some(a.cmp(&b)),
            (a, b) => a.double().partial_cmp(&b.double()),
        }
    }
}

/// The number that a value is, or that all of its text is; never infinite.
pub(crate) fn finite(value: &Value) -> Option<f64> {
    Comparable::of(value).map(Comparable::double)
}
