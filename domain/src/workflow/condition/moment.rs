//! Moments as rules compare them.

use super::number::Comparable;
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};
use serde_json::Value;

/// The furthest moment, either way, in milliseconds from 1970: that of JavaScript's `Date`.
const MOMENT_MS_MAX: f64 = 8.64e15;

/// Milliseconds since 1970-01-01T00:00:00Z of ISO 8601 text or of a number of milliseconds.
pub(crate) fn moment(value: &Value) -> Option<i64> {
    match value {
        Value::Number(_) => Comparable::of(value).and_then(in_range),
        Value::String(text) => moment_of_text(text),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The same for text. Four digits are a year, eight a day; other numbers are milliseconds.
pub(super) fn moment_of_text(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.timestamp_millis());
    }
    if matches!(text.len(), 4 | 8) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return midnight(day(text)?);
    }
    if let Some(number) = Comparable::of_text(text).filter(|_| !text.contains('.')) {
        return in_range(number);
    }
    let Some((date, time)) = text.split_once(['T', 't', ' ']) else {
        return midnight(day(text)?);
    };
    let (time, offset_s) = split_offset(time.trim_start())?;
    let local = NaiveDateTime::new(day(date)?, clock(time)?).and_utc().timestamp_millis();
    Some(local - i64::from(offset_s) * 1_000)
}

fn in_range(number: Comparable) -> Option<i64> {
    let double = number.double();
    (double.abs() <= MOMENT_MS_MAX).then_some(double as i64)
}

fn midnight(day: NaiveDate) -> Option<i64> {
    Some(day.and_time(NaiveTime::MIN).and_utc().timestamp_millis())
}

fn day(text: &str) -> Option<NaiveDate> {
    match text.len() {
        4 => NaiveDate::from_ymd_opt(text.parse().ok()?, 1, 1),
        7 => NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").ok(),
        8 => NaiveDate::parse_from_str(text, "%Y%m%d").ok(),
        _ => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok(),
    }
}

fn clock(text: &str) -> Option<NaiveTime> {
    let formats = ["%H:%M:%S%.f", "%H:%M", "%H%M%S%.f", "%H%M"];
    formats.iter().find_map(|format| NaiveTime::parse_from_str(text, format).ok())
}

/// The time of day, and the seconds that its zone is ahead of UTC; no zone is UTC.
fn split_offset(text: &str) -> Option<(&str, i32)> {
    if let Some(time) = text.strip_suffix(['Z', 'z']) {
        return Some((time.trim_end(), 0));
    }
    let Some(at) = text.find(['+', '-']) else {
        return Some((text, 0));
    };
    let (time, zone) = text.split_at(at);
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits: String = zone[1..].chars().filter(|character| *character != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits[..2].parse().ok()?;
    let minutes: i32 =
        digits.get(2..).filter(|rest| !rest.is_empty()).unwrap_or("0").parse().ok()?;
    let offset_s = sign * (hours * 3_600 + minutes * 60);
    FixedOffset::east_opt(offset_s)?;
    Some((time.trim_end(), offset_s))
}
