//! Files as workflows see them (behaviours.md 13).

use serde_json::{Value, json};

/// A file object: `{name, data: <hex>, mimeType, dataType: "FILE"}`.
pub(super) fn file(name: &str, media_type: &str, bytes: &[u8]) -> Value {
    let media_type = if media_type.is_empty() { "application/octet-stream" } else { media_type };
    json!({
        "name": name,
        "data": hex::encode(bytes),
        "mimeType": media_type,
        "dataType": "FILE",
    })
}
