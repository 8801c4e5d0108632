//! What a response step sends.

use super::template::{Found, Unresolved, find, resolve};
use super::{Response, ResponseType, Scope};
use serde_json::{Map, Value};

/// An answer, ready to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rendered {
    /// HTTP status, 200 to 599.
    pub status: u16,
    /// `Content-Type`; empty where the status has no body.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

/// Why a response cannot be sent.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unsendable {
    /// The body has no value.
    #[error(transparent)]
    Unresolved(#[from] Unresolved),
    /// The status is not in 200 to 599.
    #[error("{0} is not a status from 200 to 599.")]
    Status(u16),
    /// The body of a file response is no file object with data in hex.
    #[error("The body is not a file: {0}.")]
    NotAFile(&'static str),
}

impl Unsendable {
    /// The public error code.
    pub fn code(&self) -> &'static str {
        match self {
            Unsendable::Unresolved(unresolved) => unresolved.code(),
            Unsendable::Status(_) => "RESPONSE_STATUS_INVALID",
            Unsendable::NotAFile(_) => "RESPONSE_FILE_INVALID",
        }
    }
}

/// The answer of a response step; `body_bytes_max` bounds what is sent.
///
/// # Errors
/// The body cannot be resolved or, for a file, is no `{name, data: <hex>, mimeType, dataType}`; the
/// status is out of range.
pub fn render(
    response: &Response,
    scope: &Scope,
    body_bytes_max: usize,
) -> Result<Rendered, Unsendable> {
    let status = response.status_code;
    if !(200..=599).contains(&status) {
        return Err(Unsendable::Status(status));
    }
    if matches!(status, 204 | 205 | 304) {
        return Ok(Rendered { status, content_type: String::new(), body: Vec::new() });
    }
    match response.response_type {
        ResponseType::Json => {
            let body = resolve(&response.body, scope, body_bytes_max)?.to_string().into_bytes();
            Ok(Rendered { status, content_type: "application/json".to_owned(), body })
        }
        ResponseType::File => {
            // A file is large and often one variable: it is not copied.
            let file = find(&response.body, scope, body_bytes_max)?;
            let (content_type, body) = file_of(&file, body_bytes_max)?;
            Ok(Rendered { status, content_type, body })
        }
    }
}

fn file_of(file: &Found<'_>, body_bytes_max: usize) -> Result<(String, Vec<u8>), Unsendable> {
    let Some(Value::Object(file)) = file.value() else {
        return Err(Unsendable::NotAFile("it is no object"));
    };
    let text = |key: &str| file.get(key).and_then(Value::as_str);
    if file.contains_key("dataType") && text("dataType") != Some("FILE") {
        return Err(Unsendable::NotAFile("its dataType is not FILE"));
    }
    let Some(data) = text("data") else {
        return Err(Unsendable::NotAFile("it has no data"));
    };
    // Hex has two characters a byte.
    if data.len() / 2 > body_bytes_max {
        return Err(Unresolved::TooLarge { bytes_max: body_bytes_max }.into());
    }
    let Ok(body) = hex::decode(data) else {
        return Err(Unsendable::NotAFile("its data is not hex"));
    };
    Ok((mime_type(file), body))
}

/// The file's type, where it can stand in a header.
fn mime_type(file: &Map<String, Value>) -> String {
    let plain = |text: &&str| {
        let visible = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        visible && text.contains('/')
    };
    let mime_type = file.get("mimeType").and_then(Value::as_str).filter(plain);
    mime_type.unwrap_or("application/octet-stream").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const MAX: usize = 1_000;

    fn response(response_type: ResponseType, status_code: u16, body: Value) -> Response {
        Response { response_type, status_code, body }
    }

    fn scope() -> Scope {
        let file = json!({
            "name": "test.txt",
            "data": "5468697320697320612073616d706c6520746578742e",
            "mimeType": "text/plain",
            "dataType": "FILE",
        });
        Scope {
            trigger: json!({ "request": { "file": file, "body": {"id": 7} } }),
            ..Scope::default()
        }
    }

    #[test]
    fn a_json_response_has_its_variables_filled_in() {
        let body = json!({ "message": "Contact {{1.request.body.id}} created!" });
        let rendered = render(&response(ResponseType::Json, 201, body), &scope(), MAX);
        let expected = Rendered {
            status: 201,
            content_type: "application/json".into(),
            body: br#"{"message":"Contact 7 created!"}"#.to_vec(),
        };
        assert_eq!(rendered, Ok(expected));
    }

    #[test]
    fn a_file_response_is_the_bytes_with_the_files_type() {
        let file = response(ResponseType::File, 200, json!("{{1.request.file}}"));
        let expected = Rendered {
            status: 200,
            content_type: "text/plain".into(),
            body: b"This is a sample text.".to_vec(),
        };
        assert_eq!(render(&file, &scope(), MAX), Ok(expected));
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let refused = |body: Value| {
            let rendered = render(&response(ResponseType::File, 200, body), &scope(), MAX);
            matches!(rendered, Err(Unsendable::NotAFile(_)))
        };
        assert!(refused(json!("{{1.request.nothing}}")));
        assert!(refused(json!("text")));
        assert!(refused(json!({ "data": "0" })));
        assert!(refused(json!({ "data": "zz" })));
        assert!(refused(json!({ "name": "a", "dataType": "FILE" })));
        assert!(refused(json!({ "data": "00", "dataType": "STRING" })));
    }

    #[test]
    fn a_type_that_could_break_out_of_a_header_is_not_sent() {
        let body = json!({ "data": "00", "mimeType": "text/html\r\nSet-Cookie: a=b" });
        let rendered = render(&response(ResponseType::File, 200, body), &scope(), MAX);
        assert_eq!(rendered.map(|r| r.content_type), Ok("application/octet-stream".to_owned()));
    }

    #[test]
    fn a_status_without_a_body_has_none_and_one_out_of_range_is_refused() {
        let gone = render(&response(ResponseType::Json, 204, json!({ "a": 1 })), &scope(), MAX);
        assert_eq!(gone.map(|r| r.body.len()), Ok(0));
        let odd = render(&response(ResponseType::Json, 199, json!({})), &scope(), MAX);
        assert_eq!(odd, Err(Unsendable::Status(199)));
    }

    #[test]
    fn a_body_over_the_bound_is_refused() {
        let long = json!("x".repeat(MAX));
        let rendered = render(&response(ResponseType::Json, 200, long), &scope(), MAX);
        let too_large = Unresolved::TooLarge { bytes_max: MAX };
        assert_eq!(rendered, Err(Unsendable::Unresolved(too_large)));
    }

    #[test]
    fn a_file_counts_with_its_bytes() {
        let scope = |bytes: usize| Scope {
            trigger: json!({ "file": { "data": "00".repeat(bytes), "dataType": "FILE" } }),
            ..Scope::default()
        };
        let file = response(ResponseType::File, 200, json!("{{1.file}}"));
        let sent = |bytes| render(&file, &scope(bytes), MAX).map(|rendered| rendered.body.len());
        assert_eq!(sent(MAX), Ok(MAX));
        let too_large = Unresolved::TooLarge { bytes_max: MAX };
        assert_eq!(sent(MAX + 1), Err(Unsendable::Unresolved(too_large)));
    }
}
