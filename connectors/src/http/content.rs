//! An answer as the value that later steps see.

use super::Answer;
use super::charset::text;
use hyper::HeaderMap;
use hyper::header::{CONTENT_DISPOSITION, CONTENT_TYPE, SET_COOKIE};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// `{"headers": …, "body": …, "statusCode": …}` (behaviours of the request step: output root
/// `response`). Names of headers are in lower case; a repeated header is joined with `, `, except
/// `set-cookie`, which cannot be and is an array.
pub fn value(answer: &Answer) -> Value {
    json!({
        "headers": headers(&answer.headers),
        "body": body(answer),
        "statusCode": answer.status,
    })
}

fn headers(headers: &HeaderMap) -> Map<String, Value> {
    headers
        .keys()
        .map(|name| {
            let mut values = headers.get_all(name).iter().map(|value| latin1(value.as_bytes()));
            let value = match *name == SET_COOKIE {
                true => Value::Array(values.map(Value::String).collect()),
                false => {
                    let first = values.next().unwrap_or_default();
                    Value::String(values.fold(first, |all, next| all + ", " + &next))
                }
            };
            (name.as_str().to_owned(), value)
        })
        .collect()
}

fn body(answer: &Answer) -> Value {
    let bytes = answer.body.as_ref();
    if bytes.is_empty() {
        return Value::String(String::new());
    }
    let kind = answer.headers.get(CONTENT_TYPE).map(|value| latin1(value.as_bytes()));
    let Some(kind) = kind else {
        return untyped(answer);
    };
    let mime = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if mime == "application/json" || mime == "text/json" || mime.ends_with("+json") {
        return json(bytes, &kind);
    }
    match is_text(&mime) {
        true => Value::String(text(bytes, &kind)),
        false => file(answer, &mime),
    }
}

fn json(bytes: &[u8], kind: &str) -> Value {
    if let Ok(value) = serde_json::from_slice(bytes) {
        return value;
    }
    // It is not in UTF-8, or begins with a byte order mark; or a provider calls something JSON that
    // is not: then the text is worth more than an error.
    let text = text(bytes, kind);
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

fn untyped(answer: &Answer) -> Value {
    match std::str::from_utf8(&answer.body) {
        Err(_) => file(answer, "application/octet-stream"),
        Ok(text) if text.trim_start().starts_with(['{', '[']) => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
        }
        Ok(text) => Value::String(text.to_owned()),
    }
}

fn is_text(mime: &str) -> bool {
    mime.starts_with("text/")
        || mime.ends_with("+xml")
        || matches!(
            mime,
            "application/xml"
                | "application/javascript"
                | "application/x-javascript"
                | "application/x-www-form-urlencoded"
                | "application/x-ndjson"
                | "application/graphql"
                | "application/yaml"
                | "application/x-yaml"
        )
}

/// UTF-8 where it is valid, as providers send names in headers; else byte by byte.
fn latin1(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

/// A file object (behaviours 13).
fn file(answer: &Answer, mime: &str) -> Value {
    json!({
        "name": name(answer),
        "data": hex::encode(&answer.body),
        "mimeType": mime,
        "dataType": "FILE",
    })
}

fn name(answer: &Answer) -> String {
    let disposition = answer.headers.get(CONTENT_DISPOSITION).map(|value| latin1(value.as_bytes()));
    let named = disposition.as_deref().and_then(disposition_name);
    let last = answer.url.path_segments().and_then(|mut segments| segments.next_back());
    let name = named.or_else(|| last.filter(|last| !last.is_empty()).map(decoded));
    name.map_or_else(|| "file".to_owned(), Cow::into_owned)
}

fn disposition_name(disposition: &str) -> Option<Cow<'_, str>> {
    let parameter = |key: &str| {
        disposition.split(';').skip(1).find_map(|part| {
            let (name, value) = part.split_once('=')?;
            let name = name.trim();
            name.eq_ignore_ascii_case(key).then_some(value.trim().trim_matches('"'))
        })
    };
    let extended = parameter("filename*").and_then(|value| value.splitn(3, '\'').nth(2));
    let name = extended.map(decoded).or_else(|| parameter("filename").map(Cow::Borrowed))?;
    // A path would be somebody else's idea of where the file belongs.
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    (!base.is_empty()).then(|| Cow::Owned(base.to_owned()))
}

/// Percent-decoding alone: `+` stays, as it does in paths.
fn decoded(text: &str) -> Cow<'_, str> {
    let plus_kept = text.replace('+', "%2B");
    let pair = url::form_urlencoded::parse(plus_kept.as_bytes()).next();
    Cow::Owned(pair.map_or_else(String::new, |(name, _)| name.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn answer(kind: Option<&str>, body: &'static [u8]) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(kind) = kind {
            headers.insert(CONTENT_TYPE, kind.parse().unwrap());
        }
        let url = "https://files.example/a/report%20one.pdf?x=1".parse().unwrap();
        Answer { status: 200, headers, body: body.into(), url }
    }

    #[test]
    fn the_content_type_decides_what_the_body_is() {
        for (kind, bytes, expected) in [
            (Some("application/json"), &b"{\"a\":1}"[..], json!({"a": 1})),
            (Some("application/problem+json; charset=utf-8"), b"[1]", json!([1])),
            (Some("application/json"), b"<html>", json!("<html>")),
            (Some("application/json"), b"", json!("")),
            (Some("text/plain"), b"{\"a\":1}", json!("{\"a\":1}")),
            (Some("text/html; charset=ISO-8859-1"), b"caf\xe9", json!("café")),
            (Some("application/atom+xml"), b"\xef\xbb\xbf<a/>", json!("<a/>")),
            (Some("application/json"), b"\xef\xbb\xbf{\"a\":1}", json!({"a": 1})),
            (Some("application/json; charset=iso-8859-1"), b"[\"caf\xe9\"]", json!(["café"])),
            (Some("application/json; charset=utf-16le"), b"[\x001\x00]\x00", json!([1])),
            (None, b" {\"a\":1}", json!({"a": 1})),
            (None, b"{a}", json!("{a}")),
        ] {
            assert_eq!(body(&answer(kind, bytes)), expected, "{kind:?}");
        }
    }

    #[test]
    fn anything_else_is_a_file_object() {
        let expected = json!({
            "name": "report one.pdf", "data": "25504446", "mimeType": "application/pdf",
            "dataType": "FILE",
        });
        assert_eq!(body(&answer(Some("application/pdf"), b"%PDF")), expected);
        assert_eq!(body(&answer(None, b"\xff\xfe"))["mimeType"], "application/octet-stream");
    }

    #[test]
    fn the_disposition_names_a_file_but_no_path() {
        for (disposition, expected) in [
            ("attachment; filename=\"a.txt\"", "a.txt"),
            ("attachment; filename=../../etc/passwd", "passwd"),
            ("attachment; filename=a.txt; filename*=UTF-8''caf%C3%A9+.txt", "café+.txt"),
            ("inline", "report one.pdf"),
        ] {
            let mut answer = answer(None, b"\xff");
            answer.headers.insert(CONTENT_DISPOSITION, disposition.parse().unwrap());
            assert_eq!(name(&answer), expected);
        }
    }

    #[test]
    fn repeated_headers_are_joined_and_cookies_are_not() {
        let mut answer = answer(None, b"");
        for (name, value) in
            [("X-A", "1"), ("x-a", "2"), ("Set-Cookie", "a=1"), ("set-cookie", "b=2, c")]
        {
            let name: hyper::header::HeaderName = name.parse().unwrap();
            answer.headers.append(name, HeaderValue::from_static(value));
        }
        assert_eq!(
            value(&answer)["headers"],
            json!({"x-a": "1, 2", "set-cookie": ["a=1", "b=2, c"]})
        );
    }
}
