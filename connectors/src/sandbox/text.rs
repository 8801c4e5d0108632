//! JSON that JavaScript wrote, as a value.

use serde_json::Value;
use std::borrow::Cow;

/// The value. A half of a surrogate pair, which JavaScript allows in strings and JSON escapes, is
/// replaced: it is no character, and stands there only because a string was cut in the middle.
///
/// # Errors
/// The value is nested deeper than the reader goes.
pub(super) fn value(json: &str) -> Result<Value, serde_json::Error> {
    match serde_json::from_str(json) {
        Ok(value) => Ok(value),
        Err(error) => match whole(json) {
            Cow::Borrowed(_) => Err(error),
            Cow::Owned(json) => serde_json::from_str(&json),
        },
    }
}

fn whole(json: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut done = 0;
    let mut at = 0;
    let bytes = json.as_bytes();
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            at += 1;
            continue;
        }
        match half(bytes, at) {
            // JSON.stringify writes pairs as they are: what is escaped has no other half.
            true => {
                out.push_str(&json[done..at]);
                out.push_str("\\ufffd");
                at += 6;
                done = at;
            }
            false => at += 2,
        }
    }
    match done {
        0 => Cow::Borrowed(json),
        _ => Cow::Owned(out + &json[done..]),
    }
}

fn half(bytes: &[u8], at: usize) -> bool {
    matches!(
        bytes.get(at..at + 4),
        Some([b'\\', b'u', b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F'])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_pair_is_replaced_and_a_backslash_is_not_taken_for_one() {
        assert_eq!(value(r#""a\ud83db""#).unwrap(), "a\u{fffd}b");
        assert_eq!(value(r#"["\udc00","\\ud83d"]"#).unwrap()[1], "\\ud83d");
        assert_eq!(value(r#""\\\ud83d""#).unwrap(), "\\\u{fffd}");
        assert!(value("[").is_err());
    }
}
