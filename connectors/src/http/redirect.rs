//! What a redirect makes of a request.

use super::{Call, Error};
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE,
    CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HeaderName, PROXY_AUTHORIZATION, USER_AGENT,
};
use hyper::{HeaderMap, Method, StatusCode};
use url::Url;

/// Where an answer sends the client; `None`: it is an answer like any other.
pub(super) fn location(from: &Url, status: u16, headers: &HeaderMap) -> Result<Option<Url>, Error> {
    let follows = matches!(
        StatusCode::from_u16(status),
        Ok(StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT)
    );
    let Some(value) = headers.get(hyper::header::LOCATION).filter(|_| follows) else {
        return Ok(None);
    };
    let refused = |reason| Error::Redirect { reason };
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| refused("it names no URL"))?;
    let mut next = from.join(text).map_err(|_| refused("it names no URL"))?;
    if !matches!(next.scheme(), "http" | "https") {
        return Err(refused("it leads to something other than http and https"));
    }
    // A name and password that the redirecting server made up are not ours to send.
    let _ = next.set_username("");
    let _ = next.set_password(None);
    Ok(Some(next))
}

/// Changes the request to what is sent to `next`.
pub(super) fn follow(call: &mut Call, status: u16, next: Url) -> Result<(), Error> {
    // As browsers do it (Fetch standard, HTTP-redirect fetch, step 12).
    let becomes_get = match status {
        301 | 302 => call.method == Method::POST,
        303 => call.method != Method::GET && call.method != Method::HEAD,
        _ => false,
    };
    if becomes_get {
        call.method = Method::GET;
        call.body = bytes::Bytes::new();
        for name in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING, CONTENT_LANGUAGE] {
            call.headers.remove(name);
        }
    }
    if next.origin() != call.url.origin() {
        let goes_open = call.url.scheme() == "https" && next.scheme() == "http";
        if goes_open && (has_credentials(&call.headers) || !call.body.is_empty()) {
            return Err(Error::Redirect { reason: "it leads from https to http" });
        }
        drop_unsafe(&mut call.headers);
    }
    call.url = next;
    Ok(())
}

fn has_credentials(headers: &HeaderMap) -> bool {
    headers.iter().any(|(name, value)| {
        value.is_sensitive() || [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION].contains(name)
    })
}

/// Keys of APIs travel in headers of any name, so another origin gets only those that hold none.
fn drop_unsafe(headers: &mut HeaderMap) {
    let safe = [
        ACCEPT,
        ACCEPT_ENCODING,
        ACCEPT_LANGUAGE,
        CONTENT_ENCODING,
        CONTENT_LANGUAGE,
        CONTENT_TYPE,
        USER_AGENT,
        HeaderName::from_static("idempotency-key"),
    ];
    let dropped: Vec<HeaderName> = headers
        .iter()
        .filter(|(name, value)| value.is_sensitive() || !safe.contains(name))
        .map(|(name, _)| name.clone())
        .collect();
    for name in dropped {
        headers.remove(name);
    }
}
