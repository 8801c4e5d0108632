//! Forms and queries as objects.

use super::file::file;
use crate::problem::{BODY_MALFORMED, Outcome, Problem};
use bytes::Bytes;
use multer::{Field, Multipart};
use serde_json::{Map, Value};
use std::convert::Infallible;

/// Fields of one form or query.
const FIELDS_MAX: usize = 10_000;
/// The part of a form that becomes `{{1.request.file}}`.
const FILE_PART: &str = "paragon-file";

/// `a=1&b=2` as an object. What is there more than once becomes an array.
pub(crate) fn fields(text: &[u8]) -> Outcome<Map<String, Value>> {
    let mut fields = Map::new();
    for (count, (name, value)) in url::form_urlencoded::parse(text).enumerate() {
        if count == FIELDS_MAX {
            return Err(too_many());
        }
        add(&mut fields, name.into_owned(), Value::String(value.into_owned()));
    }
    Ok(fields)
}

/// The parts of a `multipart/form-data` body: fields, and the part [`FILE_PART`].
pub(super) async fn parts(content_type: &str, body: Bytes) -> Outcome<(Value, Value)> {
    let boundary = multer::parse_boundary(content_type)
        .map_err(|_| BODY_MALFORMED.because("The multipart body has no boundary."))?;
    let body = futures_util::stream::iter([Ok::<_, Infallible>(body)]);
    let mut multipart = Multipart::new(body, boundary);
    let (mut fields, mut upload, mut count) = (Map::new(), Value::Null, 0);
    while let Some(field) = multipart.next_field().await.map_err(|_| torn())? {
        count += 1;
        if count > FIELDS_MAX {
            return Err(too_many());
        }
        let name = field.name().unwrap_or_default().to_owned();
        let value = part(field, name == FILE_PART).await?;
        if name == FILE_PART {
            upload = value;
        } else {
            add(&mut fields, name, value);
        }
    }
    Ok((Value::Object(fields), upload))
}

/// A part with a file name, or that is no text, is a file.
async fn part(field: Field<'_>, is_upload: bool) -> Outcome<Value> {
    let file_name = field.file_name().map(str::to_owned);
    let media_type = field.content_type().map(ToString::to_string).unwrap_or_default();
    let bytes = field.bytes().await.map_err(|_| torn())?;
    if !is_upload
        && file_name.is_none()
        && let Ok(text) = std::str::from_utf8(&bytes)
    {
        return Ok(Value::String(text.to_owned()));
    }
    Ok(file(file_name.as_deref().unwrap_or_default(), &media_type, &bytes))
}

fn add(fields: &mut Map<String, Value>, name: String, value: Value) {
    match fields.get_mut(&name) {
        None => {
            fields.insert(name, value);
        }
        Some(Value::Array(values)) => values.push(value),
        Some(known) => *known = Value::Array(vec![known.take(), value]),
    }
}

fn torn() -> Problem {
    BODY_MALFORMED.because("The multipart body cannot be read.")
}

fn too_many() -> Problem {
    BODY_MALFORMED.because(format!("More than {FIELDS_MAX} fields."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_repeated_field_is_an_array() {
        let fields = fields(b"a=1&b=x+y&a=%32&a=3&c").unwrap();
        assert_eq!(Value::Object(fields), json!({ "a": ["1", "2", "3"], "b": "x y", "c": "" }));
    }

    #[test]
    fn fields_are_bounded() {
        assert!(fields("a&".repeat(FIELDS_MAX).as_bytes()).is_ok());
        assert!(fields("a&".repeat(FIELDS_MAX + 1).as_bytes()).is_err());
    }
}
