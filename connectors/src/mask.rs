//! What history does not show.

use domain::config::IntegrationSettings;
use domain::workflow::{Authorization, Scope};
use serde_json::Value;

/// What stands in the place of a secret.
pub(crate) const HIDDEN: &str = "[hidden]";

/// Names of settings that are tokens whatever the integration.
const TOKENS: [&str; 4] = ["oauthAccessToken", "oauthRefreshToken", "accessToken", "refreshToken"];

/// Takes the secrets out of the scope: environment secrets, tokens, passwords, and every setting that
/// the integration authenticates with. What is resolved in it afterwards can be shown.
pub(crate) fn hide(scope: &mut Scope, integration: &IntegrationSettings) {
    for secret in scope.secrets.values_mut() {
        HIDDEN.clone_into(secret);
    }
    let mut credentials = String::new();
    for text in credential_texts(integration) {
        credentials.push_str(text);
        credentials.push('\n');
    }
    for (name, value) in &mut scope.settings {
        let is_token = TOKENS.contains(&name.as_str()) || mentions(&credentials, name);
        if is_token || scope.hidden.contains(name) {
            *value = Value::String(HIDDEN.to_owned());
        }
    }
}

fn credential_texts(integration: &IntegrationSettings) -> Vec<&str> {
    let mut texts: Vec<&str> = integration.headers.values().map(String::as_str).collect();
    match &integration.authorization {
        Authorization::None => {}
        Authorization::Bearer { token } => texts.push(token),
        Authorization::Basic { username, password } => {
            texts.extend([username, password].map(String::as_str))
        }
        Authorization::Header { value, .. } | Authorization::Query { value, .. } => {
            texts.push(value)
        }
        Authorization::OauthClientCredentials(credentials) => {
            texts.extend([&credentials.client_id, &credentials.client_secret].map(String::as_str));
            texts.extend(credentials.params.iter().map(|(_, value)| value.as_str()));
        }
    }
    texts
}

/// Whether a `{{settings.…}}` in the text names the setting; in doubt it does.
fn mentions(text: &str, setting: &str) -> bool {
    text.contains("{{") && text.contains(setting)
}

/// Whether anything in the template could be a secret. In doubt it could.
pub(crate) fn concerns(template: &Value) -> bool {
    match template {
        Value::String(text) => {
            text.contains("{{") && (text.contains("secrets") || text.contains("ettings"))
        }
        Value::Array(items) => items.iter().any(concerns),
        Value::Object(entries) => {
            entries.iter().any(|(key, value)| key.contains("{{") || concerns(value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
