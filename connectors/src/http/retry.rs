//! When to come back.

use domain::time::Timestamp;
use hyper::HeaderMap;
use hyper::header::RETRY_AFTER;
use std::time::UNIX_EPOCH;

/// `Retry-After` in milliseconds from `now`: seconds or an HTTP date (RFC 9110, 10.2.3).
pub fn retry_after_ms(headers: &HeaderMap, now: Timestamp) -> Option<i64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(i64::from(seconds) * 1000);
    }
    let at = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    let at = Timestamp(i64::try_from(at.as_millis()).ok()?);
    Some(at.since_ms(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(text: &str, now_ms: i64) -> Option<i64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, text.parse().unwrap());
        retry_after_ms(&headers, Timestamp(now_ms))
    }

    #[test]
    fn seconds_and_dates_are_understood_and_nonsense_is_not() {
        let epoch_plus_a_minute = "Thu, 01 Jan 1970 00:01:00 GMT";
        assert_eq!(wait("7", 0), Some(7000));
        assert_eq!(wait(" 0 ", 0), Some(0));
        assert_eq!(wait(epoch_plus_a_minute, 59_000), Some(1000));
        assert_eq!(wait(epoch_plus_a_minute, 61_000), Some(0));
        for text in ["-1", "1.5", "soon", "99999999999"] {
            assert_eq!(wait(text, 0), None, "{text}");
        }
    }
}
