//! A request's body: its variables replaced, its bytes, and how history shows it.

use super::file::{Encoding, File};
use super::parts::{Pairs, object, pairs, texts};
use super::{Failed, multipart, xml};
use bytes::Bytes;
use domain::workflow::template::{resolve, resolve_borrowed};
use domain::workflow::{Body, Scope};
use serde_json::{Value, json};
use std::borrow::Cow;

/// A body with its variables replaced. Files are borrowed: they are large.
#[derive(Debug)]
pub(super) enum Filled<'a> {
    None,
    Json(Value),
    Form(Pairs),
    Multipart(Vec<(String, Cow<'a, Value>)>, Encoding),
    Xml(String),
    Binary(Cow<'a, Value>, Encoding),
    Raw(Value),
}

/// The bytes of a body, and their `Content-Type`.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) bytes: Bytes,
    /// `None`: there is no body.
    pub(super) kind: Option<String>,
}

impl<'a> Filled<'a> {
    /// The body in the scope. The encoding is what `X-Paragon-Encoding` says; with one, a body that
    /// would go out as it is written is a file (seeds: workflows/requests, Sending File Data).
    pub(super) fn of(
        body: &'a Body,
        encoding: Option<Encoding>,
        scope: &'a Scope,
        bytes_max: usize,
    ) -> Result<Self, Failed> {
        let is_file = encoding.is_some();
        let encoding = encoding.unwrap_or_default();
        let file = |value| Ok(Filled::Binary(resolve_borrowed(value, scope, bytes_max)?, encoding));
        match body {
            Body::Json(value) | Body::Raw(value) if is_file => file(value),
            Body::Binary(value) => file(value),
            Body::None | Body::Form(_) | Body::Xml(_) if is_file => {
                Err(Failed::File("X-Paragon-Encoding is for `raw`, `json`, `binary`, `multipart`"))
            }
            Body::None => Ok(Filled::None),
            Body::Json(value) => Ok(Filled::Json(resolve(value, scope, bytes_max)?)),
            Body::Raw(value) => Ok(Filled::Raw(resolve(value, scope, bytes_max)?)),
            Body::Form(fields) => Ok(Filled::Form(pairs(fields, scope, bytes_max)?)),
            Body::Xml(template) => xml::document(template, scope, bytes_max).map(Filled::Xml),
            Body::Multipart(fields) => {
                let mut filled = Vec::with_capacity(fields.len());
                for (name, template) in fields {
                    let name = super::parts::name(name, scope, bytes_max)?;
                    filled.push((name, resolve_borrowed(template, scope, bytes_max)?));
                }
                Ok(Filled::Multipart(filled, encoding))
            }
        }
    }

    /// The body as it is sent.
    pub(super) fn encode(&self, bytes_max: u64) -> Result<Encoded, Failed> {
        let json = |value: &Value| Encoded::new(value.to_string(), "application/json");
        Ok(match self {
            Filled::None | Filled::Raw(Value::Null) => Encoded { bytes: Bytes::new(), kind: None },
            Filled::Json(value) | Filled::Raw(value @ (Value::Object(_) | Value::Array(_))) => {
                json(value)
            }
            Filled::Raw(Value::String(text)) => Encoded::new(text.clone(), kind(text)),
            Filled::Raw(value) => json(value),
            Filled::Form(fields) => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                form.extend_pairs(texts(fields));
                Encoded::new(form.finish(), "application/x-www-form-urlencoded")
            }
            Filled::Multipart(fields, encoding) => {
                let (bytes, kind) = multipart::encode(fields, *encoding, bytes_max)?;
                Encoded::new(bytes, &kind)
            }
            Filled::Xml(text) => Encoded::new(text.clone(), "application/xml"),
            Filled::Binary(value, encoding) => {
                let file = File::whole(value)?;
                Encoded::new(file.bytes(*encoding, bytes_max)?, file.mime_type)
            }
        })
    }

    /// Whether nothing but the step can know the body's type. JSON has types of its own
    /// (`application/vnd.api+json`), which an integration may set for all its requests.
    pub(super) fn says_its_type(&self) -> bool {
        match self {
            Filled::None | Filled::Json(_) | Filled::Raw(_) => false,
            Filled::Form(_) | Filled::Multipart(..) | Filled::Xml(_) | Filled::Binary(..) => true,
        }
    }

    /// The body for people to read; of a file its size, since its bytes are in the step that it is
    /// from.
    pub(super) fn shown(self) -> Value {
        match self {
            Filled::None => Value::Null,
            Filled::Json(value) | Filled::Raw(value) => value,
            Filled::Form(fields) => Value::Object(object(&fields)),
            Filled::Xml(text) => Value::String(text),
            Filled::Binary(value, encoding) => {
                File::whole(&value).map_or(Value::Null, |file| file.shown(encoding))
            }
            Filled::Multipart(fields, encoding) => {
                let shown = |value: &Value| match File::part(value) {
                    Ok(Some(file)) => file.shown(encoding),
                    Ok(None) | Err(_) => value.clone(),
                };
                let shown: Pairs = fields
                    .iter()
                    .map(|(name, value)| match value.as_ref() {
                        Value::Array(items) => {
                            (name.clone(), items.iter().map(shown).collect::<Vec<_>>().into())
                        }
                        value => (name.clone(), shown(value)),
                    })
                    .collect();
                json!(object(&shown))
            }
        }
    }
}

impl Encoded {
    fn new(bytes: impl Into<Bytes>, kind: &str) -> Self {
        Self { bytes: bytes.into(), kind: Some(kind.to_owned()) }
    }
}

fn kind(text: &str) -> &'static str {
    let is_json = text.trim_start().starts_with(['{', '[', '"'])
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    if is_json { "application/json" } else { "text/plain; charset=utf-8" }
}

#[cfg(test)]
mod tests;
