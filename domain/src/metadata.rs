//! What a customer says about a user.

use serde_json::{Map, Value};

/// Bytes of a user's metadata, as JSON.
pub const METADATA_BYTES_MAX: usize = 64 * 1024;

/// Metadata after a change: top-level fields are replaced one by one; `name` and `email` in any
/// case become `Name` and `Email` (behaviours 39 of the public contract).
pub fn merged(mut known: Map<String, Value>, change: Map<String, Value>) -> Map<String, Value> {
    for (field, value) in change {
        let field = field.trim();
        let special = ["Name", "Email"].into_iter().find(|s| s.eq_ignore_ascii_case(field));
        known.insert(special.unwrap_or(field).to_owned(), value);
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn metadata_is_merged_at_the_top_and_its_special_names_are_written_one_way() {
        let map = |value: Value| value.as_object().cloned().unwrap();
        let known = map(json!({ "Name": "A", "plan": { "tier": 1, "seats": 2 } }));
        let change = map(json!({ "name": "B", " EMAIL ": "b@x", "plan": { "tier": 2 } }));
        let expected = map(json!({ "Name": "B", "Email": "b@x", "plan": { "tier": 2 } }));
        assert_eq!(merged(known, change), expected);
    }
}
