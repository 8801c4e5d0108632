//! Moments and spans as plain numbers, always passed in.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This moment and `millis` more.
    pub fn plus_ms(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to this moment; never negative.
    pub fn since_ms(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).max(0)
    }

    /// The month that it lies in, in UTC.
    pub fn month(self) -> Month {
        let moment = jiff::Timestamp::from_millisecond(self.0).unwrap_or_default();
        let date = moment.to_zoned(TimeZone::UTC).date();
        Month(i32::from(date.year()) * 12 + i32::from(date.month()) - 1)
    }

    /// The number for UUIDv7, which knows no time before 1970.
    pub fn millis_unsigned(self) -> u64 {
        u64::try_from(self.0).unwrap_or(0)
    }
}

/// A month of a year in UTC, as the number of months since the year 0. As text: `2026-11`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Month(pub i32);

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

impl FromStr for Month {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let date: Date = format!("{text}-01").parse()?;
        Ok(Self(i32::from(date.year()) * 12 + i32::from(date.month()) - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_at_midnight_in_utc_and_reads_back() {
        let of = |text: &str| {
            Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond()).month()
        };
        assert_eq!(of("2026-10-31T23:59:59.999Z").to_string(), "2026-10");
        assert_eq!(of("2026-11-01T00:00:00Z").to_string(), "2026-11");
        assert_eq!("2026-11".parse::<Month>().unwrap(), of("2026-11-30T12:00:00Z"));
        assert_eq!("0999-12".parse::<Month>().unwrap().to_string(), "0999-12");
        for text in ["", "2026", "2026-13", "2026-1", "2026-11-01"] {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
    }
}
