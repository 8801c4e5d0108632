//! A request's body in bytes.

use super::Failed;
use super::parts::{Parts, texts};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::workflow::Body;
use serde_json::Value;

/// Says how the file in a body is written down (behaviours 13); it is not sent.
pub(super) const ENCODING: &str = "x-paragon-encoding";

/// The body, and the `Content-Type` that it has unless the step says otherwise.
pub(super) fn bytes(parts: &Parts) -> Result<(Bytes, Option<String>), Failed> {
    if let Some(encoding) = parts.header(ENCODING).and_then(Value::as_str) {
        return file(&parts.body, encoding);
    }
    let json =
        |value: &Value| (Bytes::from(value.to_string()), Some("application/json".to_owned()));
    Ok(match &parts.body {
        Body::None => (Bytes::new(), None),
        Body::Json(value) => json(value),
        Body::Form(fields) => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(texts(fields));
            let kind = "application/x-www-form-urlencoded".to_owned();
            (Bytes::from(form.finish()), Some(kind))
        }
        Body::Raw(Value::Null) => (Bytes::new(), None),
        Body::Raw(Value::String(text)) => (Bytes::from(text.clone()), Some(kind(text))),
        Body::Raw(value) => json(value),
    })
}

fn kind(text: &str) -> String {
    let is_json = text.trim_start().starts_with(['{', '[', '"'])
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let kind = if is_json { "application/json" } else { "text/plain; charset=utf-8" };
    kind.to_owned()
}

/// The bytes of a file object, or of the text that is one.
fn file(body: &Body, encoding: &str) -> Result<(Bytes, Option<String>), Failed> {
    let (data, kind) = match body {
        Body::Raw(value) | Body::Json(value) => match value {
            Value::Object(file) => (file.get("data"), file.get("mimeType").and_then(Value::as_str)),
            value => (Some(value), None),
        },
        Body::None | Body::Form(_) => (None, None),
    };
    let invalid = || Failed::Encoding(encoding.to_owned());
    let data = data.and_then(Value::as_str).ok_or_else(invalid)?;
    let bytes = match encoding.to_ascii_lowercase().as_str() {
        "hex" => hex::decode(data).map_err(|_| invalid())?,
        "base64" => STANDARD.decode(data).map_err(|_| invalid())?,
        "utf8" | "utf-8" => data.as_bytes().to_vec(),
        _ => return Err(invalid()),
    };
    let kind = kind.unwrap_or("application/octet-stream").to_owned();
    Ok((Bytes::from(bytes), Some(kind)))
}
