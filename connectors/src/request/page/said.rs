//! What an answer says at a place.

use domain::webhook::Place;
use serde_json::Value;

/// What stands there; null if nothing does.
pub(super) fn at<'a>(response: &'a Value, place: &Place) -> &'a Value {
    match place {
        Place::Body => &response["body"],
        Place::Header(name) => &response["headers"][name.as_str()],
        Place::Field(path) => field(&response["body"], path),
        Place::Form
        | Place::Url
        | Place::Uri
        | Place::Method
        | Place::Parameter(_)
        | Place::Pair(_) => &Value::Null,
    }
}

/// A key may have dots itself, as `@odata.nextLink` has.
fn field<'a>(value: &'a Value, path: &[String]) -> &'a Value {
    if path.is_empty() {
        return value;
    }
    let found = (1..=path.len()).find_map(|length| {
        let (key, rest) = path.split_at(length);
        let inner = match value {
            Value::Array(items) if length == 1 => items.get(key[0].parse::<usize>().ok()?)?,
            value => value.get(key.join("."))?,
        };
        Some(field(inner, rest)).filter(|found| !found.is_null())
    });
    found.unwrap_or(&Value::Null)
}

/// The first of some places where something stands.
pub(super) fn first<'a>(response: &'a Value, places: &[Place]) -> &'a Value {
    let mut said = places.iter().map(|place| at(response, place));
    said.find(|value| !is_nothing(value)).unwrap_or(&Value::Null)
}

/// Whether that is how nothing is said.
pub(super) fn is_nothing(value: &Value) -> bool {
    matches!(value, Value::Null | Value::Bool(false)) || value == ""
}

/// A count, also one that is written as text.
pub(super) fn count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// The address that a `link` header gives for what comes next (RFC 8288).
pub(super) fn next_link(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        let (address, parameters) = rest.split_once('<')?.1.split_once('>')?;
        let end = parameters.find('<').unwrap_or(parameters.len());
        let mut own = parameters[..end].split([';', ',']).map(str::trim);
        let is_next = own.any(|parameter| {
            let Some((name, value)) = parameter.split_once('=') else { return false };
            let mut words = value.trim().trim_matches('"').split_ascii_whitespace();
            name.trim().eq_ignore_ascii_case("rel")
                && words.any(|word| word.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(address);
        }
        rest = &parameters[end..];
    }
}
