//! What a request trigger puts out: `{"request": {headers, body, params, file}}`.

use super::file::file;
use super::form::{fields, parts};
use crate::json;
use crate::problem::{Outcome, REQUEST_REFUSED};
use axum::http::{HeaderMap, HeaderName, header};
use bytes::Bytes;
use domain::workflow::RequestTrigger;
use domain::workflow::admit::admit;
use serde_json::{Map, Value, json};

/// Headers that say who calls: a workflow never sees them.
const PRIVATE: [HeaderName; 3] =
    [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION];

/// A request, as its workflow sees it (behaviours.md 3).
pub(super) struct Input {
    headers: Map<String, Value>,
    body: Value,
    params: Map<String, Value>,
    file: Value,
}

impl Input {
    pub(super) async fn read(headers: &HeaderMap, query: &str, body: &Bytes) -> Outcome<Self> {
        let content_type = headers.get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let params = fields(query.as_bytes())?;
        let (body, file) = read_body(content_type, body).await?;
        Ok(Self { headers: headers_map(headers), body, params, file })
    }

    /// Whether the workflow takes such a request.
    pub(super) fn admit(&self, rules: &RequestTrigger) -> Outcome<()> {
        let admitted = admit(rules, &self.headers, &self.body, &self.params);
        admitted.map_err(|breaches| {
            let breaches: Vec<String> = breaches.iter().map(ToString::to_string).collect();
            let problem = REQUEST_REFUSED.because(breaches.join(" "));
            problem.with("breaches", json!(breaches))
        })
    }

    /// The trigger's output as JSON.
    pub(super) fn output(self) -> String {
        let Self { headers, body, params, file } = self;
        json!({ "request": { "headers": headers, "body": body, "params": params, "file": file } })
            .to_string()
    }
}

/// Headers by name in small letters, without those that say who calls.
pub(crate) fn headers_map(headers: &HeaderMap) -> Map<String, Value> {
    let mut map = Map::new();
    for name in headers.keys().filter(|name| !PRIVATE.contains(name)) {
        let values = headers.get_all(name).iter();
        let values: Vec<_> = values.map(|v| String::from_utf8_lossy(v.as_bytes())).collect();
        map.insert(name.as_str().to_owned(), Value::String(values.join(", ")));
    }
    map
}

async fn read_body(content_type: &str, body: &Bytes) -> Outcome<(Value, Value)> {
    // A client that merges headers may send `auto, text/plain`.
    let first = content_type.split([';', ',']).next().unwrap_or_default();
    let media_type = first.trim().to_ascii_lowercase();
    if body.is_empty() {
        return Ok((json!({}), Value::Null));
    }
    match media_type.as_str() {
        "multipart/form-data" => return parts(content_type, body.clone()).await,
        "application/x-www-form-urlencoded" => {
            return Ok((Value::Object(fields(body)?), Value::Null));
        }
        // Whatever it is, JSON if it parses as such.
        "" | "auto" => {
            let value = json::parse(body).unwrap_or_else(|_| raw(&media_type, body));
            return Ok((value, Value::Null));
        }
        _ => {}
    }
    if media_type == "application/json" || media_type.ends_with("+json") {
        return Ok((json::parse(body)?, Value::Null));
    }
    Ok((raw(&media_type, body), Value::Null))
}

/// Text as text, everything else as a file.
fn raw(media_type: &str, body: &[u8]) -> Value {
    match std::str::from_utf8(body) {
        Ok(text) => Value::String(text.to_owned()),
        Err(_) => file("", if media_type == "auto" { "" } else { media_type }, body),
    }
}
