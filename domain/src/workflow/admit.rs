//! Whether a request may start a request-triggered workflow.

use super::condition::{finite, moment};
use super::{DataType, RequestTrigger};
use serde_json::{Map, Value};

/// Why a request may not start the workflow.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Breach {
    /// A header is not there.
    #[error("The header {0:?} is required.")]
    HeaderMissing(String),
    /// A header has another value. The value that was expected may be a secret: it is not told.
    #[error("The header {0:?} does not have the expected value.")]
    HeaderMismatch(String),
    /// A query parameter is not there.
    #[error("The query parameter {0:?} is required.")]
    ParamMissing(String),
    /// A key of the body is not there.
    #[error("The body field {0:?} is required.")]
    FieldMissing(String),
    /// A key of the body has another type.
    #[error("The body field {key:?} must be of type {expected}.")]
    FieldType {
        /// The key.
        key: String,
        /// The type it must have, as validations name it.
        expected: &'static str,
    },
    /// The body has a key that no validation names.
    #[error("The body field {0:?} is not expected.")]
    FieldUnexpected(String),
    /// The body is not an object.
    #[error("The body must be an object.")]
    BodyShape,
}

/// How many breaches are told at most.
pub const BREACHES_MAX: usize = 100;

/// Whether a request may start the workflow, with everything that it breaks.
///
/// - Header names match in any case. A header with an expected value must be there, whether it is
///   required or not: its value may be what keeps others out. For `Content-Type` without
///   parameters only the media type counts.
/// - `null` counts as not there, except for a required key of type `ANY`.
/// - In forms every value is text, so text that is a number or boolean passes as one there.
/// - With `allow_arbitrary_payload` the body may have any shape and further keys; what validations
///   name is checked all the same.
///
/// # Errors
/// Every breach, at most [`BREACHES_MAX`].
pub fn admit(
    trigger: &RequestTrigger,
    headers: &Map<String, Value>,
    body: &Value,
    params: &Map<String, Value>,
) -> Result<(), Vec<Breach>> {
    let mut breaches = header_breaches(trigger, headers);
    for validation in trigger.param_validations.iter().filter(|validation| validation.required) {
        if params.get(&validation.key).is_none_or(Value::is_null) {
            breaches.push(Breach::ParamMissing(validation.key.clone()));
        }
    }
    breaches.extend(body_breaches(trigger, body, is_form(headers)));
    breaches.truncate(BREACHES_MAX);
    if breaches.is_empty() { Ok(()) } else { Err(breaches) }
}

fn header<'a>(headers: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    // Names usually come in lower case; only others need the search.
    let found = headers.get(name).or_else(|| {
        headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    });
    found.and_then(Value::as_str)
}

fn header_breaches(trigger: &RequestTrigger, headers: &Map<String, Value>) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for validation in &trigger.header_validations {
        let key = &validation.key;
        match (header(headers, key), &validation.value) {
            (None, Some(_)) => breaches.push(Breach::HeaderMissing(key.clone())),
            (None, None) if validation.required => {
                breaches.push(Breach::HeaderMissing(key.clone()));
            }
            (Some(actual), Some(expected)) if !same_header(key, actual, expected) => {
                breaches.push(Breach::HeaderMismatch(key.clone()));
            }
            (None, None) | (Some(_), _) => {}
        }
    }
    breaches
}

fn same_header(key: &str, actual: &str, expected: &str) -> bool {
    let (actual, expected) = (actual.trim(), expected.trim());
    if key.eq_ignore_ascii_case("content-type") && !expected.contains(';') {
        return media_type(actual).eq_ignore_ascii_case(expected);
    }
    // Every byte is looked at, so that the time taken does not tell how much was right.
    let difference = actual.bytes().zip(expected.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
    actual.len() == expected.len() && difference == 0
}

fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

fn is_form(headers: &Map<String, Value>) -> bool {
    let media_type = media_type(header(headers, "content-type").unwrap_or_default());
    let is = |form: &str| media_type.eq_ignore_ascii_case(form);
    is("multipart/form-data") || is("application/x-www-form-urlencoded")
}

fn body_breaches(trigger: &RequestTrigger, body: &Value, is_form: bool) -> Vec<Breach> {
    let nothing = Map::new();
    let fields = match body {
        Value::Object(fields) => fields,
        Value::Null => &nothing,
        Value::String(text) if text.is_empty() => &nothing,
        _ if trigger.allow_arbitrary_payload && trigger.body_validations.is_empty() => &nothing,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return vec![Breach::BodyShape];
        }
    };
    let mut breaches = Vec::new();
    for validation in &trigger.body_validations {
        let key = validation.key.clone();
        match fields.get(&validation.key) {
            Some(Value::Null) if validation.data_type == DataType::Any => {}
            None | Some(Value::Null) if validation.required => {
                breaches.push(Breach::FieldMissing(key));
            }
            None | Some(Value::Null) => {}
            Some(value) if validation.data_type.fits(value, is_form) => {}
            Some(_) => {
                let expected = validation.data_type.as_str();
                breaches.push(Breach::FieldType { key, expected });
            }
        }
    }
    if !trigger.allow_arbitrary_payload {
        let expected = |key: &String| trigger.body_validations.iter().any(|v| v.key == *key);
        let unexpected = fields.keys().filter(|key| !expected(key)).take(BREACHES_MAX);
        breaches.extend(unexpected.map(|key| Breach::FieldUnexpected(key.clone())));
    }
    breaches
}

impl DataType {
    /// The type in capitals, as validations name it.
    pub fn as_str(self) -> &'static str {
        match self {
            DataType::String => "STRING",
            DataType::Email => "EMAIL",
            DataType::Number => "NUMBER",
            DataType::NonDecimal => "NON_DECIMAL",
            DataType::Date => "DATE",
            DataType::Boolean => "BOOLEAN",
            DataType::Array => "ARRAY",
            DataType::Object => "OBJECT",
            DataType::File => "FILE",
            DataType::Any => "ANY",
        }
    }

    fn fits(self, value: &Value, is_form: bool) -> bool {
        let form_text = value.as_str().filter(|_| is_form);
        match self {
            DataType::String => value.is_string(),
            DataType::Email => value.as_str().is_some_and(is_email),
            DataType::Number => number(value, is_form).is_some(),
            DataType::NonDecimal => {
                number(value, is_form).is_some_and(|number| number.fract() == 0.0)
            }
            DataType::Date => moment(value).is_some(),
            DataType::Boolean => {
                value.is_boolean() || form_text.is_some_and(|text| matches!(text, "true" | "false"))
            }
            DataType::Array => value.is_array(),
            DataType::Object => value.is_object(),
            DataType::File => value.get("dataType").and_then(Value::as_str) == Some("FILE"),
            DataType::Any => true,
        }
    }
}

fn number(value: &Value, is_form: bool) -> Option<f64> {
    let counts = value.is_number() || is_form;
    counts.then(|| finite(value)).flatten()
}

/// Whether text is an e-mail address, as far as its `@` tells.
pub(crate) fn is_email(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    let blank = text.contains(char::is_whitespace);
    !blank && parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
}

#[cfg(test)]
mod tests;
