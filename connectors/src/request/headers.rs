//! Headers and credentials of a request.

use super::Failed;
use super::parts::{ENCODING, Parts, text};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::workflow::Authorization;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue};
use url::Url;

/// The connection's business; a step that sets them would only break it.
const CONNECTION: [&str; 10] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "proxy-connection",
    "proxy-authorization",
];

pub(super) fn header_name(name: &str) -> Result<HeaderName, Failed> {
    HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| Failed::Header(name.to_owned()))
}

/// Line breaks and other control characters never get into a header: they would begin another one.
pub(super) fn value(name: &str, text: &str) -> Result<HeaderValue, Failed> {
    HeaderValue::from_bytes(text.trim_matches(' ').as_bytes())
        .map_err(|_| Failed::Header(name.to_owned()))
}

pub(super) fn own_headers(parts: &Parts<'_>, headers: &mut HeaderMap) -> Result<(), Failed> {
    for (name, own) in &parts.headers {
        let Some(text) = text(own) else { continue };
        if name.trim().is_empty() && text.is_empty() {
            continue;
        }
        let name = header_name(name)?;
        let value = value(name.as_str(), &text)?;
        if !CONNECTION.contains(&name.as_str()) && name.as_str() != ENCODING {
            headers.append(name, value);
        }
    }
    Ok(())
}

pub(super) fn authorize(
    authorization: &Authorization,
    url: &mut Url,
    headers: &mut HeaderMap,
) -> Result<(), Failed> {
    let (name, text) = match authorization {
        // A token that has to be asked for is added when it is there.
        Authorization::None | Authorization::OauthClientCredentials(_) => return Ok(()),
        Authorization::Query { name, value } => {
            append(url, &[(name.as_str(), value.clone())]);
            return Ok(());
        }
        Authorization::Bearer { token } => (AUTHORIZATION, format!("Bearer {}", token.trim())),
        Authorization::Basic { username, password } => (AUTHORIZATION, basic(username, password)),
        Authorization::Header { name, value } => (header_name(name)?, value.clone()),
    };
    let mut value = value(name.as_str(), &text)?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

pub(super) fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
}

/// `https://name:password@host` is basic authorization, as browsers and curl understand it.
pub(super) fn name_in_url(url: &mut Url, headers: &mut HeaderMap) -> Result<(), Failed> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(());
    }
    let decoded = |text: &str| {
        let plus_kept = text.replace('+', "%2B");
        let pair = url::form_urlencoded::parse(plus_kept.as_bytes()).next();
        pair.map_or_else(String::new, |(name, _)| name.into_owned())
    };
    let text = basic(&decoded(url.username()), &decoded(url.password().unwrap_or_default()));
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if !headers.contains_key(AUTHORIZATION) {
        let mut value = value("Authorization", &text)?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(())
}

pub(super) fn append(url: &mut Url, pairs: &[(&str, String)]) {
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
}
