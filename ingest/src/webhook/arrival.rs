//! What a webhook says: what happened, to which account, in which delivery.

use super::pluck::pluck;
use super::scheme::{Place, Scheme};
use super::verify::header;
use crate::json;
use crate::problem::Problem;
use crate::sdk::trigger::{fields, headers_map};
use axum::http::{HeaderMap, header::CONTENT_TYPE};
use domain::config::WebhookSettings;
use domain::event::Verdict;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

const NAME_LEN_MAX: usize = 256;

/// What is kept of a webhook; of one that is taken it is the trigger's output.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Content {
    /// The body as JSON; of a refused webhook its beginning as text.
    body: Value,
    /// The headers, in small letters.
    headers: Map<String, Value>,
    /// The query.
    params: Map<String, Value>,
    /// Why it was refused, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Refused>,
}

/// Why a webhook was refused.
#[derive(Serialize, JsonSchema)]
struct Refused {
    /// The name of the problem.
    code: &'static str,
    /// What happened this time.
    message: String,
    /// How many refused ones before it were not kept.
    missed: u64,
}

/// A webhook as it came.
pub(super) struct Arrival<'a> {
    pub(super) headers: &'a HeaderMap,
    pub(super) params: Map<String, Value>,
    /// Empty, if it could not be read.
    pub(super) body: &'a [u8],
    /// Bytes of the body, as far as they are known.
    pub(super) size: u64,
}

/// What a webhook says of itself; of a refused one it is only what somebody claims.
pub(super) struct Named {
    pub(super) verdict: Verdict,
    pub(super) delivery: String,
    pub(super) name: String,
    pub(super) provider_id: String,
}

impl Arrival<'_> {
    /// What is known of a webhook that was not looked into.
    pub(super) fn unread(&self, scheme: Option<&Scheme>) -> Named {
        let delivery = scheme.and_then(|scheme| header(self.headers, scheme.delivery));
        Named {
            verdict: Verdict::Malformed,
            delivery: bounded(delivery.unwrap_or_default().to_owned()),
            name: String::new(),
            provider_id: String::new(),
        }
    }

    /// Reads what the webhook says of itself. What is signed, but cannot be read, is malformed.
    pub(super) fn named(
        &self,
        scheme: &Scheme,
        settings: &WebhookSettings,
        signed: Verdict,
    ) -> Named {
        let delivery = header(self.headers, scheme.delivery).unwrap_or_default().to_owned();
        let json = if signed == Verdict::Verified { self.json() } else { None };
        let verdict = match (signed, &json) {
            (Verdict::Verified, None) if !self.body.is_empty() => Verdict::Malformed,
            (verdict, _) => verdict,
        };
        let json = json.as_deref().unwrap_or("null");
        let kind = match scheme.kind {
            Place::Header(name) => header(self.headers, name).map(str::to_owned),
            Place::Body(path) => at(json, path),
        };
        let name = match (kind, scheme.action.and_then(|path| at(json, path))) {
            (Some(kind), Some(action)) => format!("{kind}.{action}"),
            (Some(kind), None) => kind,
            (None, _) => String::new(),
        };
        let path = match settings.provider_id.as_str() {
            "" => scheme.provider_id,
            path => path,
        };
        let provider_id = self.piece(json, path).unwrap_or_default();
        Named {
            verdict,
            delivery: bounded(delivery),
            name: bounded(name),
            provider_id: bounded(provider_id),
        }
    }

    /// All of it, as [`Content`]: the body is not taken apart.
    pub(super) fn whole(&self) -> String {
        let body = self.json().unwrap_or(Cow::Borrowed("null"));
        let headers = Value::Object(headers_map(self.headers));
        let params = Value::Object(self.params.clone());
        format!("{{\"body\":{body},\"headers\":{headers},\"params\":{params}}}")
    }

    /// The same of a refused webhook: the beginning of its body as text, why it was refused, and
    /// how many refused ones before it were not kept.
    pub(super) fn cut(&self, bytes_max: usize, problem: &Problem, missed: u64) -> String {
        let beginning = &self.body[..self.body.len().min(bytes_max)];
        let content = Content {
            body: json!(String::from_utf8_lossy(beginning)),
            headers: headers_map(self.headers),
            params: self.params.clone(),
            refused: Some(Refused {
                code: problem.code.name,
                message: problem.message.to_string(),
                missed,
            }),
        };
        json!(content).to_string()
    }

    /// The body as JSON. A form with a `payload` is what is in it; another form is an object;
    /// what does not claim to be JSON, and is none, is a text.
    fn json(&self) -> Option<Cow<'_, str>> {
        let content_type = header(self.headers, CONTENT_TYPE.as_str()).unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            let fields = fields(self.body).ok()?;
            if let Some(Value::String(payload)) = fields.get("payload")
                && json::raw(payload.as_bytes()).is_ok()
            {
                return Some(Cow::Owned(payload.clone()));
            }
            return Some(Cow::Owned(Value::Object(fields).to_string()));
        }
        if let Ok(raw) = json::raw(self.body) {
            return Some(Cow::Borrowed(raw.get()));
        }
        let claims_json = media_type.eq_ignore_ascii_case("application/json")
            || media_type.to_ascii_lowercase().ends_with("+json");
        let text = std::str::from_utf8(self.body).ok().filter(|_| !claims_json)?;
        Some(Cow::Owned(json!(text).to_string()))
    }

    /// What a path like `body.installation.id`, `headers.x-tenant` or `params.x` leads to.
    fn piece(&self, json: &str, path: &str) -> Option<String> {
        let (root, rest) = path.split_once('.')?;
        match root {
            "body" => at(json, rest),
            "headers" => header(self.headers, &rest.to_ascii_lowercase()).map(str::to_owned),
            "params" => self.params.get(rest)?.as_str().map(str::to_owned),
            _ => None,
        }
    }
}

fn at(json: &str, path: &str) -> Option<String> {
    pluck(json, &path.split('.').collect::<Vec<_>>())
}

/// Cut at a character: what is longer is no name of anything.
fn bounded(mut name: String) -> String {
    if name.len() > NAME_LEN_MAX {
        let end = (0..=NAME_LEN_MAX).rev().find(|at| name.is_char_boundary(*at));
        name.truncate(end.unwrap_or(0));
    }
    name
}
