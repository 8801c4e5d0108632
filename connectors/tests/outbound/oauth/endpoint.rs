//! A token endpoint as strict as RFC 6749 has it, and an API that takes its tokens.

use super::super::server::{Answer, Seen, answer};
use super::{ID, SECRET};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What the endpoint gives, and what the API accepts.
#[derive(Default)]
pub(super) struct Issued {
    pub(super) count: usize,
    pub(super) valid: Vec<String>,
}

pub(super) fn give(body: &Value) -> Answer {
    answer(
        200,
        &[("content-type", "application/json"), ("cache-control", "no-store")],
        body.to_string(),
    )
}

pub(super) fn refuse(status: u16, error: &str, description: &str) -> Answer {
    let body = json!({ "error": error, "error_description": description });
    answer(status, &[("content-type", "application/json")], body.to_string())
}

pub(super) fn form(text: &[u8]) -> Option<BTreeMap<String, String>> {
    let mut fields = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(text) {
        // RFC 6749, 3.2: none more than once, and none without a value.
        if value.is_empty() || fields.insert(name.into_owned(), value.into_owned()).is_some() {
            return None;
        }
    }
    Some(fields)
}

/// The token endpoint.
pub(super) fn grant(seen: &Seen, issued: &mut Issued) -> Answer {
    let Some(mut fields) = form(&seen.body) else { return refuse(400, "invalid_request", "") };
    let is_form = seen.header("content-type") == Some("application/x-www-form-urlencoded");
    let kind = fields.remove("grant_type");
    if seen.method != "POST" || !is_form || kind.as_deref() != Some("client_credentials") {
        return refuse(400, "invalid_request", "");
    }
    let in_body = fields.remove("client_id").zip(fields.remove("client_secret"));
    let client = match (seen.header("authorization"), in_body) {
        (Some(_), Some(_)) => return refuse(400, "invalid_request", "two ways at once"),
        (None, in_body) => in_body,
        (Some(header), None) => {
            let pair = STANDARD.decode(header.strip_prefix("Basic ").unwrap()).unwrap();
            let pair = String::from_utf8(pair).unwrap();
            let (id, secret) = pair.split_once(':').unwrap();
            let decoded = |text: &str| form(format!("x={text}").as_bytes()).unwrap().remove("x");
            decoded(id).zip(decoded(secret))
        }
    };
    if client != Some((ID.to_owned(), SECRET.to_owned())) {
        return refuse(401, "invalid_client", "unknown client");
    }
    if fields.get("scope").is_some_and(|scope| scope != "read write") {
        return refuse(400, "invalid_scope", "");
    }
    issued.count += 1;
    let token = format!("token-{}", issued.count);
    issued.valid.push(token.clone());
    give(&json!({ "access_token": token, "token_type": "bearer", "expires_in": "600" }))
}

/// The API.
pub(super) fn ask(seen: &Seen, issued: &Issued) -> Answer {
    let token = seen.header("authorization").and_then(|header| header.strip_prefix("Bearer "));
    match issued.valid.iter().any(|valid| Some(valid.as_str()) == token) {
        true => answer(200, &[], "fine"),
        false => answer(401, &[("www-authenticate", "Bearer error=\"invalid_token\"")], ""),
    }
}
