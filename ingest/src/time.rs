//! Moments as callers write and read them.

use crate::problem::{BODY_MALFORMED, Outcome};
use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat};
use domain::time::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use std::borrow::Cow;

/// A moment as it is written: ISO 8601 in UTC with milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Iso(pub(crate) Timestamp);

impl Serialize for Iso {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let moment = DateTime::from_timestamp_millis(self.0.0).unwrap_or_default();
        serializer.serialize_str(&moment.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl JsonSchema for Iso {
    fn schema_name() -> Cow<'static, str> {
        "Iso".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// A date of a body, if there is one.
pub(crate) fn read(text: Option<String>) -> Outcome<Option<Timestamp>> {
    let read = |text: String| {
        parse(&text).ok_or_else(|| BODY_MALFORMED.because("A date is not in ISO 8601."))
    };
    text.map(read).transpose()
}

/// Reads ISO 8601: a date, or a date and time; without a zone it is UTC.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(Timestamp(moment.timestamp_millis()));
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"] {
        if let Ok(moment) = NaiveDateTime::parse_from_str(text, format) {
            return Some(Timestamp(moment.and_utc().timestamp_millis()));
        }
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0)?;
    Some(Timestamp(day.and_utc().timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_without_a_zone_is_utc() {
        let noon = parse("2023-02-16T12:00:00Z");
        assert_eq!(noon, Some(Timestamp(1_676_548_800_000)));
        assert_eq!(parse("2023-02-16T12:00:00"), noon);
        assert_eq!(parse("2023-02-16T13:00:00+01:00"), noon);
        assert_eq!(parse("2023-02-16"), Some(Timestamp(1_676_505_600_000)));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in ["", "yesterday", "2023-02-30", "1676548800000", "2023-02-16T25:00:00Z"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_moment_is_written_with_milliseconds() {
        let written = serde_json::to_value(Iso(Timestamp(1_676_548_800_007))).unwrap();
        assert_eq!(written, "2023-02-16T12:00:00.007Z");
    }
}
