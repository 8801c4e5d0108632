//! `multipart/form-data` (RFC 7578, written as browsers do).

use super::Failed;
use super::file::{Encoding, File};
use super::parts::text;
use serde_json::Value;
use std::borrow::Cow;
use uuid::Uuid;

/// The form in bytes, and its `Content-Type`. Files are file parts, other objects JSON parts, the
/// items of an array parts of one name; `null` is not sent.
pub(super) fn encode(
    fields: &[(String, Cow<'_, Value>)],
    encoding: Encoding,
    bytes_max: u64,
) -> Result<(Vec<u8>, String), Failed> {
    // Nobody can know it beforehand, so nothing in a part can end the part.
    let boundary = format!("----millrace-{}", Uuid::new_v4().simple());
    let mut form = Form { bytes: Vec::new(), boundary: &boundary, encoding, bytes_max };
    for (name, value) in fields {
        match value.as_ref() {
            Value::Array(items) => items.iter().try_for_each(|item| form.add(name, item))?,
            value => form.add(name, value)?,
        }
    }
    let mut bytes = form.bytes;
    bytes.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok((bytes, format!("multipart/form-data; boundary={boundary}")))
}

struct Form<'a> {
    bytes: Vec<u8>,
    boundary: &'a str,
    encoding: Encoding,
    bytes_max: u64,
}

impl Form<'_> {
    fn add(&mut self, name: &str, value: &Value) -> Result<(), Failed> {
        let disposition = format!("form-data; name=\"{}\"", quoted(name));
        if let Some(file) = File::part(value)? {
            let file_name = if file.name.is_empty() { "file" } else { file.name };
            let head = format!(
                "Content-Disposition: {disposition}; filename=\"{}\"\r\nContent-Type: {}",
                quoted(file_name),
                file.mime_type
            );
            return self.part(&head, &file.bytes(self.encoding, self.bytes_max)?);
        }
        let Some(text) = text(value) else { return Ok(()) };
        let head = match value {
            Value::Array(_) | Value::Object(_) => {
                format!("Content-Disposition: {disposition}\r\nContent-Type: application/json")
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                format!("Content-Disposition: {disposition}")
            }
        };
        self.part(&head, text.as_bytes())
    }

    fn part(&mut self, head: &str, body: &[u8]) -> Result<(), Failed> {
        // The blank line, line ends and the closing boundary.
        let len = self.bytes.len() + head.len() + body.len() + 2 * self.boundary.len() + 16;
        if len as u64 > self.bytes_max {
            return Err(Failed::TooLarge { bytes_max: self.bytes_max });
        }
        self.bytes.reserve(len - self.bytes.len());
        for piece in ["--", self.boundary, "\r\n", head, "\r\n\r\n"] {
            self.bytes.extend_from_slice(piece.as_bytes());
        }
        self.bytes.extend_from_slice(body);
        self.bytes.extend_from_slice(b"\r\n");
        Ok(())
    }
}

/// A name between quotes, as the HTML standard escapes it: nothing in it can end the header.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}
