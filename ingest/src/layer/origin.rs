//! The address under which the caller reached the door.

use axum::http::{HeaderMap, header};

/// `https://host[:port]`: the host that was called, and the scheme that a proxy in front names.
pub(crate) fn origin(headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST.as_str()).filter(|host| is_host(host)).unwrap_or("localhost");
    let forwarded = text("x-forwarded-proto").and_then(|value| value.split(',').next());
    let scheme = match forwarded.map(str::trim) {
        Some("https") => "https",
        Some(_) | None => "http",
    };
    format!("{scheme}://{host}")
}

fn is_host(host: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    !host.is_empty() && host.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn the_origin_is_that_of_the_call() {
        let mut headers = HeaderMap::new();
        assert_eq!(origin(&headers), "http://localhost");
        headers.insert(header::HOST, HeaderValue::from_static("api.example:8443"));
        assert_eq!(origin(&headers), "http://api.example:8443");
        headers.insert("x-forwarded-proto", HeaderValue::from_static("https, http"));
        assert_eq!(origin(&headers), "https://api.example:8443");
        headers.insert(header::HOST, HeaderValue::from_static("a/../b"));
        assert_eq!(origin(&headers), "https://localhost");
    }
}
