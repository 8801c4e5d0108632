//! One grant: what is sent to the token endpoint, and what its answer means.

use super::{Bearers, Granted, Refused, Token, left_ms};
use crate::http::{Answer, Call, retry_after_ms};
use crate::mask::HIDDEN;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::time::Timestamp;
use domain::workflow::{ClientAuth, ClientCredentials};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{HeaderMap, Method};
use serde_json::Value;
use std::sync::Arc;
use tokio::time::Instant;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};
use zeroize::Zeroizing;

/// Largest answer of a token endpoint, in bytes.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;
/// How long a token is used if nothing is said, in milliseconds: no longer than most that say it.
const LIFE_MS: i64 = 3_600_000;
/// How long before its end a token is renewed at the earliest, in milliseconds; and no earlier than
/// the last tenth of its life.
const RENEWAL_MS_MAX: i64 = 60_000;
/// How much of what a token endpoint says is told, in characters.
const REASON_CHARS_MAX: usize = 300;

impl Bearers {
    /// Asks for a token.
    pub(super) async fn grant(
        &self,
        credentials: &ClientCredentials,
        deadline: Instant,
    ) -> Result<Granted, Refused> {
        let call = call(credentials, left_ms(deadline))?;
        let answer = self.client.send(call).await?;
        read(credentials, &answer, self.clock.now())
    }
}

fn call(credentials: &ClientCredentials, timeout_ms: u32) -> Result<Call, Refused> {
    let url = Url::parse(&credentials.token_url).map_err(|_| crate::http::Error::Url)?;
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert(CONTENT_TYPE, kind);
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    for (name, value) in [("scope", &credentials.scope), ("audience", &credentials.audience)] {
        if !value.is_empty() {
            form.append_pair(name, value);
        }
    }
    form.extend_pairs(&credentials.params);
    match credentials.client_auth {
        ClientAuth::Body => {
            form.append_pair("client_id", &credentials.client_id);
            form.append_pair("client_secret", &credentials.client_secret);
        }
        ClientAuth::Basic => {
            let mut basic = basic(&credentials.client_id, &credentials.client_secret);
            basic.set_sensitive(true);
            headers.insert(AUTHORIZATION, basic);
        }
    }
    Ok(Call {
        method: Method::POST,
        url,
        headers,
        body: Bytes::from(form.finish()),
        timeout_ms,
        body_bytes_max: ANSWER_BYTES_MAX,
        // A redirect would take the secret to somebody else.
        follows_redirects: false,
        runs: 0,
    })
}

/// Both are form-encoded first (RFC 6749, 2.3.1), so that a `:` in an id is no end of it.
fn basic(id: &str, secret: &str) -> HeaderValue {
    let pair = Zeroizing::new(format!("{}:{}", encoded(id), encoded(secret)));
    let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
    // Base64 always can stand in a header.
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

fn read(
    credentials: &ClientCredentials,
    answer: &Answer,
    now: Timestamp,
) -> Result<Granted, Refused> {
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |key: &str| said.get(key).and_then(Value::as_str);
    let token = text("access_token").filter(|token| is_token(token));
    let Some(token) = token.filter(|_| (200..300).contains(&answer.status)) else {
        return Err(refused(credentials, answer, &said, now));
    };
    if !text("token_type").is_none_or(|kind| kind.eq_ignore_ascii_case("bearer")) {
        return Err(Refused::Unusable);
    }
    let life_ms = said.get("expires_in").and_then(seconds).map_or(LIFE_MS, |s| s * 1000);
    let renewal_ms = (life_ms / 10).min(RENEWAL_MS_MAX);
    Ok(Granted {
        token: Token(Arc::new(Zeroizing::new(token.to_owned()))),
        renew_at: now.plus_ms(life_ms - renewal_ms),
        expires_at: now.plus_ms(life_ms),
    })
}

fn refused(
    credentials: &ClientCredentials,
    answer: &Answer,
    said: &Value,
    now: Timestamp,
) -> Refused {
    if (200..300).contains(&answer.status) && said.get("error").is_none() {
        return Refused::Unusable;
    }
    let mut reason = String::new();
    for text in ["error", "error_description"].iter().filter_map(|key| said[*key].as_str()) {
        reason.push_str(": ");
        reason.extend(text.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX));
    }
    if !credentials.client_secret.is_empty() {
        reason = reason.replace(&credentials.client_secret, HIDDEN);
    }
    Refused::Answered {
        host: answer.url.host_str().unwrap_or_default().to_owned(),
        status: answer.status,
        reason,
        retry_after_ms: retry_after_ms(&answer.headers, now),
    }
}

/// Seconds as a number, or as the text that some servers write.
fn seconds(value: &Value) -> Option<i64> {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    // A year and more is as good as a year.
    (number.is_finite() && number >= 0.0).then(|| number.min(31_536_000.0) as i64)
}

/// What can stand in a header (RFC 6750, 2.1, and what servers send besides).
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}
