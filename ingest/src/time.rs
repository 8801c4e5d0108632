//! Moments as callers write and read them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat};
use domain::time::Timestamp;

/// ISO 8601 in UTC with milliseconds.
pub(crate) fn iso(at: Timestamp) -> String {
    DateTime::from_timestamp_millis(at.0)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Millis, true)
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
        assert_eq!(iso(Timestamp(1_676_548_800_007)), "2023-02-16T12:00:00.007Z");
    }
}
