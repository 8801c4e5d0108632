//! What a webhook says: what happened, to which account, in which delivery.

use super::pluck::pluck;
use super::verify::Pairs;
use crate::json;
use crate::problem::Problem;
use crate::sdk::trigger::{fields, headers_map};
use axum::http::{HeaderMap, Method, header::CONTENT_TYPE};
use domain::config::WebhookSettings;
use domain::event::Verdict;
use domain::webhook::{Place, Scheme};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::sync::OnceLock;
use url::form_urlencoded;

const NAME_LEN_MAX: usize = 256;
/// The media type of a form.
const FORM: &str = "application/x-www-form-urlencoded";

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
    pub(super) method: &'a Method,
    /// The address as it was called.
    pub(super) url: String,
    pub(super) headers: &'a HeaderMap,
    pub(super) params: Map<String, Value>,
    /// Empty, if it could not be read.
    pub(super) body: &'a [u8],
    /// Bytes of the body, as far as they are known.
    pub(super) size: u64,
    /// Where the secret itself stands; nobody is shown it.
    pub(super) secret: Option<&'a Place>,
    /// The body as JSON, once somebody wanted it.
    pub(super) json: OnceLock<Option<Cow<'a, str>>>,
}

/// What a webhook says of itself; of a refused one it is only what somebody claims.
pub(super) struct Named {
    pub(super) verdict: Verdict,
    pub(super) delivery: String,
    pub(super) name: String,
    pub(super) provider_id: String,
}

impl Named {
    /// The same, so that nobody is told: it is no delivery, and of no account.
    pub(super) fn of_nobody(self) -> Self {
        Self { delivery: String::new(), provider_id: String::new(), ..self }
    }
}

impl<'a> Arrival<'a> {
    /// What is known of a webhook that was not looked into.
    pub(super) fn unread(&self, scheme: Option<&Scheme>) -> Named {
        let delivery = scheme.and_then(|scheme| scheme.delivery.as_ref());
        let delivery = delivery.filter(|at| matches!(at, Place::Header(_)));
        let delivery = delivery.and_then(|at| self.at(at, None)).unwrap_or_default();
        Named {
            verdict: Verdict::Malformed,
            delivery: bounded(delivery),
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
        let is_malformed = || !self.body.is_empty() && self.json().is_none();
        let verdict = match signed {
            Verdict::Verified if is_malformed() => Verdict::Malformed,
            verdict => verdict,
        };
        // The body of whoever could not sign it is not looked into.
        let looks = |at: &&Place| signed == Verdict::Verified || !matches!(at, Place::Field(_));
        let at =
            |place: &Option<Place>| place.as_ref().filter(looks).and_then(|at| self.at(at, None));
        let name = scheme.name(at(&scheme.kind), at(&scheme.action));
        let provider_id = match settings.provider_id.as_str() {
            "" => at(&scheme.account),
            told => at(&told.parse().ok()),
        };
        Named {
            verdict,
            delivery: bounded(at(&scheme.delivery).unwrap_or_default()),
            name: bounded(name),
            provider_id: bounded(provider_id.unwrap_or_default()),
        }
    }

    /// What stands at a place, as text; nothing, where there is nothing or an empty text.
    pub(super) fn at(&self, place: &Place, pairs: Option<&Pairs>) -> Option<String> {
        let text = match place {
            Place::Body => String::from_utf8(self.body.to_vec()).ok(),
            Place::Form => Some(self.form()),
            Place::Url => Some(self.url.clone()),
            Place::Uri => Some(readable(&self.url)),
            Place::Method => Some(self.method.to_string()),
            Place::Header(name) => header(self.headers, name).map(str::to_owned),
            Place::Field(path) => {
                pluck(self.json()?, &path.iter().map(String::as_str).collect::<Vec<_>>())
            }
            Place::Parameter(name) => self.params.get(name)?.as_str().map(str::to_owned),
            Place::Pair(name) => pairs?.get(name).map(str::to_owned),
        };
        text.filter(|text| !text.is_empty() || *place == Place::Form)
    }

    /// The fields of a form by name, each followed by its value; nothing of another body.
    fn form(&self) -> String {
        if !self.is_form() {
            return String::new();
        }
        let mut fields: Vec<_> = form_urlencoded::parse(self.body).collect();
        fields.sort_unstable();
        fields.dedup();
        fields.into_iter().flat_map(|(name, value)| [name, value]).collect()
    }

    /// Whether the body is a form.
    pub(super) fn is_form(&self) -> bool {
        self.media_type().eq_ignore_ascii_case(FORM)
    }

    fn media_type(&self) -> &str {
        let content_type = header(self.headers, CONTENT_TYPE.as_str()).unwrap_or_default();
        content_type.split(';').next().unwrap_or_default().trim()
    }

    /// All of it, as [`Content`]: the body is not taken apart.
    pub(super) fn whole(&self) -> String {
        let body = self.json().unwrap_or("null");
        let (headers, params) = self.shown();
        let (headers, params) = (Value::Object(headers), Value::Object(params));
        format!("{{\"body\":{body},\"headers\":{headers},\"params\":{params}}}")
    }

    /// The same of a refused webhook: the beginning of its body as text, why it was refused, and
    /// how many refused ones before it were not kept.
    pub(super) fn cut(&self, bytes_max: usize, problem: &Problem, missed: u64) -> String {
        let beginning = &self.body[..self.body.len().min(bytes_max)];
        let (headers, params) = self.shown();
        let content = Content {
            body: json!(String::from_utf8_lossy(beginning)),
            headers,
            params,
            refused: Some(Refused {
                code: problem.code.name,
                message: problem.message.to_string(),
                missed,
            }),
        };
        json!(content).to_string()
    }

    /// The headers and the query, without the secret.
    fn shown(&self) -> (Map<String, Value>, Map<String, Value>) {
        let (mut headers, mut params) = (headers_map(self.headers), self.params.clone());
        match self.secret {
            Some(Place::Header(name)) => drop(headers.remove(name)),
            Some(Place::Parameter(name)) => drop(params.remove(name)),
            _ => {}
        }
        (headers, params)
    }

    fn json(&self) -> Option<&str> {
        self.json.get_or_init(|| self.parsed()).as_deref()
    }

    /// The body as JSON. A form with a `payload` is what is in it; another form is an object;
    /// what does not claim to be JSON, and is none, is a text.
    fn parsed(&self) -> Option<Cow<'a, str>> {
        if self.is_form() {
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
        let media_type = self.media_type();
        let claims_json = media_type.eq_ignore_ascii_case("application/json")
            || media_type.to_ascii_lowercase().ends_with("+json");
        let text = std::str::from_utf8(self.body).ok().filter(|_| !claims_json)?;
        Some(Cow::Owned(json!(text).to_string()))
    }
}

/// A header, if it is there and says something.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().filter(|value| !value.is_empty())
}

/// An address with those characters decoded that need not be encoded in it.
fn readable(url: &str) -> String {
    let mut text = url.to_owned();
    for (code, character) in [
        ("3A", ":"),
        ("2F", "/"),
        ("3F", "?"),
        ("40", "@"),
        ("21", "!"),
        ("24", "$"),
        ("27", "'"),
        ("28", "("),
        ("29", ")"),
        ("2A", "*"),
        ("2C", ","),
        ("3B", ";"),
    ] {
        text = text.replace(&format!("%{code}"), character);
        text = text.replace(&format!("%{}", code.to_ascii_lowercase()), character);
    }
    text
}

/// Cut at a character: what is longer is no name of anything.
fn bounded(mut name: String) -> String {
    if name.len() > NAME_LEN_MAX {
        let end = (0..=NAME_LEN_MAX).rev().find(|at| name.is_char_boundary(*at));
        name.truncate(end.unwrap_or(0));
    }
    name
}
