//! JSON as the rest of Millrace can read it.
//!
//! A payload that is passed on without being parsed must not be one that nothing can parse later:
//! too deep, a number out of range, a lone surrogate. One pass over the bytes finds whatever
//! could be such, and only then is it parsed to know.

use crate::problem::{BODY_MALFORMED, Outcome, Problem};
use memchr::memchr2;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// Arrays and objects inside each other.
pub(crate) const DEPTH_MAX: usize = 64;

/// A number of fewer characters without an exponent cannot be out of range.
const NUMBER_LEN_MAX: usize = 300;

/// A body that was looked through once.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    bytes: &'a [u8],
    doubtful: bool,
}

impl<'a> Text<'a> {
    /// Looks through a body; it may still be anything but too deep.
    pub(crate) fn of(bytes: &'a [u8]) -> Outcome<Self> {
        match scan(bytes) {
            Scan::Deep => Err(too_deep()),
            Scan::Plain => Ok(Self { bytes, doubtful: false }),
            Scan::Doubtful => Ok(Self { bytes, doubtful: true }),
        }
    }

    /// Reads it as an object. A struct would also be read from an array, by position.
    pub(crate) fn object<T: Deserialize<'a>>(self) -> Outcome<T> {
        object_in(self.bytes)
    }

    /// Reads a part of it as an object.
    pub(crate) fn part<T: Deserialize<'a>>(self, part: &'a RawValue) -> Outcome<T> {
        object_in(part.get().as_bytes())
    }

    /// Makes sure that a part that is passed on unread can be read by whoever gets it.
    pub(crate) fn check(self, part: &RawValue) -> Outcome<()> {
        if self.doubtful { check(part) } else { Ok(()) }
    }
}

fn object_in<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Outcome<T> {
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(BODY_MALFORMED.because("The body is not a JSON object."));
    }
    serde_json::from_slice(bytes).map_err(|error| malformed(&error))
}

/// Reads a body. What it borrows are parts of the body.
pub(crate) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Outcome<T> {
    let text = Text::of(bytes)?;
    serde_json::from_slice(text.bytes).map_err(|error| malformed(&error))
}

/// Reads a body that must be an object.
pub(crate) fn object<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Outcome<T> {
    Text::of(bytes)?.object()
}

fn check(raw: &RawValue) -> Outcome<()> {
    let text = raw.get();
    match scan(text.as_bytes()) {
        Scan::Deep => Err(too_deep()),
        Scan::Plain => Ok(()),
        Scan::Doubtful => {
            serde_json::from_str::<Value>(text).map(|_| ()).map_err(|error| malformed(&error))
        }
    }
}

/// A whole body that is passed on unread.
pub(crate) fn raw(bytes: &[u8]) -> Outcome<&RawValue> {
    let raw: &RawValue = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
    check(raw)?;
    Ok(raw)
}

fn too_deep() -> Problem {
    BODY_MALFORMED.because(format!("The JSON is nested deeper than {DEPTH_MAX}."))
}

/// The message names a place, never a value.
fn malformed(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let what = match error.classify() {
        serde_json::error::Category::Data => "is not what is expected",
        _ => "is not valid JSON",
    };
    BODY_MALFORMED.because(format!("The body {what} (line {line}, column {column})."))
}

#[derive(PartialEq, Eq, Debug)]
enum Scan {
    Plain,
    /// Something in it is valid as text but might not parse.
    Doubtful,
    Deep,
}

fn scan(bytes: &[u8]) -> Scan {
    let (mut depth, mut deepest, mut doubtful) = (0usize, 0usize, false);
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => {
                let (end, surrogate) = skip_string(bytes, at);
                at = end;
                doubtful |= surrogate;
            }
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'0'..=b'9' => {
                let rest = &bytes[at..];
                let end = |b: &u8| !matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
                let len = rest.iter().position(end).unwrap_or(rest.len());
                doubtful |= len > NUMBER_LEN_MAX;
                doubtful |= rest[..len].iter().any(|b| matches!(b, b'e' | b'E'));
                at += len;
            }
            _ => {}
        }
    }
    match (deepest > DEPTH_MAX, doubtful) {
        (true, _) => Scan::Deep,
        (false, true) => Scan::Doubtful,
        (false, false) => Scan::Plain,
    }
}

/// The position after the string that begins at `at`, and whether it escapes a surrogate.
fn skip_string(bytes: &[u8], mut at: usize) -> (usize, bool) {
    let mut surrogate = false;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found + 1;
        if bytes[at - 1] == b'"' {
            return (at, surrogate);
        }
        let escape = bytes.get(at..at + 3).unwrap_or_default();
        surrogate |= matches!(escape, [b'u', b'd' | b'D', _]);
        at += 1;
    }
    (bytes.len(), surrogate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(text: &str) -> bool {
        raw(text.as_bytes()).is_ok()
    }

    #[test]
    fn what_passes_unread_can_be_read() {
        let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
        let samples = [
            (r#"{"a":[1,-2.5,"x\"[[[",true,null]}"#.to_owned(), true),
            (r#""\ud83d\ude00""#.to_owned(), true),
            (r#""\ud83d""#.to_owned(), false),
            (r#""\\ud83d""#.to_owned(), true),
            ("1e400".to_owned(), false),
            ("1E30".to_owned(), true),
            ("9".repeat(400), false),
            ("9".repeat(299), true),
            (deep(DEPTH_MAX), true),
            (deep(DEPTH_MAX + 1), false),
            (deep(1_000_000), false),
            (String::new(), false),
            ("{}{}".to_owned(), false),
        ];
        for (text, expected) in samples {
            let head: String = text.chars().take(40).collect();
            assert_eq!(passes(&text), expected, "{head}");
            if expected {
                assert!(serde_json::from_str::<Value>(&text).is_ok(), "{head}");
            }
        }
    }

    #[test]
    fn text_that_is_not_utf8_is_refused() {
        assert!(raw(b"\"\xff\"").is_err());
        assert!(parse::<String>(b"\"\xc3\x28\"").is_err());
    }

    #[test]
    fn a_message_names_a_place_and_no_value() {
        let problem = parse::<u8>(b"\n  \"s3cret\"").err().unwrap();
        assert_eq!(problem.message, "The body is not what is expected (line 2, column 10).");
    }
}
