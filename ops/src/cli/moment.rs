//! Moments on the command line.

use domain::time::Timestamp;

/// A moment that somebody named.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Moment(pub(super) Timestamp);

/// A moment, as milliseconds since 1970 or as `2026-01-31T12:00:00Z`.
///
/// # Errors
/// It is something else.
pub(super) fn parse(text: &str) -> Result<Moment, String> {
    if let Ok(millis) = text.parse() {
        return Ok(Moment(Timestamp(millis)));
    }
    chrono::DateTime::parse_from_rfc3339(text)
        .map(|at| Moment(Timestamp(at.timestamp_millis())))
        .map_err(|_| "give milliseconds since 1970, or a moment like 2026-01-31T12:00:00Z".into())
}

/// A moment as people read it.
pub(super) fn shown(at: Timestamp) -> String {
    let moment = chrono::DateTime::from_timestamp_millis(at.0);
    let shown = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    moment.map_or_else(|| at.0.to_string(), shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_milliseconds_or_a_date() {
        let millis = |text: &str| parse(text).map(|moment| moment.0.0);
        assert_eq!(millis("1700000000123"), Ok(1_700_000_000_123));
        assert_eq!(millis("1970-01-01T01:00:01+01:00"), Ok(1_000));
        assert!(parse("yesterday").is_err());
    }

    #[test]
    fn what_is_shown_reads_back() {
        let at = Timestamp(1_700_000_000_123);
        assert_eq!(parse(&shown(at)), Ok(Moment(at)));
    }
}
