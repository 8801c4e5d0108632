//! Webhooks that were kept, read once more.

use super::{Place, Scheme};
use crate::config::WebhookSettings;
use crate::id::CredentialId;
use serde_json::Value;

/// What a webhook that was kept says of itself, as the integration's settings read it now.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Said {
    /// What happened, as `kind` or `kind.action`.
    pub name: String,
    /// The account it is about, at the provider; empty if unknown.
    pub provider_id: String,
    /// The connected account named by the URL (`?id=`).
    pub credential: Option<CredentialId>,
}

/// What was kept of a webhook, as `{headers, body, params}`.
#[derive(Clone, PartialEq, Debug)]
pub struct Content {
    /// The trigger's output.
    pub value: Value,
    /// Whether it differs from what was kept.
    pub is_restored: bool,
}

impl Content {
    /// What was kept, as it would have been taken: of a refused webhook the body was kept as text.
    /// `None`: only its beginning was kept.
    pub fn of(mut kept: Value, size: i64) -> Option<Self> {
        let refused = kept.as_object_mut().and_then(|kept| kept.remove("refused"));
        if refused.is_none() {
            return Some(Self { value: kept, is_restored: false });
        }
        let text = kept.get("body").and_then(Value::as_str).unwrap_or_default();
        if i64::try_from(text.len()).is_ok_and(|len| len < size) {
            return None;
        }
        if let Ok(body) = serde_json::from_str::<Value>(text) {
            kept["body"] = body;
        }
        Some(Self { value: kept, is_restored: true })
    }

    /// What it says of itself.
    pub fn said(&self, scheme: &Scheme, settings: &WebhookSettings) -> Said {
        let at = |place: &Option<Place>| place.as_ref().and_then(|place| self.at(place));
        let provider_id = match settings.provider_id.as_str() {
            "" => at(&scheme.account),
            told => at(&told.parse().ok()),
        };
        let credential = self.at(&Place::Parameter("id".into()));
        Said {
            name: scheme.name(at(&scheme.kind), at(&scheme.action)),
            provider_id: provider_id.unwrap_or_default(),
            credential: credential.and_then(|id| id.trim_end_matches('/').parse().ok()),
        }
    }

    fn at(&self, place: &Place) -> Option<String> {
        let found = match place {
            Place::Header(name) => self.value.get("headers")?.get(name)?,
            Place::Parameter(name) => self.value.get("params")?.get(name)?,
            Place::Field(path) => {
                path.iter().try_fold(self.value.get("body")?, |value, key| match value {
                    Value::Array(items) => items.get(key.parse::<usize>().ok()?),
                    value => value.get(key),
                })?
            }
            Place::Body
            | Place::Form
            | Place::Url
            | Place::Uri
            | Place::Method
            | Place::Pair(_) => return None,
        };
        let text = match found {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        (!text.is_empty()).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn settings(provider_id: &str) -> WebhookSettings {
        let (scheme, provider_id) = ("github".to_owned(), provider_id.to_owned());
        WebhookSettings { scheme, own: None, provider_id, tolerance_s: 300 }
    }

    #[test]
    fn a_kept_webhook_is_named_as_settings_say_now() {
        let id = "a5e995c2-7709-43fd-9cdf-f759faa52497";
        let kept = json!({
            "headers": { "x-github-event": "issues", "x-tenant": "t-1" },
            "params": { "id": format!("{id}/") },
            "body": { "action": "opened", "installation": { "id": 7 }, "list": [{ "a": true }] },
        });
        let content = Content::of(kept.clone(), 9).unwrap();
        assert_eq!((&content.value, content.is_restored), (&kept, false));
        let scheme = Scheme::named("github").unwrap();
        let said = |place: &str| content.said(scheme, &settings(place));
        assert_eq!((said("").name.as_str(), said("").provider_id.as_str()), ("issues.opened", "7"));
        assert_eq!(said("").credential, id.parse().ok());
        assert_eq!(said("headers.x-tenant").provider_id, "t-1");
        assert_eq!(said("body.list.0.a").provider_id, "true");
        assert_eq!(said("body.nothing").provider_id, "");
    }

    #[test]
    fn a_refused_webhook_is_whole_or_nothing() {
        let text = r#"{"action":"opened"}"#;
        let kept = json!({ "headers": {}, "params": {}, "body": text, "refused": { "code": "X" } });
        let size = i64::try_from(text.len()).unwrap();
        let content = Content::of(kept.clone(), size).unwrap();
        let expected = json!({ "headers": {}, "params": {}, "body": { "action": "opened" } });
        assert_eq!((&content.value, content.is_restored), (&expected, true));
        assert_eq!(Content::of(kept, size + 1), None);
    }
}
